"""The commands of `stancewatch`, a module for each kind of work; `flows.cli` puts them together.

Heavy modules are imported where they are used: `stancewatch --help` and the commands without flows start fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import StancewatchError

WarehouseOption = Annotated[
    str | None, typer.Option(help="DuckDB file, or a lake (ducklake:postgres:...); default: the setting `warehouse`.")
]
ModelOption = Annotated[str | None, typer.Option(help="Model folder; default: the model of the package.")]
CodebookOption = Annotated[Path | None, typer.Option(help="Codebook (TOML); default: that of the package.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what went wrong in one line and exit with 1; defects keep their traceback."""
    try:
        yield
    except (StancewatchError, OSError) as error:
        typer.echo(f"stancewatch: {error}", err=True)
        raise typer.Exit(1) from error
    except MemoryError as error:
        typer.echo(f"stancewatch: there is no memory left for it ({error}); what was stored stays", err=True)
        raise typer.Exit(1) from error

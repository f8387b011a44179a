"""Commands that read the warehouse: query, status."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import tables
from flows.commands import WarehouseOption, plain_errors
from pipeline.settings import load_settings

STATUS = ("outcomes", "pending", "source_health")  # the named queries that say how it goes


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def query(
    name: Annotated[str | None, typer.Argument(help="A named query; without it, the list.")] = None,
    warehouse: WarehouseOption = None,
    param: Annotated[list[str] | None, typer.Option(help="name=value, once for each parameter.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How the result is printed.")] = Format.table,
    as_of: Annotated[str | None, typer.Option(help="A load_id or a time (UTC): the state after it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
    verify: Annotated[Path | None, typer.Option(help="Check a file that --out wrote, and ask its query again.")] = None,
) -> None:
    """Run a named query over the published copy of the warehouse.

    Every result says its query, parameters, snapshot, label runs and row hash: JSON and Parquet inside, CSV as a line on
    standard error or in a file .meta.json beside the one of --out. The row hash is the SHA-256 of the result as CSV.
    --verify exits with 1 where the file was changed or the warehouse answers differently as of its snapshot.

    Example: stancewatch query daily_share --format csv
    """
    with plain_errors():
        target = load_settings(warehouse=warehouse).warehouse
        if verify is not None:
            _verify(target, verify)
        elif name is None:
            from warehouse import query as queries  # noqa: PLC0415

            tables.listing(Console(), queries.list_queries())
        else:
            from flows.results import export  # noqa: PLC0415

            export(target, name, dict(_pair(text) for text in param or []), as_of, output.value, out)


def _verify(target: str, path: Path) -> None:
    from flows.results import report  # noqa: PLC0415
    from warehouse.verify import verify  # noqa: PLC0415

    if not report(verify(target, path), path):
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"--param {text}: write name=value")
    return name, value


def status(
    warehouse: WarehouseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show outcomes of passes, what is pending, and health.

    Health is that of the outlets: dark, failing, low or high against what they were.

    Example: stancewatch status --json
    """
    from warehouse import query as queries  # noqa: PLC0415

    with plain_errors():
        target = load_settings(warehouse=warehouse).warehouse
        found: dict[str, Any] = {name: queries.run_query(target, name, {}) for name in STATUS}
        if as_json:
            shown = {name: [dict(zip(c, row, strict=True)) for row in r] for name, (c, r) in found.items()}
            typer.echo(json.dumps(shown, indent=2, ensure_ascii=False, default=str))
            return
        for name, (columns, lines) in found.items():
            console = Console(width=None if sys.stdout.isatty() else tables.PIPED_WIDTH)
            tables.show(console, name, columns, lines)

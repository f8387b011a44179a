"""The command that makes something to look at: report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.commands import CodebookOption, WarehouseOption, plain_errors
from pipeline.settings import load_settings


def report(
    out: Annotated[Path, typer.Option(help="Folder for the file report.html.")],
    warehouse: WarehouseOption = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, moved to its Monday; default: 26 weeks.")
    ] = None,
    least: Annotated[int, typer.Option(min=1, help="Cells with fewer documents are given as n only.")] = 5,
    events: Annotated[Path | None, typer.Option(help="Events to mark (TOML); default: those of the package.")] = None,
    codebook: CodebookOption = None,
) -> None:
    """Write the report: one HTML file with charts and sentences.

    Attention, net stance with events, blocs and countries, topics and coverage, of the published copy. Every mark opens the
    sentences behind it. The file asks no server for anything, and the same state of the warehouse gives the same bytes.

    Example: stancewatch report --out report
    """
    from flows.report.make import figures_of, make_report  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(warehouse=warehouse, events=events, codebook=codebook)
        figures = figures_of(settings, since.date() if since else None, least)
        typer.echo(make_report(settings, out / "report.html", figures))

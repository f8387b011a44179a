"""The command backfill: what is older than the feeds, or outside of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from flows import tables
from flows.commands import WarehouseOption, plain_errors
from pipeline.errors import StancewatchError
from pipeline.settings import load_settings

DAY = ["%Y-%m-%d"]


def backfill(
    sitemap: Annotated[list[str] | None, typer.Option(help="Sitemap or sitemap index, also .xml.gz.")] = None,
    urls: Annotated[list[Path] | None, typer.Option(help="File of addresses, one a line.")] = None,
    opml: Annotated[list[Path] | None, typer.Option(help="OPML file: its feeds are asked once.")] = None,
    warc: Annotated[list[Path] | None, typer.Option(help="WARC file, our own or another: no request is made.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAY, help="First day, of sitemaps and WARC files.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day.")] = None,
    outlet: Annotated[str | None, typer.Option(help="Outlet of all pages; default: by host, else by domain.")] = None,
    country: Annotated[str | None, typer.Option(help="Its country, where the feeds file does not have it.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Work off at most so many pages now.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the sources, say what they hold, store nothing.")
    ] = False,
    feeds: Annotated[Path | None, typer.Option(help="Feeds file whose outlets are known; default: as for run.")] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Bring in pages of sitemaps, lists, OPML and WARC files.

    Each source option may be given several times. Killed and started again, it goes on; without a source it goes on with
    what earlier backfills left pending.

    Example: stancewatch backfill --sitemap https://ledger.example/sitemap.xml --since 2026-01-01
    """
    from prefect.exceptions import FailedRun  # noqa: PLC0415

    from flows.backfill import backfill as backfill_flow  # noqa: PLC0415
    from flows.survey import survey  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(warehouse=warehouse, feeds=feeds)
        given: dict[str, Any] = {
            "sitemaps": sitemap, "lists": _names(urls), "opml": _names(opml), "warcs": _names(warc),
            "since": since.date() if since else None, "until": until.date() if until else None,
            "outlet": outlet, "country": country,
        }  # fmt: skip
        console = Console()
        if dry_run:
            tables.show(console, "What the sources hold", *survey(settings, **given))
            return
        try:
            done = backfill_flow(
                **given, limit=limit, feeds=str(feeds) if feeds else None, warehouse=settings.warehouse
            )
        except FailedRun as error:
            raise StancewatchError(str(error)) from error
        outcomes = cast("dict[str, Any]", done)  # a failed state is raised
        rows = [*outcomes.pop("left_out").items()]
        tables.show(console, "Outcomes", ["outcome", "items"], [*outcomes.items()])
        if rows:
            tables.show(console, "Left out: no items of a backfill", ["reason", "records"], rows)


def _names(paths: list[Path] | None) -> list[str]:
    return [str(path) for path in paths or ()]

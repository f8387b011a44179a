"""Commands over the warehouse: query, replay."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows import tables
from flows.commands import WarehouseOption, plain_errors
from pipeline.settings import load_settings


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


def replay(
    warehouse: WarehouseOption = None,
    reason: Annotated[str | None, typer.Option(help="Only entries that failed for this reason.")] = None,
    host: Annotated[str | None, typer.Option(help="Only entries of this host.")] = None,
    url: Annotated[str | None, typer.Option(help="Only the entry of this address.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be put back, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Put entries in quarantine back, for the next pass to fetch.

    Without a filter it puts back all of them. Exit status 0, also where nothing fits; 1 where the warehouse cannot be used.

    Example: stancewatch replay --reason timeout --host news.example --dry-run
    """
    from pipeline.urls import normalise_url  # noqa: PLC0415
    from warehouse.publish import publish  # noqa: PLC0415
    from warehouse.replay import replay as put_back  # noqa: PLC0415

    with plain_errors():
        target = load_settings(warehouse=warehouse).warehouse
        try:
            wanted = normalise_url(url) if url else None
        except ValueError as error:
            raise typer.BadParameter(f"--url {url}: {error}") from error
        found = put_back(target, reason=reason, host=host.lower() if host else None, url=wanted, dry_run=dry_run)
        if found and not dry_run:
            publish(target)
        if as_json:
            typer.echo(json.dumps({"put_back": not dry_run, "entries": found}, indent=2, ensure_ascii=False))
            return
        for row in found:
            typer.echo(f"{row['reason']}  {row['url']}  ({row['attempts']} attempts, since {row['quarantined_at']})")
        typer.echo(f"{len(found)} entries {'would be put back' if dry_run else 'put back: the next pass fetches them'}")

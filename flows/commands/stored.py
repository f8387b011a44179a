"""Commands that read the warehouse: query, status."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import tables
from flows.commands import WarehouseOption, plain_errors
from pipeline.errors import ConfigError
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
) -> None:
    """Run a named query over the published copy of the warehouse.

    Example: stancewatch query daily_share --format csv
    """
    from warehouse import query as queries  # noqa: PLC0415
    from warehouse.export import query_as_parquet  # noqa: PLC0415

    with plain_errors():
        if name is None:
            tables.listing(Console(), queries.list_queries())
            return
        settings = load_settings(warehouse=warehouse)
        pairs = dict(_pair(text) for text in param or [])
        if output is Format.parquet:
            if sys.stdout.isatty():
                raise ConfigError("parquet is binary: send it to a file, as in `--format parquet > result.parquet`")
            sys.stdout.buffer.write(query_as_parquet(settings.warehouse, name, pairs))
            return
        columns, found = queries.run_query(settings.warehouse, name, pairs)
        tables.write(sys.stdout, name, columns, found, output.value)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"--param {text}: write name=value")
    return name, value


def status(
    warehouse: WarehouseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show outcomes of the last passes, what is pending, and health.

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
            tables.write(sys.stdout, name, columns, lines, "table")

"""The command that says how it goes: status."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import tables
from flows.commands import WarehouseOption, plain_errors
from pipeline.settings import load_settings

QUERIES = ("outcomes", "pending", "feed_health", "source_health")  # the named queries that say how it goes
Found = dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]]


def status(
    warehouse: WarehouseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Only what needs a person, a line each.")] = False,
) -> None:
    """Say what needs a person; show outcomes, queues and sources.

    Exit status 1 where something needs a person, each reason with its way out, or where the warehouse cannot be read; else 0: a
    health check. It waits for nobody and stops nobody, also while a pass runs. With the setting `telemetry` it sends the same
    figures there.

    Example: stancewatch status --json
    """
    from flows.health import examine, readings  # noqa: PLC0415
    from flows.telemetry import telemetry  # noqa: PLC0415
    from warehouse.query import run_query  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(warehouse=warehouse)
        health = examine(settings)
        telemetry(settings).show(readings(health))
        if as_json or not brief:
            found: Found = {name: run_query(settings.warehouse, name, {}) for name in QUERIES}
            _print_json(health, found) if as_json else _print_tables(health, found)
    for each in health.reasons:
        typer.echo(f"{each.reason}: {each.detail}. Way out: {each.way_out}", err=True)
    if health.reasons:
        raise typer.Exit(1)
    if brief:
        typer.echo("nothing needs a person")


def _print_json(health: Any, found: Found) -> None:
    shown = {name: [dict(zip(columns, row, strict=True)) for row in rows] for name, (columns, rows) in found.items()}
    said = {
        "healthy": not health.reasons,
        "reasons": [asdict(each) for each in health.reasons],
        "vitals": health.vitals,
        "machine": asdict(health.machine),
        **shown,
        "loads_set_aside": health.machine.loads_set_aside,
    }
    typer.echo(json.dumps(said, indent=2, ensure_ascii=False, default=str))


def _print_tables(health: Any, found: Found) -> None:
    console = Console(width=None if sys.stdout.isatty() else tables.PIPED_WIDTH)
    vitals = {name: health.vitals[name] for name in ("entries", "passes", "stages", "queues")}
    for name, rows in vitals.items():
        if rows:
            tables.show(console, name, list(rows[0]), [list(row.values()) for row in rows])
    tables.show(console, "machine", ("sign", "value"), list(asdict(health.machine).items()))
    for name, (columns, lines) in found.items():
        tables.show(console, name, columns, lines)

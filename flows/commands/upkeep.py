"""Commands that look after what is stored: maintenance, backup, restore, erase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import WarehouseOption, plain_errors
from pipeline.settings import load_settings

SpoolOption = Annotated[bool, typer.Option(help="With loads that are prepared and not stored yet.")]
WarcOption = Annotated[bool, typer.Option(help="With the raw pages.")]


def maintenance(warehouse: WarehouseOption = None) -> None:
    """Apply retention, compact, publish and check.

    What the settings keep_* let go is removed and recorded, the file is rewritten without the room it left, readers get a
    fresh copy, and each rule of warehouse/checks is asked; exit status 1 where one is broken.

    Example: stancewatch maintenance --warehouse watch.duckdb
    """
    from flows.upkeep import maintain  # noqa: PLC0415

    with plain_errors():
        done = maintain(load_settings(warehouse=warehouse))
    for record, n in done.removed.items():
        typer.echo(f"removed by retention: {n} of {record}")
    typer.echo("compacted: " + ", ".join(f"{n} {what}" for what, n in done.compacted.items()))
    for finding in done.findings:
        typer.echo(finding, err=True)
    typer.echo("checks: " + (f"{len(done.findings)} rules are broken" if done.findings else "every rule holds"))
    if done.findings:
        raise typer.Exit(1)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DEST", help="Folder of the backup; it must not exist yet.")],
    warehouse: WarehouseOption = None,
    spool: SpoolOption = True,
    warc: WarcOption = True,
    force: Annotated[bool, typer.Option("--force", help="Replace the backup that is there.")] = False,
) -> None:
    """Copy the warehouse to a folder, also while a pass runs.

    With the spool and the raw pages, and a manifest of SHA-256 hashes that restore checks.

    Example: stancewatch backup /backups/monday --no-warc
    """
    from warehouse.backup import backup as back_up  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(warehouse=warehouse)
        made = back_up(settings.warehouse, settings.data, folder, spool=spool, warc=warc, force=force)
        typer.echo(f"{folder}: {len(made.files)} files, {made.size} bytes, snapshot {made.load_id}")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder that `stancewatch backup` made.")],
    warehouse: WarehouseOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the warehouse that is there.")] = False,
) -> None:
    """Put a backup in the place of the warehouse.

    Every file is checked against the manifest before anything is touched; then the rules of warehouse/checks are asked.

    Example: stancewatch restore /backups/monday --warehouse watch.duckdb
    """
    from flows.upkeep import in_words  # noqa: PLC0415
    from warehouse.query import run_checks  # noqa: PLC0415
    from warehouse.restore import restore as put_back  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(warehouse=warehouse)
        made = put_back(folder, settings.warehouse, settings.data, force=force)
        found = run_checks(settings.warehouse)
    typer.echo(f"{settings.warehouse}: restored to snapshot {made.load_id}")
    for name, rows in found.items():
        typer.echo(in_words(name, len(rows), rows[0]), err=True)
    if found:
        raise typer.Exit(1)


def erase(
    document: Annotated[str, typer.Option(help="Address or id of the document.")],
    reason: Annotated[str, typer.Option(help="Why, for the record; name no person.")],
    warehouse: WarehouseOption = None,
) -> None:
    """Remove a document on request: text, evidence, names.

    Its text, evidence, title, authors, addresses and raw page go for good, from the published copy too; that it was there,
    its labels and its counts stay. A later pass does not bring it back. Backups still hold it.

    Example: stancewatch erase --document https://news.example/a --reason "request of the author"
    """
    from flows.upkeep import erase as erase_everywhere  # noqa: PLC0415

    with plain_errors():
        document_id, records = erase_everywhere(load_settings(warehouse=warehouse), document, reason)
        typer.echo(f"erased document {document_id} and {records} records of its page; older backups still hold it")

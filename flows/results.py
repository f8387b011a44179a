"""How a result of `stancewatch query` leaves: printed, or as a file, always with what it takes to ask it again.

JSON and Parquet carry that description inside. CSV stays clean: printed, the description is one line of JSON on standard
error; as a file, it lies beside it as `NAME.meta.json`. A table has it below the rows.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import typer
from rich.console import Console

from flows import tables
from pipeline.errors import ConfigError
from warehouse.result import ENDING, Result, answer, as_csv, as_parquet
from warehouse.verify import Verdict

IN_THE_FILE = ("json", "parquet")


def export(target: str, name: str, params: dict[str, str], as_of: str | None, form: str, out: Path | None) -> None:
    """Run a named query and print its result, or write it to a file."""
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise ConfigError("parquet is binary: name a file with --out")
    if form == "parquet":
        result, data = as_parquet(target, name, params, as_of)
    else:
        result = answer(target, name, params, as_of)
        data = _text(result, form, out is None and sys.stdout.isatty()).encode()
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        _replace(out, data)
    if form not in IN_THE_FILE:
        _describe(result, form, out)
    for line in result.missing:
        typer.echo(f"not all of this snapshot is there any more: {line}", err=True)


def _text(result: Result, form: str, terminal: bool) -> str:
    if form == "json":
        return result.as_json()
    if form == "csv":
        return as_csv(result.columns, result.rows)
    said, text = result.describe(), io.StringIO()
    console = Console(file=text, width=Console().width if terminal else tables.PIPED_WIDTH, force_terminal=terminal)
    tables.show(console, result.query, result.columns, result.rows)
    runs = ", ".join(f"{run['label_run_id']} ({run['model_id']} {run['revision']})" for run in result.label_runs)
    text.write(f"snapshot {result.snapshot.load_id}, label run {runs or 'none'}, row hash {said['row_hash']}\n")
    return text.getvalue()


def _describe(result: Result, form: str, out: Path | None) -> None:
    said = {**result.describe(), "format": form}
    if out is not None:
        _replace(out.with_name(out.name + ENDING), (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode())
    elif form == "csv":
        typer.echo(json.dumps(said, ensure_ascii=False), err=True)


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def report(verdict: Verdict, path: Path) -> bool:
    """Say what of a kept result still holds; return whether all of it does."""
    now = verdict.now
    if verdict.intact is False:
        typer.echo(
            f"{path}: its rows are not those that its row hash {verdict.stated} is of: the file was changed", err=True
        )
    if not verdict.same:
        typer.echo(f"{path}: query {now.query} as of {now.snapshot.load_id} answers differently now", err=True)
        for line in now.missing or (
            "nothing was removed since: the query or a view has changed, or the file is forged",
        ):
            typer.echo(f"  {line}", err=True)
    if verdict.same and verdict.intact is not False:
        read = "" if verdict.intact else " (asked again; a table itself is not read)"
        typer.echo(f"{path}: {now.query} as of {now.snapshot.load_id} is the same, row hash {verdict.stated}{read}")
    return verdict.same and verdict.intact is not False

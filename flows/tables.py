"""How results look: rich tables for people, CSV, JSON and Parquet for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import IO, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import ConfigError
from warehouse.query import run_query

Rows = Sequence[Sequence[Any]]


def show(console: Console, title: str, columns: Sequence[str], rows: Rows) -> None:
    """Print a table; text from outside is never read as markup."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else "".join(c if c.isprintable() else " " for c in str(value))


def listing(console: Console, queries: Sequence[tuple[str, str]]) -> None:
    """Print the named queries with their line of help."""
    show(console, "Named queries", ("name", "answers"), queries)


def after_pass(console: Console, warehouse: str) -> None:
    """Print what a pass ends with: its outcomes and a first trend."""
    for name, title in (("outcomes", "Outcomes"), ("daily_share", "Daily share of AI-governance stories"),
                        ("net_stance", "Net stance by target")):  # fmt: skip
        columns, rows = run_query(warehouse, name, {})
        show(console, title, columns, rows[-20:] if name == "daily_share" else rows[:40])


def write(stream: IO[str], name: str, columns: Sequence[str], rows: Rows, form: str) -> None:
    """Write a result as table, csv, json or parquet."""
    if form == "table":
        show(Console(file=stream), name, columns, rows)
    elif form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "json":
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        stream.write(json.dumps(records, ensure_ascii=False, default=str, indent=1) + "\n")
    else:
        if sys.stdout.isatty():
            raise ConfigError("parquet is binary: send it to a file, as in `--format parquet > result.parquet`")
        from warehouse.query import as_parquet  # noqa: PLC0415

        stream.buffer.write(as_parquet(columns, rows))  # type: ignore[attr-defined]

"""How results look: rich tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PIPED_WIDTH = 240  # characters; a file has no edge to break at
# of daily_share and net_stance: a narrow terminal has no more room
SHARE_COLUMNS = ("day", "relevant", "seen", "pooled_share", "distinct_share")
STANCE_COLUMNS = ("target", "bloc", "week", "n", "net", "low", "high")
Rows = Sequence[Sequence[Any]]


def show(console: Console, title: str, columns: Sequence[str], rows: Rows) -> None:
    """Print a table; text from outside is never read as markup."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")  # a narrow terminal breaks a value, it never hides one
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    console.print(table)


def _only(wanted: Sequence[str], columns: Sequence[str], rows: Rows) -> Rows:
    """Return the wanted columns of the rows."""
    places = [columns.index(name) for name in wanted]
    return [[row[place] for place in places] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else "".join(c if c.isprintable() else " " for c in str(value))


def listing(console: Console, queries: Sequence[tuple[str, str]]) -> None:
    """Print the named queries with their line of help."""
    show(console, "Named queries", ("name", "answers"), queries)


def after_pass(console: Console, warehouse: str) -> None:
    """Print what a pass ends with: its outcomes and a first trend."""
    from warehouse.query import run_query  # noqa: PLC0415 - DuckDB is slow to load, and help does not need it

    columns, rows = run_query(warehouse, "outcomes", {"most": "1"})
    last = dict(zip(columns, rows[0], strict=True)) if rows else {}
    outcomes = [(name, last.get(name)) for name in ("offered", "loaded", "duplicate", "rejected", "pending")]
    reasons = str(last.get("rejected_for") or "").split(", ")
    outcomes[4:4] = [(f"  {why.rpartition(' ')[0]}", why.rpartition(" ")[2]) for why in reasons if why]
    show(console, "Outcomes of this pass", ("outcome", "items"), outcomes)
    columns, rows = run_query(warehouse, "daily_share", {"complete": "false"})
    days = _only(SHARE_COLUMNS, columns, rows[-14:])
    show(console, "Daily share of AI-governance stories, also of days not seen whole", SHARE_COLUMNS, days)
    columns, rows = run_query(warehouse, "net_stance", {"least": "3", "cluster": "story"})
    large = _only(STANCE_COLUMNS, columns, [row for row in rows if row[columns.index("net")] is not None])
    title = f"Net stance by target; {len(rows) - len(large)} cells of fewer than 3 stories are not shown"
    show(console, title, STANCE_COLUMNS, large)
    console.print("`stancewatch query` lists the queries; readers open the published copy.", markup=False)

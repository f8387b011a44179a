"""The data dictionary: a warehouse in, its tables or views with their columns, types and comments out, in Markdown."""

from __future__ import annotations

import tomllib
from pathlib import Path

from warehouse.connect import fetch_rows, reading

WORDS = Path(__file__).parent.parent / "docs" / "columns.toml"
_THINGS = {
    "tables": "SELECT table_name AS name, comment FROM duckdb_tables() WHERE NOT internal ORDER BY ALL",
    "views": "SELECT view_name AS name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
}
_COLUMNS = """
    SELECT table_name AS of, column_name AS name, data_type AS type, comment FROM duckdb_columns()
    WHERE NOT internal ORDER BY table_name, column_index
"""
Columns = dict[str, dict[str, tuple[str, str | None]]]  # of a table or view: name, type and comment


def dictionary(warehouse: Path, kind: str) -> str:
    """Return a section for each of the tables or of the views of a warehouse."""
    with reading(warehouse) as con:
        things, found = fetch_rows(con, _THINGS[kind]), fetch_rows(con, _COLUMNS)
    columns: Columns = {}
    for row in found:
        columns.setdefault(row["of"], {})[row["name"]] = (row["type"], row["comment"])
    return "\n\n".join(_section(thing["name"], thing["comment"], columns) for thing in things)


def _section(name: str, comment: str, columns: Columns) -> str:
    """Return the section of one table or view; SystemExit where nobody says what a column is."""
    said = {column: text or _meaning(name, column, columns) for column, (_, text) in columns[name].items()}
    if bare := [column for column, text in said.items() if not text]:
        raise SystemExit(f"{WORDS}: say under [view.{name}] what {', '.join(bare)} is")
    rows = [f"| `{column}` | {kind} | {said[column]} |" for column, (kind, _) in columns[name].items()]
    return "\n".join((f"### `{name}`", "", f"{comment}.", "", "| column | type | is |", "| --- | --- | --- |", *rows))


def _meaning(view: str, column: str, columns: Columns) -> str | None:
    """Return the words for a view's column: its own, else the comment of the tables that it comes from."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))["view"].get(view, {})
    of_tables = (columns[table].get(column, ("", None))[1] for table in words.get("from", ()))
    return words.get(column) or next(filter(None, of_tables), None)

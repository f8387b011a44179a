"""Results that are kept as tables: rows of `kept/NAME.sql` for what a load touched in, the table NAME brought up to date out.

A file is one SELECT over the tables and over `touched_...`, which says of what the answer is wanted: of what a load
touched, or of everything. So a kept table is its SELECT over everything at any time, `run_checks` has proof of it, and at an
earlier snapshot the SELECT itself takes its place (docs/decisions/0011-kept-results.md).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

SQL = Path(__file__).parent / "kept"
_KEYS = {"kept_document": ("document_id",), "kept_outlet_day": ("outlet_id", "day")}
_EVERYTHING = {
    "kept_document": "touched_document AS (SELECT document_id FROM document)",
    "kept_outlet_day": "touched_outlet_day AS (SELECT DISTINCT outlet_id, day FROM outlet_day)",
}


def kept_tables() -> list[str]:
    """Return the names of the tables."""
    return sorted(_KEYS)


def definition(table: str) -> str:
    """Return the SELECT of a table, over what `touched_...` names."""
    return (SQL / f"{table}.sql").read_text(encoding="utf-8")


def whole(table: str) -> str:
    """Return the query that is the whole table."""
    return f"WITH {_EVERYTHING[table]} FROM ({definition(table)})"


def keep_up(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the tables up to date for what `steps/touched.sql` found. Their rows change, and none ever goes."""
    for table, keys in _KEYS.items():
        if con.execute(f"SELECT 1 FROM {table.replace('kept', 'touched')} LIMIT 1").fetchone() is None:  # noqa: S608
            continue
        same = " AND ".join(f"{table}.{key} = new.{key}" for key in keys)
        con.execute(
            f"MERGE INTO {table} USING ({definition(table)}) AS new ON {same}"
            " WHEN MATCHED THEN UPDATE BY NAME WHEN NOT MATCHED THEN INSERT BY NAME"
        )


def strayed(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Return the tables that are not their SELECT over everything, with the number of rows that differ."""
    found = []
    for table in kept_tables():
        columns = ", ".join(name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall())
        should, is_now = f"SELECT {columns} FROM ({whole(table)})", f"SELECT {columns} FROM {table}"  # noqa: S608
        apart = f"({should} EXCEPT ALL {is_now}) UNION ALL ({is_now} EXCEPT ALL {should})"
        (n,) = con.execute(f"SELECT count(*) FROM ({apart})").fetchone() or (0,)  # noqa: S608
        found += [(table, n)] if n else []
    return found


def rebuild(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Make tables anew from everything that is stored: all of them where none is named, as after rows were written by hand."""
    for table in tables or kept_tables():
        con.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables
        con.execute(f"INSERT INTO {table} BY NAME {whole(table)}")

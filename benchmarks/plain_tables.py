"""The same questions on plain tables in SQLite and PostgreSQL: a warehouse in, seconds of each query on each of them out.

The tables are those of the warehouse with the columns that the queries need, with keys and indexes (`plain/tables.sql`, `plain/views.sql`),
and statistics gathered. `plain/NAME.sql` is what a named query asks, in SQL that both understand, without intervals, medians and parameters;
the columns that it has are compared with those of the named query, so that all three answered the same question. Not translated are
queries that rest on statistics or functions that plain SQL lacks.
"""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.timing import TURNS, spent
from warehouse.connect import Connection, connect
from warehouse.query import run_query

SQL = Path(__file__).parent / "plain"
Rows = list[tuple[Any, ...]]
Answer = tuple[list[str], Rows]
Ask = Callable[[str], Answer]
NAMES = sorted(path.stem for path in SQL.glob("*.sql") if path.stem not in ("tables", "views"))
_WEEK = "CAST(CAST(date_trunc('week', {day}) AS DATE) AS VARCHAR)"
TABLES = {
    "outlet": "SELECT outlet_id, name, country, bloc FROM outlet",
    "document": f"SELECT document_id, outlet_id, CAST(day AS VARCHAR), {_WEEK.format(day='day')}, title, url, lang FROM document_current",
    "story": "SELECT document_id, story_id, link, load_id FROM story",
    "outlet_day": "SELECT outlet_id, CAST(day AS VARCHAR), n_seen, CAST(complete AS INTEGER), load_id FROM outlet_day",
    "label_run": "SELECT label_run_id, CAST(created_at AS VARCHAR) FROM label_run",
    "relevance_label": "SELECT document_id, label_run_id, CAST(label AS INTEGER), CAST(abstain AS INTEGER) FROM relevance_label",
    "stance_label": "SELECT document_id, label_run_id, target, CAST(addressed AS INTEGER), p_favor, p_against, label, CAST(abstain AS INTEGER) FROM stance_label",
    "evidence": "SELECT document_id, label_run_id, target, rank, text, voice, speaker FROM evidence",
}


def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def in_sqlite(source: Path, folder: Path) -> dict[str, float]:
    """Copy the tables into SQLite and return the median seconds of each query."""
    with closing(sqlite3.connect(folder / "plain.sqlite")) as lite, closing(connect(source, read_only=True)) as con:
        lite.executescript(_read("tables"))
        for table, sql in TABLES.items():
            for rows in _portions(con, sql):
                lite.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        lite.executescript(_read("views") + "ANALYZE;")
        lite.commit()
        return _timed(source, lambda sql: _fetched(lite.execute(sql)))


def in_postgres(source: Path, database: str) -> dict[str, float]:
    """Copy the tables into an empty PostgreSQL database and return the median seconds of each query."""
    with closing(connect(source, read_only=True)) as con, psycopg.connect(database, autocommit=True) as plain:
        plain.execute(_read("tables").encode())
        for table, sql in TABLES.items():
            with plain.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for rows in _portions(con, sql):
                    for row in rows:
                        copy.write_row(row)
        plain.execute(_read("views").encode())
        plain.execute("ANALYZE")
        plain.execute("SET work_mem = '256MB'")
        return _timed(source, lambda sql: _fetched(plain.execute(sql.encode())))


def _portions(con: Connection, sql: str) -> Iterator[Rows]:
    found = con.cursor().execute(sql)
    while rows := found.fetchmany(20_000):
        yield rows


def _fetched(done: Any) -> Answer:
    return [column[0] for column in done.description], done.fetchall()


def _timed(source: Path, ask: Ask) -> dict[str, float]:
    found = {}
    for name in NAMES:
        _agree(source, name, ask(_read(name)))
        found[name] = statistics.median(spent(partial(ask, _read(name)))[0] for _ in range(TURNS))
    return found


def _agree(source: Path, name: str, answer: Answer) -> None:
    """The named query says the same: every row of the plain one is among its rows."""
    columns, rows = answer
    known, said = run_query(source, name)
    places = [known.index(column) for column in columns]
    missing = {tuple(map(str, row)) for row in rows} - {tuple(str(row[place]) for place in places) for row in said}
    assert rows, f"{name} found nothing"
    assert not missing, f"{name}: the named query has not {sorted(missing)[:3]}"

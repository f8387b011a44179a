"""Snapshots: the warehouse as it was right after one of its loads, for queries. A load_id or a time in, views of that state out.

Loads are stored one after the other, and `load.loaded_at` orders them. A table with a `load_id` is, at a snapshot, its rows
of the loads up to then, and the rows of `past_row` that a later load changed. So a new table needs nothing here, as long as
its rows are never changed, or a step keeps them in `past_row` first (docs/decisions/0007-snapshots.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.errors import ConfigError
from warehouse.connect import Connection, Row, fetch_rows
from warehouse.ducklake import SNAPSHOT
from warehouse.kept import kept_tables, whole
from warehouse.migrate import VIEWS, in_order, read_sources

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOADS = "SELECT load_id, epoch_us(loaded_at) AS at FROM load"
_REMOVED = """
    SELECT record, reason, CAST(sum(n) AS BIGINT) AS n, count(*) AS times, strftime(max(removed_at) AT TIME ZONE 'UTC', '%Y-%m-%d') AS day
    FROM removal JOIN load USING (load_id) WHERE epoch_us(load.loaded_at) > $at GROUP BY ALL ORDER BY record, reason
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state that a load left; `load_id` is empty where nothing was loaded yet."""

    load_id: str
    at: datetime  # UTC; time stands still there: it is what queries take for now
    newest: bool  # the warehouse, or the copy of it, goes no further


def find_snapshot(con: Connection, asked: str | None = None) -> Snapshot:
    """Return the snapshot of a load_id, of the last load up to a time (ISO 8601, UTC where it names no zone), or the newest.

    Raises ConfigError where there is none: also for a time after the newest load, for another load may follow before it.
    """
    order = "ORDER BY loaded_at DESC, load_id DESC LIMIT 1"
    newest = next(iter(fetch_rows(con, f"{_LOADS} {order}")), {"load_id": "", "at": 0})
    if asked is None:
        return _snapshot(newest, newest)
    if rows := fetch_rows(con, f"{_LOADS} WHERE load_id = $asked", {"asked": asked}):
        return _snapshot(rows[0], newest)
    when = _time(asked)
    if when > _snapshot(newest, newest).at:
        raise ConfigError(
            f"snapshot {asked}: this copy ends at {_snapshot(newest, newest).at:%Y-%m-%dT%H:%M:%S.%fZ}, and what is loaded until then "
            f"would change the answer; give an earlier time or the newest load, {newest['load_id']}"
        )
    if rows := fetch_rows(con, f"{_LOADS} WHERE epoch_us(loaded_at) <= $at {order}", {"at": _microseconds(when)}):
        return _snapshot(rows[0], newest)
    raise ConfigError(f"snapshot {asked}: nothing was loaded by then")


def _snapshot(row: Row, newest: Row) -> Snapshot:
    at = _EPOCH + timedelta(microseconds=row["at"])
    return Snapshot(load_id=row["load_id"], at=at, newest=row["load_id"] == newest["load_id"])


def _time(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"snapshot {text!r}: no load of this id here, and no time such as 2026-11-20T08:00Z"
        ) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _microseconds(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1)


def missing_from(con: Connection, snapshot: Snapshot) -> list[str]:
    """Say what of a snapshot cannot be had any more: what was removed since, and changes before changes were kept."""
    at = {"at": _microseconds(snapshot.at)}
    said = [
        f"removed since by {row['reason']}: {row['n']} of {row['record']} (last on {row['day']})"
        for row in fetch_rows(con, _REMOVED, at)
    ]
    kept = "SELECT strftime(applied_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS since FROM migration WHERE number = 6 AND epoch_us(applied_at) > $at"
    unkept = "loads before {} did not keep what they changed: such rows are missing here"
    return [*said, *(unkept.format(row["since"]) for row in fetch_rows(con, kept, at))]


def travel(con: Connection, snapshot: Snapshot) -> None:
    """Let the names of this connection mean the snapshot: its tables, and this version's views over them."""
    (source,) = con.execute("SELECT current_database()").fetchone() or ("",)
    tables = _columns(con)
    con.execute(f"ATTACH ':memory:' AS \"{source}{SNAPSHOT}\" (READ_WRITE)")
    con.execute(f'USE "{source}{SNAPSHOT}"')
    loads = f'"{source}".main.load'
    con.execute(
        f"CREATE TABLE load_until AS SELECT load_id FROM {loads} WHERE loaded_at <= (SELECT loaded_at FROM {loads} WHERE load_id = ?)",  # noqa: S608
        [snapshot.load_id],
    )
    kept = kept_tables()
    for table in tables.keys() - set(kept):
        con.execute(f'CREATE VIEW "{table}" AS {_as_it_was(source, table, tables[table])}')
    for table in kept:  # of everything that there was then, whatever its rows say now
        con.execute(f'CREATE VIEW "{table}" AS {whole(table)}')
    for view in in_order(read_sources(VIEWS)):
        con.execute(view.text)


def _columns(con: Connection) -> dict[str, dict[str, str]]:
    """Return the columns of each table with their types."""
    sql = """
        SELECT table_name, column_name, data_type FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (database_name, table_name)
        WHERE database_name = current_database() AND schema_name = 'main' ORDER BY table_name, column_index
    """
    found: dict[str, dict[str, str]] = {}
    for row in fetch_rows(con, sql):
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    return found


def _as_it_was(source: str, table: str, columns: dict[str, str]) -> str:
    """Return the query that is the table at the snapshot. Rows without a load, as of migrations, are there always."""
    stored = f'SELECT * FROM "{source}".main."{table}"'  # noqa: S608 - names of our own tables
    if "load_id" not in columns:
        return stored
    shape = json.dumps({name: [kind[:-2]] if kind.endswith("[]") else kind for name, kind in columns.items()})
    return f"""{stored} WHERE load_id IN (FROM load_until)
        UNION ALL BY NAME
        SELECT unnest(json_transform(content, '{shape}')) FROM "{source}".main.past_row
        WHERE record = '{table}' AND written_by IN (FROM load_until) AND load_id NOT IN (FROM load_until)"""  # noqa: S608

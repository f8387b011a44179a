"""The vital signs of a warehouse: a target in, rows by the name of a file of vitals/ out; and what maintenance found, to be read there.

They are read from the published copy, so that asking them stops nobody, and each file is a scan or two: a health check
may ask every minute. The rules of checks/ compare everything with everything, so only maintenance asks those.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from warehouse.connect import Connection, Row, Target, fetch_rows, reading, writing
from warehouse.load import record_load
from warehouse.query import fitting, load_query, readers_path, typed_sql
from warehouse.spool import new_id

VITALS = Path(__file__).parent / "vitals"
Vitals = Mapping[str, list[Row]]


def read_vitals(target: Target, now: datetime, wait: float = 10) -> Vitals:
    """Return the rows of every file of vitals/ by its name, and `outlets`: {status, n} of those that have a feed. Ages are seconds."""
    health = load_query("source_health")
    with reading(readers_path(target), wait=wait) as con, fitting("status"):
        found = {path.stem: _ask(con, path.read_text(encoding="utf-8"), now) for path in sorted(VITALS.glob("*.sql"))}
        sql = f"SELECT status, count(*) AS n FROM ({typed_sql(health)}) WHERE feeds > 0 GROUP BY status ORDER BY status"  # noqa: S608 - our own query
        return {**found, "outlets": fetch_rows(con, sql, health.values({}))}


def _ask(con: Connection, sql: str, now: datetime) -> list[Row]:
    return fetch_rows(con, sql, {"now": now} if "$now" in sql else {})


def record_checks(target: Target, broken: Mapping[str, int]) -> None:
    """Record what the rules found: rows that break each of them, 0 for one that holds."""
    now = datetime.now(UTC)
    head = {"load_id": new_id(), "run_id": "maintenance", "kind": "checks", "created_at": now.isoformat()}
    with writing(target) as con:
        con.executemany(
            "INSERT INTO check_result BY NAME SELECT ? AS rule, ? AS broken, ? AS checked_at, ? AS load_id",
            [[rule, n, now, head["load_id"]] for rule, n in sorted(broken.items())],
        )
        record_load(con, head)

"""Compact a warehouse: the file rewritten without the room that updated and deleted rows left, and without a trace of them.

Rows are copied into a draft beside it, which takes the file's place in one step. Writers wait meanwhile; whoever reads the
file keeps the old one. A failure at any point leaves the old file.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from pipeline.errors import WarehouseError
from warehouse.connect import Connection, Target, connect, exclusive, storing, warehouse_path
from warehouse.publish import checkpoint

_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY table_name"


def compact(target: Target, wait: float = 60) -> tuple[int, int]:
    """Rewrite the file; return its size before and after, in bytes."""
    path = warehouse_path(target)
    draft = path.with_name(f".{path.name}.compact.tmp")
    draft.unlink(missing_ok=True)  # of a compaction that was killed
    with exclusive(target, wait), storing(path):
        checkpoint(target, wait)
        before = path.stat().st_size
        try:
            with closing(connect(target, read_only=True, wait=wait)) as con:  # holds off writers that are not ours
                _refuse_log(path)
                _rewrite(con, draft)
                draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
            draft.with_name(draft.name + ".wal").unlink(missing_ok=True)
    return before, path.stat().st_size


def _refuse_log(path: Path) -> None:
    """What another program committed since our checkpoint lies in a log that would not fit the new file."""
    log = path.with_name(path.name + ".wal")
    if log.exists() and log.stat().st_size:
        raise WarehouseError(f"{path} was changed by another program just now; nothing was compacted, run it again")


def _rewrite(con: Connection, draft: Path) -> None:
    """Copy everything into the draft and make sure that it is there."""
    (source,) = con.execute("SELECT current_database()").fetchone() or ("",)
    con.execute(f"ATTACH '{str(draft).replace(chr(39), chr(39) * 2)}' AS compacted (READ_WRITE)")
    con.execute(f'COPY FROM DATABASE "{source}" TO compacted')
    if _counts(con, source) != _counts(con, "compacted"):
        raise WarehouseError(f"{draft}: the copy has not the rows of the warehouse; the warehouse stays as it is")
    con.execute("DETACH compacted")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


def _counts(con: Connection, database: str) -> dict[str, int]:
    tables = [row[0] for row in con.execute(_TABLES, [database]).fetchall()]
    counted = (con.execute(f'SELECT count(*) FROM "{database}".main."{table}"').fetchone() for table in tables)  # noqa: S608
    return {table: row[0] for table, row in zip(tables, counted, strict=True) if row}

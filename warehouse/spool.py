"""The spool: loads wait here as folders of JSON lines until the short transaction that stores them.

A folder with its final name is complete; anything under `work/` belongs to a pass that is running or was killed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def new_id() -> str:
    """Return an id that sorts by time: microseconds of UTC and four random bytes."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def iso(when: datetime) -> str:
    """Return a time in UTC as the spool and the warehouse write it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def work_folder(data: Path) -> Path:
    """Return the empty work folder of a new pass; what a killed pass left there is dropped, its entries are pending."""
    work = data / "spool" / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    return work


def write_load(data: Path, run_id: str, kind: str, tables: Rows) -> Path:
    """Write one load durably and return its folder; a crash before the rename leaves nothing to load."""
    load_id = new_id()
    draft = data / "spool" / "work" / load_id
    draft.mkdir(parents=True, mode=0o700)
    for table, rows in tables.items():
        # Half a surrogate pair is no Unicode: DuckDB refuses the whole file for it, so it becomes a question mark.
        with (draft / f"{table}.jsonl").open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    head = {"load_id": load_id, "run_id": run_id, "kind": kind, "created_at": iso(datetime.now(UTC))}
    (draft / "load.json").write_text(json.dumps(head), encoding="utf-8")
    final = data / "spool" / load_id
    draft.rename(final)
    return final


def ready_loads(data: Path) -> list[Path]:
    """Return the complete loads, oldest first."""
    return sorted(path.parent for path in (data / "spool").glob("*/load.json") if path.parent.name != "work")

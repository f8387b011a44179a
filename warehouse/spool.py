"""The spool: loads wait here as folders of JSON lines until the short transaction that stores them.

A load is dealt first, which makes its folder under `work/`; a folder beside `work/` is complete. Loads are stored in
the order in which they were dealt, also after a kill.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ASIDE = "spool-quarantine"
STAMP = "%Y%m%dT%H%M%S%f"
Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def new_id(after: str = "") -> str:
    """Return an id that sorts by time: microseconds of UTC and four random bytes.

    It sorts behind the id `after`, also where the clock was set back since.
    """
    moment = f"{datetime.now(UTC):{STAMP}}"
    if moment <= (newest := after[: len(moment)]):
        with suppress(ValueError):  # an id that somebody else made
            moment = f"{datetime.strptime(newest, STAMP).replace(tzinfo=UTC) + timedelta(microseconds=1):{STAMP}}"
    return f"{moment}-{secrets.token_hex(4)}"


def iso(when: datetime) -> str:
    """Return a time in UTC as the spool and the warehouse write it."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def work_folder(data: Path) -> Path:
    """Return the empty work folder of a new pass; what a killed pass left there is dropped, its entries are pending."""
    work = data / "spool" / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    return work


def deal(data: Path) -> Path:
    """Make the work folder of the next load and return it. Its name is the load's id; ids sort in the order of dealing."""
    work = data / "spool" / "work"
    folder = work / new_id(after=max((path.name for path in work.glob("*")), default=""))
    folder.mkdir(parents=True, mode=0o700)
    return folder


def write_load(work: Path, run_id: str, kind: str, tables: Rows) -> Path:
    """Write the load that `work` was dealt for, durably, and return its folder in the spool.

    A crash before the rename leaves nothing to load.
    """
    draft = work / "load"
    draft.mkdir(mode=0o700)
    for table, rows in tables.items():
        # Half a surrogate pair is no Unicode: DuckDB refuses the whole file for it, so it becomes a question mark.
        with (draft / f"{table}.jsonl").open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    head = {"load_id": work.name, "run_id": run_id, "kind": kind, "created_at": iso(datetime.now(UTC))}
    (draft / "load.json").write_text(json.dumps(head), encoding="utf-8")
    final = work.parent.parent / work.name
    draft.rename(final)
    return final


def ready_loads(data: Path) -> list[Path]:
    """Return the complete loads in the order of dealing."""
    return sorted(path.parent for path in (data / "spool").glob("*/load.json") if path.parent.name != "work")


def in_order(data: Path) -> list[Path]:
    """Return the complete loads up to the first that was dealt and is not complete."""
    ready = ready_loads(data)
    dealt = (path.name for path in (data / "spool" / "work").glob("*"))
    gap = min(set(dealt) - {path.name for path in ready}, default=None)
    return [path for path in ready if gap is None or path.name < gap]


def drop_early(data: Path) -> list[str]:
    """Drop the complete loads that were dealt after one that a killed pass did not complete; return their ids.

    They would be loaded out of order, and the order decides which of two addresses of one document wins. Their entries
    are pending still, so the next pass does them again.
    """
    early = sorted(set(ready_loads(data)) - set(in_order(data)))
    for path in early:
        shutil.rmtree(path)
    return [path.name for path in early]


def drop_halves(data: Path) -> None:
    """Drop what is left of loads whose dropping was cut short: a load appears whole, so one without its head is stored."""
    for folder in (data / "spool").glob("*"):
        if folder.name != "work" and not (folder / "load.json").exists():
            drop_load(folder)


def drop_load(folder: Path) -> None:
    """Drop a stored load and its work folder, in the order that a kill in between does no harm."""
    shutil.rmtree(folder)
    shutil.rmtree(folder.parent / "work" / folder.name, ignore_errors=True)


def set_aside(data: Path, folder: Path) -> Path:
    """Move a load that breaks the contract out of the way and return where it is: it must not stop every later pass."""
    aside = data / ASIDE / folder.name
    aside.parent.mkdir(exist_ok=True, mode=0o700)
    folder.rename(aside)
    return aside


def loads_set_aside(data: Path) -> list[str]:
    """Return the ids of the loads that were set aside."""
    return sorted(path.name for path in (data / ASIDE).glob("*"))

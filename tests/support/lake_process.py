"""A process of its own at a lake: `python -m tests.support.lake_process WORK TARGET [FOLDER]`; says `ready` when it begins.

WORK is `load` (every load in FOLDER), `pass` (hold the pass lock), `read` (read until standard input ends, then print what
was seen as JSON) or `merge` (merge files, print documents and faults).
"""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from warehouse.connect import fetch_rows, reading
from warehouse.ducklake import compact
from warehouse.load import load_folder
from warehouse.lock import pass_lock
from warehouse.query import run_checks

SEEN = """
    SELECT (SELECT count(*) FROM entry) AS entries, (SELECT coalesce(sum(fresh), 0)::BIGINT FROM poll) AS fresh,
        (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM relevance_label) AS labels
"""


def load(target: str, folder: str) -> None:
    for each in sorted(Path(folder).iterdir()):
        load_folder(target, each)
        print(each.name, flush=True)


def hold(target: str) -> None:
    with pass_lock(target):
        print("held", flush=True)
        sys.stdin.read()


def read(target: str) -> None:
    """Ask twice within one reading: the two answers must be one state."""
    seen = []
    while True:
        with reading(target) as con:
            first, last = fetch_rows(con, SEEN)[0], fetch_rows(con, SEEN)[0]
        seen.append([first, last])
        print("read", flush=True)
        if select.select([sys.stdin], [], [], 0)[0]:
            break
    print(json.dumps(seen), flush=True)


def merge(target: str) -> None:
    compact(target, keep=timedelta(0), grace=timedelta(0))
    with reading(target) as con:
        print(json.dumps([fetch_rows(con, SEEN)[0]["documents"], run_checks(target)]), flush=True)


if __name__ == "__main__":
    works: dict[str, Callable[..., None]] = {"load": load, "pass": hold, "read": read, "merge": merge}
    print("ready", flush=True)
    works[sys.argv[1]](*sys.argv[2:])

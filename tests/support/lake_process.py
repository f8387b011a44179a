"""A process of its own at a lake: `python -m tests.support.lake_process WORK TARGET [FOLDER]`; says `ready` when it begins.

WORK is `load` (every load in FOLDER), `load-unlocked` (the same without waiting for a turn), `pass` (hold the pass lock) or
`read` (read until standard input ends, then print what was seen as JSON).
"""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse import connect
from warehouse.connect import fetch_rows, reading
from warehouse.load import load_folder
from warehouse.lock import pass_lock

SEEN = """
    SELECT (SELECT count(*) FROM entry) AS entries, (SELECT coalesce(sum(fresh), 0)::BIGINT FROM poll) AS fresh,
        (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM relevance_label) AS labels
"""


def load(target: str, folder: str) -> None:
    for each in sorted(Path(folder).iterdir()):
        load_folder(target, each)
        print(each.name, flush=True)


def load_unlocked(target: str, folder: str) -> None:
    @contextmanager
    def no_turn(*_: object) -> Iterator[None]:
        yield

    connect.ducklake.exclusive = no_turn  # as if the connection that held the lock had been lost
    load(target, folder)


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


if __name__ == "__main__":
    work = {"load": load, "load-unlocked": load_unlocked, "pass": hold, "read": read}[sys.argv[1]]
    print("ready", flush=True)
    work(*sys.argv[2:])

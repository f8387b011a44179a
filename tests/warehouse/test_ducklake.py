"""A warehouse in DuckLake: several processes write at once, one is killed, files are merged; nothing is lost, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import WarehouseBusy, WarehouseConflict
from tests.support.store import Store, document_rows, done, entry, poll
from warehouse.connect import writing
from warehouse.ducklake import attached, compact
from warehouse.lock import pass_lock
from warehouse.query import run_checks

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


class Process:
    """One of `tests.support.lake_process`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def rest(self) -> str:
        """Let it end, and return what it still had to say."""
        said, _ = self.process.communicate()
        assert self.process.returncode == 0
        return said


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "tests.support.lake_process", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            one = Process(started)
            assert one.line() == "ready"
            yield one
        finally:
            started.kill()


def writers_loads(folder: Path, writer: int, loads: int) -> Path:
    """Loads of one of several writers: each offers an entry of its own and one that all offer, and documents of both."""
    own = Store(folder / f"writer-{writer}")
    for n in range(loads):
        name = f"{writer}-{n}"
        own.prepare("poll", poll=[poll(f"p{name}", "f1", offered=2)], entry=[entry(f"e{name}"), entry(f"same-{n}", 1)])
        for each in (name, f"same-{n}"):
            entry_id = each if each.startswith("same") else f"e{each}"
            own.prepare("documents", entry=[done(entry_id, f"d{each}")], **document_rows(f"d{each}", entry_id))
    return own.spool


@pytest.mark.parametrize("store", ["lake"], indirect=True)
def test_four_writers_an_analyst_and_a_merger_of_files_at_once(store: Store, tmp_path: Path) -> None:
    spools = [writers_loads(tmp_path, writer, 2) for writer in range(4)]
    with ExitStack() as stack:
        analyst = stack.enter_context(process("read", store.target))
        assert analyst.line() == "read"
        writers = [stack.enter_context(process("load", store.target, str(spool))) for spool in spools]
        writers[0].line()
        writers[0].process.kill()  # in the middle of its second load
        compact(store.target, keep=timedelta(0))
        again = stack.enter_context(process("load", store.target, str(spools[0])))
        for writer in [*writers[1:], again]:
            writer.rest()
        merged = compact(store.target, keep=timedelta(0))
        seen = json.loads(analyst.rest().splitlines()[-1])
    assert merged["merged"] > 0
    assert all(first == last for first, last in seen), "one reading, one state"
    assert all(each["entries"] == each["fresh"] for each, _ in seen), "no half of a poll"
    assert all(each["documents"] == each["labels"] for each, _ in seen), "no half of a document"
    assert [each["entries"] for each, _ in seen] == sorted(each["entries"] for each, _ in seen)
    assert len(seen) > 2
    names = {name for spool in spools for name in (path.name for path in spool.iterdir())}
    assert {row["load_id"] for row in store.rows("SELECT load_id FROM load")} >= names
    assert store.rows("SELECT count(*) AS n FROM entry") == [{"n": 4 * 2 + 2}]
    assert store.rows("SELECT outcome, count(*)::INTEGER AS n FROM entry GROUP BY ALL") == [
        {"outcome": "loaded", "n": 10}
    ]
    assert store.rows("SELECT count(*) AS n FROM document") == [{"n": 10}]
    assert run_checks(store.target) == {}


@pytest.mark.parametrize("store", ["lake"], indirect=True)
def test_without_a_turn_the_second_of_two_loads_is_done_again(store: Store, tmp_path: Path) -> None:
    spools = [writers_loads(tmp_path, writer, 1) for writer in range(3)]
    with ExitStack() as stack:
        for writer in [stack.enter_context(process("load-unlocked", store.target, str(spool))) for spool in spools]:
            writer.rest()
    assert store.rows("SELECT count(*) AS n FROM entry") == [{"n": 4}]
    assert run_checks(store.target) == {}


@pytest.mark.parametrize("store", ["lake"], indirect=True)
def test_a_conflict_rolls_back_and_is_named(store: Store) -> None:
    with pytest.raises(WarehouseConflict, match=r"wrote to lake .* first"), writing(store.target) as con:
        con.execute("UPDATE feed SET etag = 'mine'")
        with attached(store.target, read_only=False) as other:  # one that waits for no turn
            other.execute("UPDATE feed SET etag = 'theirs'")
    assert store.rows("SELECT DISTINCT etag FROM feed") == [{"etag": "theirs"}]


@pytest.mark.parametrize("store", ["lake"], indirect=True)
def test_one_pass_at_a_time_and_a_killed_one_frees_the_lock(store: Store) -> None:
    with process("pass", store.target) as holder:
        assert holder.line() == "held"
        who = f"stancewatch pass: process {holder.process.pid}"
        with pytest.raises(WarehouseBusy, match=who), pass_lock(store.target):
            pytest.fail("two passes at once")
        with pass_lock(store.target, "1/2"), pass_lock(store.target, "2/2"):
            pass
        holder.process.kill()
        holder.process.wait()
        with pass_lock(store.target), pytest.raises(WarehouseBusy), pass_lock(store.target):
            pytest.fail("two passes at once in one process")

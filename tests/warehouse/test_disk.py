"""What the world does to files: a full disk, a torn copy, a truncated load, a reader who never closes. The last good state stays."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import duckdb
import pytest

from flows.stages import load_leftovers
from pipeline.errors import WarehouseError, WarehouseFull
from tests.support.store import Store, document_rows, done, entry, merged, poll
from warehouse.backup import backup
from warehouse.compact import compact
from warehouse.connect import published_path
from warehouse.load import load_folder
from warehouse.publish import publish
from warehouse.query import run_checks, run_query
from warehouse.restore import check
from warehouse.spool import deal, ready_loads, write_load

MOST = 200  # documents of the big load: several times what the limit leaves


def big_load(store: Store, n: int = MOST) -> dict[str, Any]:
    """Load so many entries; return the documents load that belongs to them, with texts that do not compress."""
    store.load("poll", poll=[poll("big", "f1", offered=n)], entry=[entry(f"b{i}", i) for i in range(n)])
    rows = merged(*(document_rows(f"b{i}", f"b{i}") for i in range(n)))
    lot = random.Random(0)
    for row in rows["document_text"]:
        row["text"] += "".join(map(chr, lot.choices(range(0x4E00, 0x9E00), k=5000)))
    return {"entry": [done(f"b{i}", f"b{i}") for i in range(n)], **rows}


class Beside(subprocess.Popen[str]):
    """Python beside the test, which reads what it prints."""

    stdin: IO[str]
    stdout: IO[str]


@contextmanager
def process(code: str, *arguments: str) -> Iterator[Beside]:
    """Run Python beside the test; it ends with the test at the latest."""
    command = [sys.executable, "-c", code, *arguments]
    with Beside(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what a full disk is to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_load_that_finds_the_disk_full_leaves_what_was_and_can_be_repeated(filled: Store, tmp_path: Path) -> None:
    known = {name: run_query(filled.target, name) for name in ("outcomes", "coding_sample")}
    folder = filled.prepare("documents", "run-1", **big_load(filled))
    known["outcomes"] = run_query(filled.target, "outcomes")
    data = tmp_path / "data"
    (data / "spool").mkdir(parents=True)
    folder.rename(data / "spool" / folder.name)
    with full_disk(1_000_000), pytest.raises(WarehouseFull, match="the disk takes no more"):
        load_leftovers(filled.target, data)
    assert [path.name for path in ready_loads(data)] == [folder.name], (
        "a good load is not set aside for the disk's sake"
    )
    assert {name: run_query(filled.target, name) for name in known} == known
    assert run_checks(filled.target) == {}
    assert load_leftovers(filled.target, data) == 1
    assert filled.rows("SELECT count(*) AS n FROM document") == [{"n": MOST + 2}]
    assert run_checks(filled.target) == {}


def size_of(store: Store) -> int:
    return Path(store.target).stat().st_size


def publish_it(store: Store, goal: Path) -> None:
    publish(store.target)


def back_it_up(store: Store, goal: Path) -> None:
    backup(store.target, Path(store.target).parent, goal, force=True)


def compact_it(store: Store, goal: Path) -> None:
    compact(store.target)


@pytest.mark.parametrize("write", [publish_it, back_it_up, compact_it])
def test_a_copy_that_finds_the_disk_full_leaves_the_old_one(filled: Store, tmp_path: Path, write: Callable[[Store, Path], None]) -> None:  # fmt: skip
    goal = tmp_path / "backup"
    publish(filled.target)
    back_it_up(filled, goal)
    first = check(goal)
    filled.load("documents", "run-1", **big_load(filled, 100))
    with full_disk(size_of(filled) // 2), pytest.raises(WarehouseFull, match="the disk takes no more"):
        write(filled, goal)
    with duckdb.connect(str(published_path(filled.target)), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM document").fetchone() == (2,)
    assert check(goal) == first
    assert list(tmp_path.glob(".*")) == [], "no draft is left to fill the disk for good"
    assert filled.rows("SELECT count(*) AS n FROM document") == [{"n": 102}]
    write(filled, goal)
    assert run_checks(filled.target) == {}


def test_a_torn_published_copy_is_named_and_the_next_publication_mends_it(filled: Store) -> None:
    copy = publish(filled.target)
    whole = copy.read_bytes()
    for torn in (whole[: len(whole) // 2], b"", b"\0" * len(whole)):
        copy.write_bytes(torn)
        with pytest.raises(WarehouseError, match=r"w\.published\.duckdb"):
            run_query(filled.target, "outcomes")
        publish(filled.target)
        assert len(run_query(filled.target, "outcomes")[1]) == 1


@pytest.mark.parametrize("torn", ["entry.jsonl", "load.json"])
def test_a_truncated_load_is_set_aside_whole_and_stops_nobody(filled: Store, tmp_path: Path, torn: str) -> None:
    """Its entries wait in the warehouse: a load of documents is made again from them."""
    data = tmp_path / "data"
    tables = {"poll": [poll("p8", "f1", offered=2)], "entry": [entry("e8"), entry("e9", 1)]}
    bad, good = (write_load(deal(data), "run-2", kind, rows) for kind, rows in (("poll", tables), ("feeds", {})))
    whole = (bad / torn).read_bytes()
    (bad / torn).write_bytes(whole[: len(whole) - 20])
    load_leftovers(filled.target, data)
    assert not good.exists()
    assert (data / "spool-quarantine" / bad.name / torn).read_bytes() == whole[: len(whole) - 20]
    assert filled.rows("SELECT 1 FROM entry WHERE entry_id IN ('e8', 'e9')") == []
    assert filled.rows("SELECT 1 FROM poll WHERE poll_id = 'p8'") == [], (
        "nothing of it is stored, its validators neither"
    )
    assert run_checks(filled.target) == {}


KEEPER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
while True:
    print(con.execute("SELECT count(*) FROM document").fetchone()[0], flush=True)
    sys.stdin.readline()
"""
WATCHER = """
import duckdb, sys
seen = set()
while 42 not in seen:
    with duckdb.connect(sys.argv[1], read_only=True) as con:
        documents, labels, texts, entries = (con.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in (
            "document", "relevance_label", "document_text", "entry WHERE outcome = 'loaded'"))
    assert documents == labels == texts == entries, (documents, labels, texts, entries)
    if documents not in seen:
        print(documents, flush=True)
    seen.add(documents)
"""


def test_a_reader_never_stops_a_load_and_never_sees_half_of_one(filled: Store) -> None:
    """One session stays open all the time, others come and go; each load brings ten documents."""
    copy = str(publish(filled.target))
    with process(KEEPER, copy) as keeper, process(WATCHER, copy) as watcher:
        assert (keeper.stdout.readline(), watcher.stdout.readline()) == ("2\n", "2\n")
        for n in range(4):
            names = [f"r{n}{i}" for i in range(10)]
            filled.load("poll", poll=[poll(f"r{n}", "f1", offered=10)], entry=[entry(name) for name in names])
            rows = merged(*(document_rows(name, name) for name in names))
            folder = filled.prepare("documents", "run-1", entry=[done(name, name) for name in names], **rows)
            assert load_folder(filled.target, folder, wait=0)["document"] == 10
            publish(filled.target)
        seen = [int(line) for line in watcher.stdout]
        assert watcher.wait() == 0
        keeper.stdin.write("\n")
        keeper.stdin.flush()
        assert keeper.stdout.readline() == "2\n", "an open session keeps the copy that it has"
    assert seen[-1] == 42
    assert {n % 10 for n in seen} == {2}


COMPACTOR = """
import sys
from warehouse.compact import compact
print("ready", flush=True)
for _ in range(6):
    compact(sys.argv[1])
"""


def test_loads_of_another_process_during_compaction_are_all_there(filled: Store) -> None:
    folders = [filled.prepare("poll", poll=[poll(f"x{n}", "f1", offered=1)], entry=[entry(f"x{n}")]) for n in range(12)]
    with process(COMPACTOR, filled.target) as compactor:
        compactor.stdout.readline()
        for folder in folders:
            load_folder(filled.target, folder)
        assert compactor.wait() == 0
    assert filled.rows("SELECT count(*) AS n FROM entry WHERE entry_id LIKE 'x%'") == [{"n": 12}]
    assert filled.rows("SELECT count(*) AS n FROM duckdb_tables() WHERE comment IS NULL") == [{"n": 0}]
    assert run_checks(filled.target) == {}

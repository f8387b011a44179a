"""The published copy: whoever reads it disturbs nobody and is not disturbed; the pass lock ends with its process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import duckdb
import pytest

from pipeline.errors import WarehouseBusy, WarehouseError
from tests.support.store import Store, document_rows, done, entry, human, poll
from warehouse.load import finish_run, load_folder
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import run_query

READER = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(json.dumps(con.execute(line).fetchall()), flush=True)
"""
HOLDER = """
import sys, time
from warehouse.lock import pass_lock
with pass_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


class Reader:
    """An analyst's session in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, sql: str) -> list[list[object]]:
        """Return the rows of one query."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()
        rows: list[list[object]] = json.loads(self.process.stdout.readline())
        return rows


@pytest.fixture
def reader(filled: Store) -> Iterator[Reader]:
    """A session on the published copy that has read once."""
    command = [sys.executable, "-c", READER, str(publish(filled.target))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        reader = Reader(process)
        assert reader.ask("SELECT count(*) FROM document") == [[2]]
        yield reader
        process.kill()


def test_an_open_reader_and_a_pass_do_not_disturb_each_other(filled: Store, reader: Reader) -> None:
    for n in range(10, 15):
        filled.load("poll", poll=[poll(f"p{n}", "f1", offered=1)], entry=[entry(f"e{n}")])
        filled.load("documents", entry=[done(f"e{n}", f"d{n}")], **document_rows(f"d{n}", f"e{n}"))
        publish(filled.target)
        assert reader.ask("SELECT count(*) FROM document_current") == [[2]]
        assert reader.ask("SELECT sum(length(text)) > 0 FROM document_text") == [[True]]
        with duckdb.connect(str(publish(filled.target)), read_only=True) as con:
            assert con.execute("SELECT count(*) FROM document").fetchone() == (2 + n - 9,)


def test_the_copy_is_whole_and_plain(filled: Store) -> None:
    filled.load("human", human_label=[human("d1", "ada", "favor")])
    finish_run(filled.target, "run-1", datetime.now(UTC), {})
    copy = publish(filled.target)
    assert copy.name == "w.published.duckdb"
    assert sorted(path.name for path in copy.parent.iterdir()) == [
        *("spool", "w.duckdb", "w.duckdb.publish.lock", "w.duckdb.write.lock", "w.published.duckdb")
    ]
    with duckdb.connect(str(copy), read_only=True) as con:
        views = [row[0] for row in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()]
        assert len(views) >= 8
        for view in views:  # with the settings of a plain session
            assert con.execute(f"SELECT * FROM {view}").fetchall(), view
        assert con.execute("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL").fetchone() != (0,)


def test_what_lies_beside_the_old_copy_does_not_break_the_new_one(filled: Store) -> None:
    copy = publish(filled.target)
    copy.with_name(copy.name + ".wal").write_bytes(b"of another file")
    killed = copy.with_name(f".{copy.name}.1.tmp")
    killed.write_bytes(b"half a copy")
    publish(filled.target)
    assert run_query(filled.target, "outcomes")[1]
    assert not killed.exists()


def test_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no warehouse at"):
        publish(str(tmp_path / "w.duckdb"))
    assert list(tmp_path.iterdir()) == []


def test_one_pass_at_a_time_and_a_killed_one_frees_the_lock(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, store.target], stdout=subprocess.PIPE, text=True) as holder:
        output: IO[str] | None = holder.stdout
        assert output is not None
        assert output.readline() == "held\n"
        with pytest.raises(WarehouseBusy, match=f"process {holder.pid}"), pass_lock(store.target):
            pytest.fail("two passes at once")
        holder.kill()
        holder.wait()
        with pass_lock(store.target):
            assert Path(store.target + ".pass.lock").exists()
            with pytest.raises(WarehouseBusy), pass_lock(store.target):
                pytest.fail("two passes at once in one process")
    with pass_lock(store.target):
        pass


def test_publishers_and_a_writer_at_once(filled: Store) -> None:
    folders = [filled.prepare("poll", poll=[poll(f"x{n}", "f1", offered=1)], entry=[entry(f"x{n}")]) for n in range(8)]
    with ThreadPoolExecutor(3) as pool:
        jobs: list[Future[Any]] = [pool.submit(publish, filled.target) for _ in range(4)]
        jobs += [pool.submit(load_folder, filled.target, folder) for folder in folders]
        for job in jobs:
            job.result()
    with duckdb.connect(str(publish(filled.target)), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM entry").fetchone() == (12,)


def test_the_copy_is_its_owners_alone_until_somebody_lets_others_read_it(filled: Store) -> None:
    copy = publish(filled.target)
    assert copy.stat().st_mode & 0o777 == 0o600
    copy.chmod(0o640)
    assert publish(filled.target).stat().st_mode & 0o777 == 0o640

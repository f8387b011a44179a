"""A warehouse in DuckLake: several processes write at once, one is killed, files are merged; nothing is lost, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigError, WarehouseBusy, WarehouseConflict, WarehouseError
from pipeline.settings import LAKE, load_settings
from tests.support.bucket import serve_bucket
from tests.support.store import Store, document_rows, done, entry, feed, human, outlet, poll
from warehouse import ducklake, load
from warehouse.backup import backup
from warehouse.connect import Connection, target_name, warehouse_path, writing
from warehouse.ducklake import attached, compact, exists
from warehouse.load import finish_run
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import run_checks, run_query
from warehouse.result import as_parquet

IN_LAKE = pytest.mark.parametrize("store", ["lake"], indirect=True)


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


@IN_LAKE
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


@IN_LAKE
def test_a_load_that_another_one_overtook_is_done_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both only add rows, which DuckLake would take from both."""
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    store.load("documents", entry=[done("e1", "d1")], **document_rows("d1", "e1"))
    first, second = (store.prepare("human", human_label=[human("d1", "ada", "favor")]) for _ in range(2))
    write, tries = load._write, []

    def overtaken(con: Connection, head: Mapping[str, str]) -> None:
        write(con, head)
        tries.append(head["load_id"])
        if tries == [first.name]:
            assert load.load_folder(store.target, second) == {"human_label": 1}

    monkeypatch.setattr(load, "_write", overtaken)
    monkeypatch.setattr(ducklake, "exclusive", lambda *_: nullcontext())  # as if the lock had been lost
    assert load.load_folder(store.target, first) == {}
    assert tries == [first.name, second.name, first.name]
    assert store.rows("SELECT count(*) AS n FROM human_label") == [{"n": 1}]
    assert store.rows("SELECT count(*) AS n FROM load WHERE kind = 'human'") == [{"n": 2}]


def conflict(target: str) -> None:
    """Write, and before the commit have another one write who waited for no turn."""
    with writing(target) as con:
        con.execute("UPDATE feed SET etag = 'mine'")
        with attached(target, read_only=False) as other:
            other.execute("UPDATE feed SET etag = 'theirs'")


@IN_LAKE
def test_a_conflict_rolls_back_and_is_named(store: Store) -> None:
    with pytest.raises(WarehouseConflict, match=r"wrote to lake .* first"):
        conflict(store.target)
    assert store.rows("SELECT DISTINCT etag FROM feed") == [{"etag": "theirs"}]


@IN_LAKE
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


@IN_LAKE
def test_readers_read_the_lake_itself(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    finish_run(store.target, "run-1", datetime.now(UTC), {})
    assert str(publish(store.target)) == target_name(store.target)
    assert len(run_query(store.target, "outcomes")[1]) == 1
    assert as_parquet(store.target, "outcomes", {})[1].startswith(b"PAR1")


@IN_LAKE
def test_merging_leaves_every_row_and_drops_what_is_of_no_use(store: Store, tmp_path: Path) -> None:
    for n in range(4):
        store.load("poll", poll=[poll(f"p{n}", "f1", offered=1, etag=f"v{n}")], entry=[entry(f"e{n}")])
        store.load("documents", entry=[done(f"e{n}", f"d{n}")], **document_rows(f"d{n}", f"e{n}"))
    before, files = store.rows("SELECT * FROM document_current ORDER BY ALL"), len(list(tmp_path.rglob("*.parquet")))
    left = tmp_path / "lake" / "main" / "entry" / "of-a-killed-writer.parquet"
    left.write_bytes(b"half a file")
    done_here = compact(store.target, keep=timedelta(0), grace=timedelta(0))
    assert all(done_here[what] > 0 for what in ("merged", "expired", "deleted", "orphaned")), done_here
    assert not left.exists()
    assert len(list(tmp_path.rglob("*.parquet"))) < files / 2
    assert store.rows("SELECT * FROM document_current ORDER BY ALL") == before
    assert run_checks(store.target) == {}


def test_files_in_a_bucket(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.prepare("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    store.prepare("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    store.prepare("documents", entry=[done("e1", "d1")], **document_rows("d1", "e1"))
    with serve_bucket() as bucket:
        names = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1",
                 "DUCKDB_S3_ENDPOINT": bucket.host, "DUCKDB_S3_USE_SSL": "false", "STANCEWATCH_LAKE_DATA": "s3://watch/lake"}  # fmt: skip
        for name, value in names.items():
            monkeypatch.setenv(name, value)
        with process("load", lake, str(store.spool)) as loader:
            assert len(loader.rest().splitlines()) == 3
        put = set(bucket.objects)
        with process("merge", lake) as merger:
            assert json.loads(merger.rest()) == [1, {}]
    assert any(path.startswith("/watch/lake/main/document_text/") for path in bucket.objects)
    assert put - set(bucket.objects), "files of no use are deleted"
    assert bucket.signed_by == {"reader"}
    assert not (tmp_path / "lake").exists()


def test_what_is_wrong_with_a_target_is_said_without_its_password(tmp_path: Path, lake: str) -> None:
    with pytest.raises(ConfigError, match="set PGPASSWORD"):
        load_settings(warehouse="ducklake:postgresql://me:geheim@db/x")  # and the prefix forgotten
    for text in ("dbname=x password=geheim", "postgresql://me:geheim@db/x"):
        for refuse in (lambda target: load_settings(warehouse=target), lambda target: run_query(target, "outcomes")):
            with pytest.raises(ConfigError, match="set PGPASSWORD") as caught:
                refuse(LAKE + text)
            assert "geheim" not in str(caught.value)
    with pytest.raises(ConfigError, match="connection string of libpq"):
        run_query(f"{LAKE}geheim", "outcomes")
    with pytest.raises(WarehouseError, match="cannot be reached"):
        Store(tmp_path, f"{LAKE}dbname=x host={tmp_path}").load("feeds", outlet=[], feed=[])
    with pytest.raises(WarehouseError, match=r"no warehouse in lake .*stancewatch run"):
        run_query(lake, "outcomes")
    for needs_a_file in (warehouse_path, lambda target: backup(target, tmp_path, tmp_path / "backup")):
        with pytest.raises(ConfigError, match="is no file"):
            needs_a_file(lake)
    assert not exists(lake)


def test_a_missing_extension_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ducklake, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'stancewatch\[scale\]'"):
        ducklake.load_extension(duckdb.connect(), "ducklake")


def test_settings_of_a_lake() -> None:
    settings = load_settings(warehouse=f"{LAKE}dbname=x host=db.example", share="2/4")
    assert settings.data == Path("stancewatch-data/share-2-of-4").absolute()
    assert target_name(settings.warehouse) == "lake x at db.example"
    for wrong in ("0/2", "3/2", "1/0", "half"):
        with pytest.raises(ConfigError, match="share"):
            load_settings(share=wrong)


@IN_LAKE
def test_merging_beside_a_writer_without_a_turn_brings_no_old_row_back(store: Store) -> None:
    """With rows in the catalogue (DuckLake's default) both are committed, and the changed row is there twice."""
    for n in range(3):
        store.load("poll", poll=[poll(f"p{n}", "f1", offered=1)], entry=[entry(f"e{n}")])
    with attached(store.target, read_only=False) as writer, attached(store.target, read_only=False) as merger:
        for con in (writer, merger):
            con.execute("BEGIN")
        writer.execute("UPDATE entry SET attempts = 7 WHERE entry_id = 'e1'")
        merger.execute("FROM ducklake_merge_adjacent_files(current_database(), 'entry')").fetchall()
        writer.execute("COMMIT")
        with pytest.raises(duckdb.TransactionException, match="another transaction has deleted from it"):
            merger.execute("COMMIT")
    assert store.rows("SELECT entry_id, attempts FROM entry WHERE entry_id = 'e1'") == [
        {"entry_id": "e1", "attempts": 7}
    ]
    assert run_checks(store.target) == {}

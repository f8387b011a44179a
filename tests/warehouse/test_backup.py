"""Backup and restore: a destroyed warehouse comes back with its pending work; what is there is never overwritten unasked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigError, WarehouseBusy, WarehouseError
from pipeline.records import Page
from pipeline.warc.read import captures
from pipeline.warc.write import WarcFiles, note_of, write_pages
from tests.support.store import Store, document_rows, done, entry, poll
from warehouse.backup import MANIFEST, backup
from warehouse.load import load_folder
from warehouse.lock import pass_lock
from warehouse.query import run_checks
from warehouse.restore import check, restore
from warehouse.result import answer
from warehouse.spool import deal, ready_loads, write_load


def data_of(store: Store) -> Path:
    return Path(store.target).parent


def fill(store: Store) -> None:
    """Leave a prepared load, one that came before its turn, one that was set aside, and a page."""
    data = data_of(store)
    shutil.rmtree(store.spool)  # what the tests' loads came from
    write_load(deal(data), "run-2", "poll", {"poll": [poll("p8", "f1", offered=1)], "entry": [entry("e8")]})
    deal(data)
    write_load(deal(data), "run-2", "poll", {"poll": [poll("p9", "f1", offered=1)], "entry": [entry("e9")]})
    for path in (data / "spool-quarantine" / "x" / "entry.jsonl", data / "warc" / "2026" / "a.warc.gz"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"bytes of " + path.name.encode())
    os.utime(data / "warc" / "2026" / "a.warc.gz", (1, 1))


def answers(target: str) -> list[str]:
    return [answer(target, name, {}).as_json() for name in ("outcomes", "pending", "source_health", "coding_sample")]


def test_a_destroyed_warehouse_comes_back(filled: Store, tmp_path: Path) -> None:
    fill(filled)
    known, data, goal = answers(filled.target), data_of(filled), tmp_path / "backups" / "monday"
    prepared = [folder.name for folder in ready_loads(data)]
    made = backup(filled.target, data, goal)
    assert made.load_id == json.loads(known[0])["snapshot"]["load_id"]
    assert {path.stat().st_mode & 0o077 for path in (goal, *goal.rglob("*")) if path.is_file() or path == goal} == {0}
    for path in [*data.glob("w.*"), *data.glob("spool*"), data / "warc"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    restore(goal, filled.target, data)
    assert answers(filled.target) == known
    assert run_checks(filled.target) == {}
    assert [folder.name for folder in ready_loads(data)] == prepared[:1], "the other came before its turn"
    load_folder(filled.target, ready_loads(data)[0])
    assert filled.rows("SELECT count(*) AS n FROM entry WHERE entry_id = 'e8'") == [{"n": 1}]
    assert (data / "spool-quarantine" / "x" / "entry.jsonl").read_bytes() == b"bytes of entry.jsonl"
    page = data / "warc" / "2026" / "a.warc.gz"
    assert (page.read_bytes(), page.stat().st_mtime) == (b"bytes of a.warc.gz", 1)
    assert duckdb.connect(str(data / "w.published.duckdb"), read_only=True).execute("SELECT count(*) FROM document").fetchall() == [(2,)]  # fmt: skip
    assert [*data.rglob("*.tmp"), *goal.parent.rglob("*.tmp")] == []


def test_spool_and_pages_stay_out_where_nobody_wants_them(filled: Store, tmp_path: Path) -> None:
    fill(filled)
    made = backup(filled.target, data_of(filled), tmp_path / "b", spool=False, warc=False)
    assert list(made.files) == ["warehouse.duckdb"]
    assert made == check(tmp_path / "b")


def test_nothing_is_overwritten_unasked(filled: Store, tmp_path: Path) -> None:
    data, goal, other = data_of(filled), tmp_path / "b", tmp_path / "photos"
    first = backup(filled.target, data, goal)
    filled.load("poll", poll=[poll("p8", "f1", offered=1)], entry=[entry("e8")])
    for refused in (goal, other):
        other.mkdir(exist_ok=True)
        with pytest.raises(ConfigError, match="exists"):
            backup(filled.target, data, refused)
    with pytest.raises(ConfigError, match="it is no backup, so --force does not replace it"):
        backup(filled.target, data, other, force=True)
    with pytest.raises(ConfigError, match="--force replaces it"):
        restore(goal, filled.target, data)
    assert filled.rows("SELECT 1 AS n FROM entry WHERE entry_id = 'e8'") == [{"n": 1}]
    assert backup(filled.target, data, goal, force=True).load_id > first.load_id
    filled.load("documents", entry=[done("e8", "d8")], **document_rows("d8", "e8"))
    with pass_lock(filled.target), pytest.raises(WarehouseBusy):
        restore(goal, filled.target, data, force=True)
    restore(goal, filled.target, data, force=True)
    assert filled.rows("SELECT outcome FROM entry WHERE entry_id = 'e8'") == [{"outcome": "pending"}]
    assert run_checks(filled.target) == {}


def test_a_page_file_that_grows_meanwhile_is_mended_after_a_restore(filled: Store, tmp_path: Path) -> None:
    data = data_of(filled)
    page = Page(url="https://x.example/1", status=200, headers={"content-type": "text/html"}, body=b"<p>x", fetched_at=datetime.now(UTC))  # fmt: skip
    files = WarcFiles(data, 10**6)
    for name in ("1", "2"):
        write_pages(tmp_path / name, [page])
    name, begin = files.keep(tmp_path / "1")
    file = data / name
    note_of(file).write_text(str(file.stat().st_size))
    file.write_bytes(file.read_bytes() + (tmp_path / "2").read_bytes()[:100])  # as a pass is at it
    backup(filled.target, data, tmp_path / "b")
    shutil.rmtree(data / "warc")
    note_of(file).parent.mkdir(parents=True)
    note_of(file).write_text("7")  # of the file that is replaced
    restore(tmp_path / "b", filled.target, data, force=True)
    assert files.repair() == [file]
    assert [(capture.url, capture.offset) for capture in captures(file, 10**6)] == [(page.url, begin)]
    assert list(file.parent.iterdir()) == [file]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def elsewhere(manifest: Path) -> None:
    """Name a file outside of the backup."""
    manifest.write_text(manifest.read_text().replace("warc/2026", "../b/warc/2026"))


def test_a_backup_that_is_not_what_it_was_restores_nothing(filled: Store, tmp_path: Path) -> None:
    fill(filled)
    data, goal, known = data_of(filled), tmp_path / "b", answers(filled.target)
    backup(filled.target, data, goal)
    harms: list[tuple[str, Callable[[Path], object], type[Exception], str]] = [
        ("warehouse.duckdb", flip, WarehouseError, "not as they were backed up: warehouse.duckdb"),
        ("warc/2026/a.warc.gz", Path.unlink, WarehouseError, "a.warc.gz; nothing was restored"),
        (MANIFEST, Path.unlink, ConfigError, "is no backup"),
        (MANIFEST, lambda path: path.write_text('{"format": 9}'), ConfigError, "form 9"),
        (MANIFEST, elsewhere, WarehouseError, "not as they were backed up"),
    ]
    for number, (name, harm, error, words) in enumerate(harms):
        torn = Path(shutil.copytree(goal, tmp_path / f"torn{number}"))
        harm(torn / name)
        with pytest.raises(error, match=words):
            restore(torn, filled.target, data, force=True)
    assert answers(filled.target) == known


def test_a_backup_of_a_later_version_replaces_nothing(filled: Store, tmp_path: Path) -> None:
    data, known = data_of(filled), answers(filled.target)
    later = Store(tmp_path / "later")
    data_of(later).mkdir()
    later.load("feeds", outlet=[], feed=[])
    with duckdb.connect(later.target) as con:
        con.execute("INSERT INTO migration VALUES (9999, '9999_later.sql', 'x', now())")
    with duckdb.connect(later.target) as con:  # as that version would: ours refuses to open it for writing
        con.execute("CHECKPOINT")
    goal = tmp_path / "b"
    backup(filled.target, data, goal)
    shutil.copyfile(later.target, goal / "warehouse.duckdb")
    manifest = json.loads((goal / MANIFEST).read_text())
    manifest["files"]["warehouse.duckdb"]["sha256"] = hashlib.sha256(
        (goal / "warehouse.duckdb").read_bytes()
    ).hexdigest()
    (goal / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(WarehouseError, match="update stancewatch"):
        restore(goal, filled.target, data, force=True)
    assert answers(filled.target) == known


def test_a_backup_during_a_pass_is_what_some_load_left(filled: Store, tmp_path: Path) -> None:
    """Loads go on while it is made. What a load brings is in the copy as a whole, or waits in the copied spool."""
    data = data_of(filled)
    shutil.rmtree(filled.spool)
    folders = []
    for n in range(8):
        tables = {"poll": [poll(f"x{n}", "f1", offered=2)], "entry": [entry(f"x{n}"), entry(f"y{n}", 1)]}
        folders.append(write_load(deal(data), "run-2", "poll", tables))

    def store_all() -> None:
        for folder in folders:
            load_folder(filled.target, folder)
            shutil.rmtree(folder)

    with ThreadPoolExecutor(2) as pool:
        storing = pool.submit(store_all)
        copying = pool.submit(backup, filled.target, data, tmp_path / "b")
        storing.result()
        copying.result()
    other = Store(tmp_path / "other")
    restore(tmp_path / "b", other.target, data_of(other))
    polls = other.rows("SELECT count(*) AS n FROM poll WHERE poll_id LIKE 'x%'")[0]["n"]
    assert other.rows("SELECT count(*) AS n FROM entry WHERE entry_id LIKE 'x%' OR entry_id LIKE 'y%'") == [{"n": 2 * polls}]  # fmt: skip
    assert run_checks(other.target) == {}
    for folder in ready_loads(data_of(other)):
        load_folder(other.target, folder)
    assert other.rows("SELECT count(*) AS n FROM poll WHERE poll_id LIKE 'x%'") == [{"n": 8}]


def test_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no warehouse at"):
        backup(tmp_path / "w.duckdb", tmp_path, tmp_path / "b")
    with pytest.raises(ConfigError, match="is no backup"):
        restore(tmp_path / "none", tmp_path / "w.duckdb", tmp_path)
    assert list(tmp_path.iterdir()) == []

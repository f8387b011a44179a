"""Maintenance and erasure through the real parts: pages in WARC files, a batch through extraction and model, the command line."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from typer.testing import CliRunner, Result

from flows import stages
from flows.batches import write_fetched
from flows.cli import app
from flows.report.make import figures_of, make_report, standing_report
from flows.upkeep import erase, maintain
from pipeline.errors import ConfigError, WarehouseBusy, WarehouseError
from pipeline.records import Page, stable_id
from pipeline.settings import LAKE, Settings
from pipeline.warc.read import capture_at, read_warc
from tests.support.store import Store, entry, feed, outlet, poll
from warehouse.connect import connect
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import run_checks
from warehouse.spool import deal, new_id

NOW = datetime.now(UTC)
SAID = "The assembly asked every state to share what it knows about the new machines, and to write binding rules for AI together. "
URL = {name: f"https://news.example/{name}" for name in ("a", "b", "a-amp", "c", "d")}


def page(name: str, canonical: str | None = None) -> Page:
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    html = f"<html><head><title>Rules {name}</title>{link}</head><body><article><h1>Rules {name}</h1><p>{(SAID + name + '. ') * 5}</p></article></body></html>"
    return Page(url=URL[name], status=200, headers={"content-type": "text/html"}, body=html.encode(), fetched_at=NOW)


PAGES = {"a": page("a"), "b": page("b"), "a-amp": page("a-amp", URL["a"]), "c": page("c", URL["a"]), "d": page("d")}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    store = Store(tmp_path)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    return Settings(warehouse=store.target)


def work(settings: Settings, names: list[str]) -> None:
    """Do with these pages what a pass does with a batch once it is fetched."""
    store = Store(settings.data, settings.warehouse)
    entries = [entry(stable_id(URL[name]), n) | {"url": URL[name]} for n, name in enumerate(names)]
    store.load("poll", poll=[poll(new_id(), "f1", offered=len(names))], entry=entries)
    one = stages.Pass(settings, new_id())
    with pass_lock(settings.warehouse):
        for path in (settings.data / "spool").glob("*"):  # what the tests' own loads came from
            path.rename(settings.data / path.name)
        stages.take_over(one)
        folder = deal(settings.data)
        fresh: dict[str, Any] = {"attempts": 0, "document_id": None}
        write_fetched(folder, [{**each, **fresh} for each in entries], [PAGES[name] for name in names])
        with stages.network(one):
            stages.load(settings.warehouse, stages.label(one, stages.extract_batch(folder)))


def stored_pages(settings: Settings) -> list[str]:
    return sorted(url for path in (settings.data / "warc").rglob("*.gz") for url, _, _ in read_warc(path))


def page_of(settings: Settings, title: str) -> str:
    """Return the address of the page at the place that a document names."""
    (row,) = Store(settings.data).rows("SELECT warc_path FROM document WHERE title = $title", title=title)
    name, _, offset = row["warc_path"].partition("#")
    return capture_at(settings.data / name, int(offset), 10**6).url


def stancewatch(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_an_erased_document_is_gone_from_every_file_and_stays_away(settings: Settings) -> None:
    work(settings, ["a", "b"])
    work(settings, ["a-amp"])  # another address of a
    publish(settings.warehouse)
    report = make_report(settings, standing_report(settings), figures_of(settings))
    aside = settings.data / "spool-quarantine" / "x"
    aside.mkdir(parents=True)
    (aside / "document.jsonl").write_text(json.dumps({"document_id": stable_id(URL["a"])}))
    assert stored_pages(settings) == [URL["a"], URL["a-amp"], URL["b"]]
    done = stancewatch(
        "erase", "--document", URL["a"] + "#top", "--reason", "asked for", "--warehouse", settings.warehouse
    )
    assert done.exit_code == 0, done.output
    assert f"erased document {stable_id(URL['a'])} and 2 records" in done.stdout
    assert stored_pages(settings) == [URL["b"]]
    assert page_of(settings, "Rules b") == URL["b"], "its place is the same"
    assert not aside.exists()
    assert "Rules a" not in report.read_text(encoding="utf-8")
    with duckdb.connect(str(settings.data / "w.published.duckdb"), read_only=True) as con:
        assert con.execute("SELECT title, url FROM document ORDER BY title").fetchall() == [("Rules b", URL["b"]), (None, None)]  # fmt: skip
    work(settings, ["c", "d"])  # a later pass meets it under an address that was never seen
    assert stored_pages(settings) == [URL["b"], URL["d"]]
    assert page_of(settings, "Rules d") == URL["d"]
    assert Store(settings.data).rows("SELECT outcome, url, title FROM entry WHERE entry_id = $id", id=stable_id(URL["c"])) == [
        {"outcome": "duplicate", "url": None, "title": None}
    ]  # fmt: skip
    assert run_checks(settings.warehouse) == {}
    assert erase(settings, URL["a"], "again") == (stable_id(URL["a"]), 0), (
        "killed before the end, it can be started again"
    )
    every = b"".join(path.read_bytes() for path in settings.data.glob("w*.duckdb"))
    assert b"news.example/a" not in every
    assert b"news.example/b" in every
    with pytest.raises(ConfigError, match="is no document; nothing was erased"):
        erase(settings, "https://news.example/none", "asked for")


def test_maintenance_applies_retention_compacts_and_checks(settings: Settings) -> None:
    work(settings, ["a"])
    settings = Settings(warehouse=settings.warehouse, warc_size=1)
    work(settings, ["b"])  # in a file of its own
    old = min((settings.data / "warc").rglob("*.gz"))
    os.utime(old, (1, 1))
    with pass_lock(settings.warehouse), pytest.raises(WarehouseBusy):
        maintain(settings)
    done = maintain(settings)
    assert (done.removed, done.findings) == ({"warc": 1}, ())
    assert stored_pages(settings) == [URL["b"]]
    assert maintain(settings).removed == {}
    con = connect(settings.warehouse)
    con.execute("DELETE FROM document_text; UPDATE document SET fetched_at = '2001-01-01' WHERE title = 'Rules a'")
    con.close()
    said = stancewatch("maintenance", "--warehouse", settings.warehouse)
    assert said.exit_code == 1
    assert "labels_without_document: 2 rows break the rule “Text, labels and evidence belong to a stored document" in said.stderr  # fmt: skip
    assert "rules are broken" in said.stdout


def test_texts_go_by_the_setting(settings: Settings) -> None:
    work(settings, ["a", "b"])
    con = connect(settings.warehouse)
    con.execute("UPDATE document SET fetched_at = now() - INTERVAL 10 DAY WHERE title = 'Rules a'")
    con.close()

    def keeping(days: int) -> Settings:
        return Settings(warehouse=settings.warehouse, keep_text_days=days, keep_warc_days=0, keep_poll_days=0)

    assert maintain(keeping(11)).removed == {}
    assert maintain(keeping(0)).removed == {}
    done = maintain(keeping(9))
    assert (done.removed, done.findings) == ({"document_text": 1}, ())


def test_backup_and_restore_on_the_command_line(settings: Settings, tmp_path: Path) -> None:
    work(settings, ["a"])
    goal = str(tmp_path / "backup")
    assert stancewatch("backup", goal, "--warehouse", settings.warehouse).exit_code == 0
    assert stancewatch("backup", goal, "--warehouse", settings.warehouse).exit_code == 1
    assert stancewatch("restore", goal, "--warehouse", settings.warehouse).exit_code == 1
    other = tmp_path / "other" / "w.duckdb"
    done = stancewatch("restore", goal, "--warehouse", str(other))
    assert done.exit_code == 0, done.output
    assert stored_pages(Settings(warehouse=str(other))) == [URL["a"]]


def test_nothing_is_made_where_there_is_no_warehouse(tmp_path: Path) -> None:
    settings = Settings(warehouse=str(tmp_path / "w.duckdb"))
    with pytest.raises(WarehouseError, match="no warehouse at"):
        maintain(settings)
    with pytest.raises(WarehouseError, match="no warehouse at"):
        erase(settings, "x", "y")
    assert list(tmp_path.iterdir()) == []


def every_text(lake: str, files: Path) -> str:
    """Return all that a lake's files and its catalogue hold, as text."""
    with duckdb.connect() as con:
        rows = [con.execute("FROM read_parquet(?)", [str(path)]).fetchall() for path in files.rglob("*.parquet")]
    with psycopg.connect(lake.removeprefix(LAKE)) as catalogue:
        tables = catalogue.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows += [catalogue.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables]
    return repr(rows)


def test_a_lake_is_maintained_and_an_erased_document_is_in_none_of_its_files(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "stancewatch-data", lake)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    settings = Settings(warehouse=lake)
    work(settings, ["a", "b"])
    work(settings, ["d"])
    assert "Rules a" in every_text(lake, tmp_path / "lake"), "else this test cannot fail"
    assert maintain(settings).findings == ()
    assert erase(settings, URL["a"], "asked for") == (stable_id(URL["a"]), 1)
    assert stored_pages(settings) == [URL["b"], URL["d"]]
    left = every_text(lake, tmp_path / "lake")
    assert [word for word in ("Rules a", "news.example/a") if word in left] == []
    assert "Rules b" in left
    assert run_checks(lake) == {}
    assert erase(settings, URL["a"], "again") == (stable_id(URL["a"]), 0)

"""The whole way of the data through real parts: loopback servers, a real Prefect server, a real DuckDB file."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.demo_web import demo_web
from pipeline.events import load_events
from pipeline.feeds import feeds_toml
from warehouse.connect import fetch_rows, reading, writing
from warehouse.ducklake import attached
from warehouse.query import list_queries, run_checks, run_query

KILLS = 10


class Bench:
    """The demo's web, and passes over it in processes of their own."""

    def __init__(self, api: str, folder: Path, feeds: list[Any], hosts: list[str]) -> None:
        self.folder = folder
        self.listing = folder / "feeds.toml"
        self.listing.write_text(feeds_toml(feeds), encoding="utf-8")
        self.environment = {
            **os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "home"),
            "STANCEWATCH_ALLOW_HOSTS": json.dumps(hosts),
            "STANCEWATCH_BATCH_SIZE": "6",  # many batches in flight: a kill can leave a later one ready first
        }  # fmt: skip

    def start(self, warehouse: Path | str, **more: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "flows.cli",
            "run",
            "--all",
            "--feeds",
            str(self.listing),
            "--warehouse",
            str(warehouse),
        ]
        return subprocess.Popen(
            command, env={**self.environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, warehouse: Path) -> str:
        process = self.start(warehouse)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output


@pytest.fixture(scope="module")
def bench(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with demo_web() as (feeds, hosts):
        yield Bench(api, tmp_path_factory.mktemp("bench"), feeds, hosts)


@pytest.fixture(scope="module")
def undisturbed(bench: Bench) -> Path:
    warehouse = bench.folder / "undisturbed" / "w.duckdb"
    output = bench.run(warehouse)
    assert "Daily share" in output
    return warehouse


def ask(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def published(warehouse: Path) -> Path:
    return warehouse.with_suffix(".published.duckdb")


CONTENT = {
    "documents": "SELECT document_id, canonical_url, title, text_hash, outlet_id, lang FROM document ORDER BY ALL",
    "relevance": "SELECT document_id, p, label, abstain FROM relevance_label ORDER BY ALL",
    "topics": "SELECT document_id, topic, p, label FROM topic_label ORDER BY ALL",
    "stances": "SELECT document_id, target, p_favor, p_against, p_neutral, label, abstain FROM stance_label ORDER BY ALL",
    "evidence": "SELECT document_id, target, rank, sentence_start, sentence_end, text FROM evidence ORDER BY ALL",
    "stories": "SELECT document_id, story_id, parent_id, link, similarity FROM current_story ORDER BY ALL",
    "outcomes": "SELECT entry_id, outcome, reason FROM entry ORDER BY ALL",
    "winners": "SELECT document_id, entry_id, feed_id FROM document ORDER BY ALL",
}


def test_outcomes_add_up_and_the_checks_find_nothing(undisturbed: Path) -> None:
    ((offered, loaded, duplicate, rejected, pending),) = ask(
        undisturbed, "SELECT offered, loaded, duplicate, rejected, pending FROM run"
    )
    assert offered == loaded + duplicate + rejected + pending
    assert loaded >= 40
    assert duplicate >= 1
    assert rejected >= 2
    assert pending == 0
    assert {name: rows for name, rows in run_checks(str(undisturbed)).items() if rows} == {}
    reasons = {reason for (reason,) in ask(undisturbed, "SELECT DISTINCT reason FROM rejection")}
    assert "http_404" in reasons
    assert len(reasons) >= 2
    assert ask(undisturbed, "SELECT count(*) FROM poll WHERE outcome = 'error'") == [(1,)]


def test_the_agency_stories_of_the_web_are_linked_across_outlets_and_languages(undisturbed: Path) -> None:
    shared = (
        "SELECT documents, outlets, languages, first_known FROM story_origin WHERE documents > 1 ORDER BY languages"
    )
    assert ask(undisturbed, shared) == [(3, 3, 1, True), (3, 3, 2, True)]
    links = "SELECT link, count(*) FROM current_story WHERE link <> 'origin' GROUP BY link ORDER BY link"
    assert ask(undisturbed, links) == [("copy", 3), ("translation", 1)]
    assert ask(undisturbed, "SELECT count(*) FROM document ANTI JOIN story USING (document_id)") == [(0,)]


def test_what_a_pass_writes_is_its_owners_alone(undisturbed: Path) -> None:
    written = [undisturbed.parent, *undisturbed.parent.rglob("*")]
    assert [path for path in written if path.stat().st_mode & 0o077] == []
    assert any(path.name.endswith(".warc.gz") for path in written)


def test_hosts_and_schedules_are_kept(undisturbed: Path) -> None:
    ((feeds, scheduled),) = ask(
        undisturbed, "SELECT count(DISTINCT feed_id), (SELECT count(*) FROM feed_schedule) FROM poll"
    )
    assert feeds == scheduled
    ((hosts, requests),) = ask(undisturbed, "SELECT count(*), sum(requests) FROM host")
    ((pages,),) = ask(undisturbed, "SELECT count(*) FROM document")
    assert hosts >= 5
    assert requests > pages + feeds


def test_a_second_pass_loads_nothing_twice_while_a_reader_is_open(bench: Bench, undisturbed: Path) -> None:
    before = {name: ask(undisturbed, sql) for name, sql in CONTENT.items()}
    with duckdb.connect(str(published(undisturbed)), read_only=True) as reader:
        seen = reader.execute("SELECT count(*) FROM document").fetchall()
        bench.run(undisturbed)
        assert reader.execute("SELECT count(*) FROM document").fetchall() == seen
    assert {name: ask(undisturbed, sql) for name, sql in CONTENT.items()} == before


def test_the_events_of_the_file_are_rows_and_are_written_when_it_changes(undisturbed: Path) -> None:
    with reading(undisturbed) as con:
        stored = fetch_rows(con, "SELECT event_id, day, name FROM event ORDER BY day, name")
        (loads,) = fetch_rows(con, "SELECT count(*) AS n FROM load WHERE kind = 'events'")
    assert stored == [{"event_id": each.event_id, "day": each.day, "name": each.name} for each in load_events()]
    assert loads == {"n": 1}, "the second pass found them as they were"


def test_a_pass_killed_at_any_moment_and_repeated_ends_the_same(bench: Bench, undisturbed: Path) -> None:
    random_moment = random.Random(7)
    warehouse = bench.folder / "killed" / "w.duckdb"
    for _ in range(KILLS):
        process = bench.start(warehouse)
        time.sleep(random_moment.uniform(2, 12))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    bench.run(warehouse)
    for name, sql in CONTENT.items():
        assert ask(warehouse, sql) == ask(undisturbed, sql), name
    assert {name: rows for name, rows in run_checks(str(warehouse)).items() if rows} == {}


def test_where_nothing_can_be_reached_it_says_so_and_names_the_demo(bench: Bench) -> None:
    from tests.support.server import unused_port

    listing = bench.folder / "dark.toml"
    listing.write_text(
        '[[feed]]\nid = "dark"\n'
        f'url = "http://127.0.0.1:{unused_port()}/feed"\n'
        'outlet = "Dark"\ncountry = "KE"\nbloc = "global_south"\nlanguage = "en"\nownership = "private"\nkind = "news"\n'
    )
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        "--feeds",
        str(listing),
        "--warehouse",
        str(bench.folder / "d" / "d.duckdb"),
    ]
    done = subprocess.run(command, env=bench.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make demo" in done.stderr


def copied(lake: str, copy: Path) -> str:
    """Put the tables of a lake into a warehouse in a file."""
    with writing(str(copy)) as con:
        tables = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    with attached(lake, read_only=True) as con:
        con.execute(f"ATTACH '{copy}' AS copy")
        for table in tables:
            con.execute(f"DELETE FROM copy.{table}")
            con.execute(f"INSERT INTO copy.{table} BY NAME SELECT * FROM {table}")
        con.execute("DETACH copy")
    return str(copy)


def rounded(answer: tuple[list[str], list[tuple[Any, ...]]]) -> list[str]:
    """Rows as text; sums of floats depend on the order of the rows in their last digits."""
    return [repr([round(value, 9) if isinstance(value, float) else value for value in row]) for row in answer[1]]


def test_two_shares_at_once_into_a_lake_are_one_pass_into_a_file(
    bench: Bench, undisturbed: Path, lake: str, tmp_path: Path
) -> None:
    more = {name: os.environ[name] for name in ("PGPASSWORD", "STANCEWATCH_LAKE_DATA")}
    more["STANCEWATCH_DATA_DIR"] = str(tmp_path / "spool")
    passes = [bench.start(lake, STANCEWATCH_SHARE=share, **more) for share in ("1/2", "2/2")]
    outputs = [one.communicate()[0] for one in passes]
    assert [one.returncode for one in passes] == [0, 0], outputs
    with reading(lake) as con:
        for name, sql in CONTENT.items():
            assert con.execute(sql).fetchall() == ask(undisturbed, sql), name
        runs = fetch_rows(con, "SELECT offered, loaded FROM run")
    ((offered, loaded),) = ask(undisturbed, "SELECT offered, loaded FROM run ORDER BY started_at LIMIT 1")
    assert (sum(run["offered"] for run in runs), sum(run["loaded"] for run in runs)) == (offered, loaded)
    assert all(run["loaded"] > 0 for run in runs), "both had something to do"
    assert run_checks(lake) == {}
    copy = copied(lake, tmp_path / "copy.duckdb")
    for query, _ in list_queries():
        assert rounded(run_query(lake, query)) == rounded(run_query(copy, query)), query

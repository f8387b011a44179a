"""Loading: twice is once, the first one wins, finals never change, validators move only with their entries."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import WarehouseBusy, WarehouseError
from tests.support.store import BOTH, SENTENCE, T1, TEXT, Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.connect import connect
from warehouse.load import STAGED, finish_run, load_folder
from warehouse.query import run_checks
from warehouse.spool import deal, new_id, write_load
from warehouse.state import due_feeds, known_hosts, pending_entries, run_outcomes

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


def everything(store: Store) -> dict[str, list[str]]:
    """Return every row of every table as text, sorted."""
    tables = {
        table: store.rows(f"SELECT CAST(t AS VARCHAR) AS line FROM {table} AS t ORDER BY line")
        for table in (*STAGED, "load")
    }
    return {table: [row["line"] for row in rows] for table, rows in tables.items()}


@BOTH
def test_load_twice_is_load_once(filled: Store) -> None:
    before = everything(filled)
    for folder in sorted(filled.spool.iterdir()):
        assert load_folder(filled.target, folder) == {}
    assert everything(filled) == before


def test_same_content_under_another_load_id_brings_nothing(filled: Store) -> None:
    again = document_rows("d1", "e1")
    counts = filled.load("documents", entry=[done("e1", "d1")], **again)
    assert counts == {}
    filled.load("poll", "run-2", poll=[poll("p3", "f1", offered=1)], entry=[entry("e1")])
    assert filled.rows("SELECT offered, fresh, duplicate FROM poll WHERE poll_id = 'p3'") == [
        {"offered": 1, "fresh": 0, "duplicate": 1}
    ]
    assert run_checks(filled.target) == {}


def test_values_arrive_as_they_were_written(filled: Store) -> None:
    (row,) = filled.rows(
        "SELECT authors, epoch(fetched_at) AS at_second, published_at, load_id FROM document WHERE document_id = 'd1'"
    )
    assert row["authors"] == ["A", "B"]
    assert row["at_second"] == datetime.fromisoformat(T1).timestamp()
    assert row["published_at"] is None
    assert filled.rows("SELECT kind FROM load WHERE load_id = $id", id=row["load_id"]) == [{"kind": "documents"}]
    assert filled.rows("SELECT text FROM document_text WHERE document_id = 'd1'") == [{"text": TEXT}]


@BOTH
def test_first_one_wins_among_entries(store: Store) -> None:
    store.load(
        "poll",
        poll=[poll("p1", "f2", offered=2), poll("p2", "f1", offered=3)],
        entry=[
            entry("a", 2),
            entry("b", 1),
            entry("b", 0, title="first of f1"),
            entry("a", 1, "f2", "o2"),
            entry("c", 0, "f2", "o2"),
        ],
    )
    owners = store.rows("SELECT entry_id, feed_id, position, title FROM entry ORDER BY entry_id")
    assert [(row["entry_id"], row["feed_id"], row["position"]) for row in owners] == [
        ("a", "f2", 1),
        ("b", "f1", 0),
        ("c", "f2", 0),
    ]
    assert owners[1]["title"] == "first of f1"
    polls = store.rows("SELECT offered, fresh, duplicate FROM poll ORDER BY poll_id")
    assert polls == [{"offered": 2, "fresh": 2, "duplicate": 0}, {"offered": 3, "fresh": 1, "duplicate": 2}]
    store.load("poll", poll=[poll("p3", "f1", offered=1)], entry=[entry("a", 0, title="later")])
    assert store.rows("SELECT title FROM entry WHERE entry_id = 'a'") == [{"title": "a of f2"}]
    assert run_checks(store.target) == {}


@BOTH
def test_validators_move_only_with_the_entries(store: Store) -> None:
    def validators() -> tuple[object, ...]:
        (row,) = [row for row in due_feeds(store.target, NOW, all_feeds=True) if row["feed_id"] == "f1"]
        return row["etag"], row["last_modified"], row["body_hash"], row["failures"]

    store.load(
        "poll",
        poll=[poll("p1", "f1", offered=1, etag="v1", last_modified="m1", body_hash="h1", failures=0)],
        entry=[entry("e1")],
    )
    assert validators() == ("v1", "m1", "h1", 0)
    store.load("poll", poll=[poll("p2", "f1", "error", status=None, failures=1, polled_at="2026-11-20T09:00:00Z")])
    assert validators() == ("v1", "m1", "h1", 1)
    store.load("poll", poll=[poll("p3", "f1", "unchanged", status=304, etag="v2", polled_at="2026-11-20T10:00:00Z")])
    assert validators() == ("v2", "m1", "h1", 0)
    store.load("poll", poll=[poll("p4", "f1", etag="old", body_hash="old", polled_at="2026-11-20T07:00:00Z")])
    assert validators() == ("v2", "m1", "h1", 0), "a load that arrives late moves nothing back"
    broken = store.prepare("poll", poll=[poll("p5", "f1", offered=1, etag="v9")], entry=[entry("e9")])
    (broken / "entry.jsonl").write_text(json.dumps(entry("e9")) + "\n{oh\n", encoding="utf-8")
    with pytest.raises(WarehouseError, match=r"entry\.jsonl cannot be read"):
        load_folder(store.target, broken)
    assert validators() == ("v2", "m1", "h1", 0)
    assert store.rows("SELECT count(*) AS n FROM entry") == [{"n": 1}]


@BOTH
def test_feeds_load_keeps_validators_and_switches_off_what_it_does_not_list(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", etag="v1", body_hash="h1", next_poll_at="2026-11-22T00:00:00Z")])
    counts = store.load("feeds", outlet=[outlet("o1", "china")], feed=[feed("f1", "o1", language="fr")])
    assert counts == {"feed": 2}
    rows = store.rows("SELECT feed_id, language, enabled, etag, body_hash FROM feed ORDER BY feed_id")
    assert rows[0] == {"feed_id": "f1", "language": "fr", "enabled": True, "etag": "v1", "body_hash": "h1"}
    assert not rows[1]["enabled"]
    assert due_feeds(store.target, NOW) == []
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1", url="https://elsewhere/rss")])
    assert [row["etag"] for row in due_feeds(store.target, NOW)] == [None]


@BOTH
def test_two_entries_that_become_one_document(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=3)], entry=[entry("e1", 0), entry("e2", 1), entry("e3", 2)])
    rows = merged(document_rows("d", "e1", title="first"), document_rows("d", "e2", title="second"))
    for name in ("document_text", "relevance_label", "topic_label", "stance_label", "evidence"):
        half = len(rows[name]) // 2
        rows[name] = [{**row, "entry_id": "e1" if place < half else "e2"} for place, row in enumerate(rows[name])]
    rows["evidence"].insert(0, {**rows["evidence"][0], "entry_id": "e2", "rank": 1})
    store.load("documents", entry=[done("e1", "d"), done("e2", "d")], **rows)
    store.load("documents", entry=[done("e3", "d")], **document_rows("d", "e3", title="third"))
    outcomes = store.rows("SELECT outcome, document_id FROM entry ORDER BY entry_id")
    assert outcomes == [{"outcome": word, "document_id": "d"} for word in ("loaded", "duplicate", "duplicate")]
    assert store.rows("SELECT title FROM document") == [{"title": "first"}]
    assert store.rows("SELECT rank FROM evidence") == [{"rank": 0}]
    assert run_checks(store.target) == {}


def test_finals_never_change(filled: Store) -> None:
    before = everything(filled)["entry"]
    filled.load(
        "documents",
        entry=[
            {"entry_id": "e1", "outcome": "rejected", "reason": "late"},
            done("e2", "d9"),
            {"entry_id": "e2", "outcome": "pending"},
        ],
        rejection=[{"entry_id": "e1", "stage": "fetch", "reason": "late"}],
        **document_rows("d9", "e2"),
    )
    assert everything(filled)["entry"] == before
    assert filled.rows("SELECT count(*) AS n FROM document") == [{"n": 2}]
    assert run_checks(filled.target) == {}


def test_pending_entries_are_tried_again(filled: Store) -> None:
    filled.load("documents", "run-2", entry=[{"entry_id": "e3", "outcome": "pending", "reason": "http_503", "attempts": 1,
                                                     "next_attempt_at": "2026-11-21T07:00:00Z"}])  # fmt: skip
    assert pending_entries(filled.target, NOW) == []
    (row,) = pending_entries(filled.target, NOW + timedelta(hours=2))
    assert (row["entry_id"], row["attempts"], row["first_seen_at"]) == ("e3", 1, datetime.fromisoformat(T1))
    filled.load("documents", "run-2", entry=[done("e3", "d3")], **document_rows("d3", "e3"))
    assert run_outcomes(filled.target, "run-1")["loaded"] == 3
    assert run_outcomes(filled.target, "run-2") == {
        **dict.fromkeys(("offered", "loaded", "duplicate", "rejected", "pending"), 0),
        "reasons": {},
        "carried": {"loaded": 1},
    }
    assert run_checks(filled.target) == {}


def test_pending_entries_come_from_the_top_of_every_feed_and_limited(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=3), poll("p2", "f2", offered=1)],
               entry=[entry("z", 0), entry("y", 1), entry("x", 2), entry("w", 0, "f2", "o2", first_seen_at="2026-11-20T07:00:00Z")])  # fmt: skip
    assert [row["entry_id"] for row in pending_entries(store.target, NOW)] == ["z", "w", "y", "x"]
    assert [row["entry_id"] for row in pending_entries(store.target, NOW, 2)] == ["z", "w", "y"]


def test_labels_of_a_further_run_stand_beside_the_first(filled: Store) -> None:
    rows = document_rows("d1", "e1", run="m2")
    del rows["document"], rows["document_text"]
    rows["label_run"][0]["created_at"] = "2026-11-25T00:00:00Z"
    assert filled.load("documents", **rows)["relevance_label"] == 1
    assert filled.load("documents", **rows) == {}
    current = filled.rows("SELECT document_id, label_run_id FROM current_relevance ORDER BY document_id")
    assert [row["label_run_id"] for row in current] == ["m2", "m1"]
    assert run_checks(filled.target) == {}


def test_rows_for_unknown_entries_are_left_out(store: Store) -> None:
    assert store.load("documents", entry=[done("nobody", "d")], **document_rows("d", "nobody")) == {"label_run": 1}
    assert run_checks(store.target) == {}


@pytest.mark.parametrize(
    ("kind", "tables", "words"),
    [
        ("documents", {"entry": [done("e3", "d3")]}, "no document of that id"),
        ("documents", {"entry": [{"entry_id": "e3", "outcome": "lost"}]}, "outcome lost"),
        ("documents", {"entry": [{"entry_id": "e3", "outcome": "rejected"}]}, "without a reason"),
        ("documents", {"entry": [{"entry_id": "e3", "outcom": "pending"}]}, "no such columns"),
        ("poll", {"document": []}, "cannot bring"),
        ("feed", {}, "kind 'feed'"),
    ],
)
def test_what_breaks_the_contract_writes_nothing(
    filled: Store, kind: str, tables: dict[str, list[dict[str, object]]], words: str
) -> None:
    before = everything(filled)
    with pytest.raises(WarehouseError, match=words):
        filled.load(kind, **tables)
    assert everything(filled) == before


@BOTH
def test_finish_writes_the_run_and_the_days(filled: Store) -> None:
    row = finish_run(filled.target, "run-1", NOW, {}, now=NOW)
    assert row == {"offered": 5, "loaded": 2, "duplicate": 1, "rejected": 1, "pending": 1}
    assert finish_run(filled.target, "run-1", NOW, {"offered": 99}, now=NOW) == row
    sql = "SELECT outlet_id, CAST(day AS VARCHAR) AS day, n_seen, polls, failed_polls, complete FROM current_outlet_day ORDER BY ALL"
    assert [tuple(row.values()) for row in filled.rows(sql)] == [
        ("o1", "2026-11-19", 3, 0, 0, False),
        ("o1", "2026-11-20", 0, 1, 0, True),
        ("o2", "2026-11-19", 1, 0, 0, False),
        ("o2", "2026-11-20", 0, 1, 0, True),
    ]
    assert run_checks(filled.target) == {}


def test_a_day_is_complete_only_when_every_feed_was_seen_to_its_end(store: Store) -> None:
    def complete(now: datetime = NOW) -> list[bool]:
        finish_run(store.target, new_id(), now, {}, now=now)
        rows = store.rows("SELECT complete FROM current_outlet_day WHERE day = DATE '2026-11-20' AND outlet_id = 'o1'")
        return [row["complete"] for row in rows]

    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1"), feed("f1b", "o1")])
    store.load("poll", poll=[poll("p1", "f1")])
    assert complete() == [False], "f1b was never polled"
    store.load("poll", poll=[poll("p2", "f1b")])
    assert complete(datetime(2026, 11, 20, 23, tzinfo=UTC)) == [False], "the day is not over"
    assert complete() == [True]
    store.load("poll", poll=[poll("p3", "f1", "error", polled_at="2026-11-20T20:00:00Z")])
    assert complete() == [False], "the last poll failed"
    store.load("poll", poll=[poll("p4", "f1", "unchanged", polled_at="2026-11-20T21:00:00Z")])
    assert complete() == [True]
    assert len(store.rows("SELECT 1 FROM outlet_day WHERE day = DATE '2026-11-20' AND outlet_id = 'o1'")) == 5
    assert run_checks(store.target) == {}


def complete_days(store: Store, now: datetime) -> dict[int, bool]:
    finish_run(store.target, new_id(), now, {}, now=now)
    rows = store.rows("SELECT day, complete FROM current_outlet_day WHERE outlet_id = 'o1' ORDER BY day")
    return {row["day"].day: row["complete"] for row in rows}


def shown(day: int, fresh: int, known: int, hour: int = 5) -> dict[str, list[dict[str, object]]]:
    """A poll on a day of November that shows so many new items of that day, and so many of the one before."""
    when = f"2026-11-{day:02}T{hour:02}:00:00Z"
    names = [f"e{day}-{n}" for n in range(fresh)] + [f"e{day - 1}-{n}" for n in range(known)]
    rows = [entry(name, place, published_at=when, first_seen_at=when) for place, name in enumerate(names)]
    return {"poll": [poll(f"p{day}", "f1", offered=len(rows), polled_at=when)], "entry": rows}


def test_a_poll_that_shows_what_was_known_proves_that_nothing_was_missed(store: Store) -> None:
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    store.load("poll", **shown(10, 20, 0))
    store.load("poll", poll=[poll("x", "f1", "error", polled_at="2026-11-11T05:00:00Z")])
    assert complete_days(store, datetime(2026, 11, 12, tzinfo=UTC)) == {10: True, 11: False}
    store.load(
        "poll",
        **shown(12, 0, 0),
    )
    store.load("poll", poll=[poll("y", "f1", "unchanged", polled_at="2026-11-12T06:00:00Z")])
    assert complete_days(store, datetime(2026, 11, 13, tzinfo=UTC)) == {10: True, 11: True, 12: True}
    store.load("poll", **shown(14, 20, 0))
    assert complete_days(store, datetime(2026, 11, 15, tzinfo=UTC)) == {10: True, 11: True, 12: False, 14: False}, "all of it was new"  # fmt: skip
    store.load("poll", **shown(15, 10, 10))
    assert complete_days(store, datetime(2026, 11, 16, tzinfo=UTC))[15]
    assert run_checks(store.target) == {}


def test_a_week_of_silence_is_no_complete_week(store: Store) -> None:
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    for day in range(1, 17):
        store.load("poll", **shown(day, 2, 0))
    for day in range(17, 25):
        store.load("poll", poll=[poll(f"q{day}", "f1", "unchanged", polled_at=f"2026-11-{day}T05:00:00Z")])
        if day == 20:
            assert complete_days(store, datetime(2026, 11, 21, tzinfo=UTC))[20], "three days are no week"
    days = complete_days(store, datetime(2026, 11, 25, tzinfo=UTC))
    assert [day for day, complete in days.items() if not complete] == list(range(17, 25))


def test_a_corrected_text_is_a_revision_and_its_labels_stand_beside_the_old_ones(filled: Store) -> None:
    says = {"entry_id": "e1", "outcome": "loaded", "document_id": "d1"}
    later = {"first_seen_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T11:00:00Z"}
    page = document_rows("d1", "e1", "o1", "f1", title="corrected", text_hash="h2", fetched_at="2026-11-20T14:00:00Z")
    for name in ("document_text", "relevance_label", "topic_label", "stance_label", "evidence"):
        page[name] = [{**row, "entry_id": "e1"} for row in page[name]]
    page["document_text"][0]["text"] += " Berichtigt."
    page["stance_label"][0] |= {"label": "against"}
    page["relevance_label"][0]["input_hash"] = None
    before = everything(filled)["document"]
    filled.load("documents", entry=[says], **page)
    assert everything(filled)["document"] == before, "nobody asked for another text"
    filled.load("poll", "run-2", poll=[poll("p8", "f1", offered=1)], entry=[entry("e1", 0, **later)])
    assert [row["entry_id"] for row in pending_entries(filled.target, NOW)] == ["e3", "e1"]
    filled.load("documents", "run-2", entry=[says], **page)
    assert filled.rows("SELECT title, text_revision, day FROM document_current WHERE document_id = 'd1'") == [
        {"title": "corrected", "text_revision": 1, "day": datetime(2026, 11, 19).date()}  # noqa: DTZ001
    ]
    assert filled.rows("SELECT label, text_revision FROM current_stance WHERE document_id = 'd1'") == [
        {"label": "against", "text_revision": 1}
    ]
    assert filled.rows("SELECT text_revision, label FROM stance_label WHERE document_id = 'd1' ORDER BY ALL") == [
        {"text_revision": 0, "label": "favor"}, {"text_revision": 1, "label": "against"},
    ]  # fmt: skip
    assert filled.rows("SELECT title, text, text_revision FROM document_revision") == [{"title": "d1", "text": TEXT, "text_revision": 0}]  # fmt: skip
    assert [row["entry_id"] for row in pending_entries(filled.target, NOW)] == ["e3"]
    assert run_outcomes(filled.target, "run-2")["carried"] == {}
    assert run_checks(filled.target) == {}
    for n in range(4):
        again = {"first_seen_at": "2026-11-20T20:00:00Z", "updated_at": f"2026-11-20T1{n + 5}:00:00Z"}
        filled.load("poll", f"r{n}", poll=[poll(f"r{n}", "f1", offered=1)], entry=[entry("e1", 0, **again)])
        filled.load("documents", f"r{n}", entry=[says])
    assert filled.rows("SELECT rechecks, revise_at FROM entry WHERE entry_id = 'e1'") == [{"rechecks": 3, "revise_at": None}]  # fmt: skip


def test_the_newest_word_on_a_feed_and_a_host_counts(store: Store) -> None:
    def schedule(hour: int, **said: object) -> dict[str, object]:
        return {"feed_id": "f1", "url": "https://f1/rss", "decided_at": f"2026-11-20T{hour:02}:00:00Z", **said}

    def host(hour: int, requests: int) -> dict[str, object]:
        return {"host": "x", "updated_at": f"2026-11-20T{hour:02}:00:00Z", "requests": requests, "day": "2026-11-20"}

    store.load(
        "poll",
        poll=[poll("p1", "f1")],
        feed_schedule=[schedule(8, strain=2.5, poll_url="https://new/rss")],
        host=[host(8, 5)],
    )
    store.load("documents", host=[host(7, 4)])
    store.load("poll", poll=[poll("p2", "f2")], feed_schedule=[schedule(7, strain=9)])
    (row,) = [row for row in due_feeds(store.target, NOW, all_feeds=True) if row["feed_id"] == "f1"]
    assert (row["strain"], row["poll_url"], row["moved_at"]) == (2.5, "https://new/rss", None)
    assert [(row["host"], row["requests"], row["updated_at"].hour) for row in known_hosts(store.target)] == [
        ("x", 5, 8)
    ]
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1", url="https://elsewhere/rss")])
    (row,) = due_feeds(store.target, NOW)
    assert (row["strain"], row["poll_url"]) == (0, None), "what was learnt belongs to the old address"
    assert run_checks(store.target) == {}


def test_checks_find_what_is_wrong(filled: Store) -> None:
    con = connect(filled.target)
    con.execute("INSERT INTO document SELECT * FROM document WHERE document_id = 'd1'")
    con.execute("UPDATE evidence SET sentence_start = sentence_start + 1 WHERE document_id = 'd1'")
    con.execute("DELETE FROM document WHERE document_id = 'd2'")
    con.execute("UPDATE poll SET offered = offered + 1, load_id = 'nobody'")
    con.close()
    assert set(run_checks(filled.target)) == {
        *(
            "duplicate_keys",
            "evidence_in_text",
            "labels_of_the_text",
            "labels_without_document",
            "outcome_of_entry",
            "outcomes_add_up",
            "rows_without_load",
            "kept_results",  # d1 stands there twice
        )
    }


def test_many_loads_at_once_lose_nothing(store: Store) -> None:
    folders = [
        store.prepare("poll", poll=[poll(f"p{n}", "f1", offered=2)], entry=[entry(f"e{n}"), entry("same", 1)])
        for n in range(12)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda folder: load_folder(store.target, folder), folders))
    assert store.rows("SELECT count(*) AS n FROM entry") == [{"n": 13}]
    assert run_checks(store.target) == {}


def test_a_busy_warehouse_says_who_and_what_to_do(store: Store, tmp_path: Path) -> None:
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, store.target], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        folder = store.prepare("poll", poll=[poll("p1", "f1")])
        with pytest.raises(WarehouseBusy, match=r"w\.duckdb is held by another process.*w\.published\.duckdb"):
            load_folder(store.target, folder, wait=0.1)
        holder.kill()
    assert load_folder(store.target, folder) == {"poll": 1, "feed": 1}


def test_a_row_of_many_megabytes_and_strange_text(store: Store, tmp_path: Path) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1", title="a\u2028b \x00 \U0001f916 'q' $x")])
    rows = document_rows("d1", "e1")
    text = SENTENCE + "\U0001f916\n" * 5_000_000
    rows["document_text"] = [{"document_id": "d1", "text": text}]
    rows["evidence"][0] |= {"sentence_start": 0, "sentence_end": len(SENTENCE)}
    store.load("documents", entry=[done("e1", "d1")], **rows)
    assert store.rows("SELECT length(text) AS n FROM document_text") == [{"n": len(text)}]
    assert store.rows("SELECT title FROM entry") == [{"title": "a\u2028b \x00 \U0001f916 'q' $x"}]
    assert run_checks(store.target) == {}


LOADER = """
import sys
from pathlib import Path
from warehouse.load import load_folder
print("ready", flush=True)
for folder in sorted(Path(sys.argv[2]).iterdir()):
    load_folder(sys.argv[1], folder)
"""


def test_a_load_killed_at_any_moment_and_repeated_leaves_the_same(tmp_path: Path) -> None:
    calm, killed = Store(tmp_path / "calm"), Store(tmp_path / "killed")
    calm.prepare("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    for n in range(6):
        calm.prepare(
            "poll", poll=[poll(f"p{n}", "f1", offered=2, etag=f"v{n}")], entry=[entry(f"e{n}"), entry("same", 1)]
        )
        calm.prepare("documents", entry=[done(f"e{n}", f"d{n % 4}")], **document_rows(f"d{n % 4}", f"e{n}"))
    folders = sorted(calm.spool.iterdir())
    for folder in folders:
        load_folder(calm.target, folder)
    Path(killed.target).parent.mkdir()
    for moment in range(10):
        command = [sys.executable, "-c", LOADER, killed.target, str(calm.spool)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as loader:
            assert loader.stdout is not None
            loader.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                loader.wait(0.02 + 0.06 * moment)
            loader.kill()
    for folder in folders:
        load_folder(killed.target, folder)
    loads = "SELECT load_id, kind FROM load ORDER BY load_id"
    assert killed.rows(loads) == calm.rows(loads)
    assert {**everything(killed), "load": []} == {**everything(calm), "load": []}
    assert run_checks(killed.target) == {}


def test_broken_text_of_the_web_does_not_block_the_spool(store: Store, tmp_path: Path) -> None:
    title = "half a pair \ud83e, a nothing \x00, a line\u2028 and \x85"
    tables = {"poll": [poll("p1", "f1", offered=1)], "entry": [entry("e1", title=title)]}
    folder = write_load(deal(tmp_path), "run-1", "poll", tables)
    assert load_folder(store.target, folder)["entry"] == 1
    assert store.rows("SELECT title FROM entry") == [{"title": title.replace("\ud83e", "?")}]

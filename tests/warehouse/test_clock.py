"""A clock that was ahead and is set back: what it left in the warehouse stops nothing and hides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.store import Store, document_rows, done, entry, poll
from warehouse import state
from warehouse.load import finish_run
from warehouse.spool import deal, iso, new_id

NOW = datetime.now(UTC)
AHEAD, BACK = NOW + timedelta(days=300), NOW - timedelta(minutes=5)


def schedule(when: datetime, interval: float) -> dict[str, Any]:
    return {"feed_id": "f1", "url": "https://o1.example/feed", "decided_at": iso(when), "poll_interval": interval}


def polled(store: Store, name: str, when: datetime, **more: Any) -> None:
    row = {**poll(name, "f1"), "polled_at": iso(when), "next_poll_at": iso(when + timedelta(hours=1)), **more}
    url = store.rows("SELECT url FROM feed WHERE feed_id = 'f1'")[0]["url"]
    store.load("poll", poll=[row], feed_schedule=[{**schedule(when, 60.0 if when > NOW else 7.0), "url": url}])


def test_a_feed_that_was_polled_in_the_future_is_due_and_its_next_poll_decides(store: Store) -> None:
    polled(store, "p1", AHEAD, etag="of-the-future")
    assert "f1" in [row["feed_id"] for row in state.due_feeds(store.target, NOW)]
    polled(store, "p2", BACK, etag="of-today")
    (found,) = [row for row in state.due_feeds(store.target, NOW, all_feeds=True) if row["feed_id"] == "f1"]
    assert (found["etag"], found["poll_interval"]) == ("of-today", 7.0)
    assert "f1" not in [row["feed_id"] for row in state.due_feeds(store.target, NOW)], "it is due in an hour again"


def test_an_entry_that_waits_for_a_day_far_ahead_is_tried_now(store: Store) -> None:
    waits = {"far": AHEAD, "soon": NOW + timedelta(hours=20), "due": BACK}
    rows = [{**entry(name), "next_attempt_at": iso(when)} for name, when in waits.items()]
    store.load("poll", poll=[poll("p1", "f1", offered=3)], entry=rows)
    assert {row["entry_id"] for row in state.pending_entries(store.target, NOW)} == {"far", "due"}


def test_the_newest_word_of_a_host_is_kept_again(store: Store) -> None:
    for requests, when in ((1, AHEAD), (2, BACK)):
        host = {"host": "h", "updated_at": iso(when), "day": when.date().isoformat(), "requests": requests, "bytes": 0}
        store.load("poll", host=[{**host, "strikes": 0}])
    assert store.rows("SELECT requests FROM host") == [{"requests": 2}]


def test_labels_of_a_run_that_is_new_are_current(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    first, second = (document_rows("d1", "e1", run=name) for name in ("run-ahead", "run-now"))
    first["label_run"][0]["created_at"], second["label_run"][0]["created_at"] = iso(AHEAD), iso(BACK)
    store.load("documents", entry=[done("e1", "d1")], **first)
    store.load("documents", **{name: rows for name, rows in second.items() if "label" in name or name == "evidence"})
    assert store.rows("SELECT label_run_id FROM current_label_run") == [{"label_run_id": "run-now"}]


def test_ids_sort_as_they_were_made(tmp_path: Path, store: Store) -> None:
    ahead = f"{AHEAD:%Y%m%dT%H%M%S%f}-0000"
    assert new_id(after=ahead) > ahead
    assert new_id() < new_id(after="not one of ours") < ahead
    (tmp_path / "spool" / "work" / ahead).mkdir(parents=True)
    assert ahead < deal(tmp_path).name < deal(tmp_path).name
    finish_run(store.target, "run-1", NOW, {}, now=AHEAD)
    (first,) = store.rows("SELECT max(load_id) AS id FROM load")
    finish_run(store.target, "run-2", NOW, {})
    assert store.rows("SELECT load_id FROM run WHERE run_id = 'run-2'")[0]["load_id"] > first["id"]

"""Backfilled entries in the warehouse: outcomes add up, and no day is taken for completely seen."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.store import Store, document_rows, done, entry, feed, outlet, poll
from warehouse.load import finish_run
from warehouse.query import run_checks
from warehouse.state import known_entries, pending_of

SOURCE = "backfill:web:o1"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def offer(store: Store, run: str, *entries: str, day: str = "2026-11-20") -> None:
    """Entries of a backfill, published on a day."""
    store.load("feeds", run, outlet=[outlet("o1", "china")], feed=[feed(SOURCE, "o1", enabled=False)])
    rows = [entry(name, n, SOURCE, published_at=f"{day}T10:00:00Z") for n, name in enumerate(entries)]
    store.load("poll", run, poll=[poll(f"{run}-{day}", SOURCE, offered=len(entries))], entry=rows)


def days(store: Store) -> dict[str, tuple[int, int, bool]]:
    rows = store.rows(
        "SELECT CAST(day AS VARCHAR) AS day, n_seen, polls, complete FROM current_outlet_day WHERE outlet_id = 'o1'"
    )
    return {row["day"]: (row["n_seen"], row["polls"], row["complete"]) for row in rows}


def test_a_source_of_a_backfill_switches_no_feed_off(store: Store) -> None:
    offer(store, "run-b", "b1")
    assert store.rows("SELECT feed_id FROM feed WHERE enabled ORDER BY 1") == [{"feed_id": "f1"}, {"feed_id": "f2"}]


def test_a_backfilled_day_is_never_complete(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1", published_at="2026-11-20T07:00:00Z")])
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    assert days(store) == {"2026-11-20": (1, 1, True)}
    offer(store, "run-b", "b1", "b2", day="2026-11-02")  # before the first poll of any feed
    finish_run(store.target, "run-b", NOW, {}, now=NOW)
    assert days(store) == {"2026-11-20": (1, 1, True), "2026-11-02": (2, 0, False)}
    offer(store, "run-c", "b3", "e1")  # b3 was seen by no feed, e1 was
    finish_run(store.target, "run-c", NOW, {}, now=NOW)
    assert days(store)["2026-11-20"] == (2, 1, False)


def test_what_feeds_had_offered_already_leaves_a_day_complete(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1", published_at="2026-11-20T07:00:00Z")])
    offer(store, "run-b", "e1")
    finish_run(store.target, "run-b", NOW, {}, now=NOW)
    assert days(store) == {"2026-11-20": (1, 1, True)}


def test_an_offer_that_is_made_again_is_a_duplicate_and_outcomes_add_up(store: Store) -> None:
    offer(store, "run-b", "b1", "b2")
    offer(store, "run-c", "b1", "b2", "b3")
    store.load(
        "documents",
        "run-c",
        entry=[done("b1", "d1"), {"entry_id": "b2", "outcome": "rejected", "reason": "http_404"}],
        **document_rows("d1", "b1", feed_id=SOURCE),
    )
    counts = store.rows("SELECT * FROM outcome_by_run WHERE run_id = 'run-c'")[0]
    assert (counts["offered"], counts["duplicate"], counts["pending"]) == (3, 2, 1)
    assert {name: rows for name, rows in run_checks(store.target).items() if rows} == {}
    assert set(pending_of(store.target, ["b1", "b3", "unknown"])) == {"b3"}
    assert known_entries(store.target, ["b1", "b3", "unknown"]) == {"b1", "b3"}

"""What stands behind a trend: days seen whole, failures, dates and feeds; and that every query says how much of it is whole."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.load import finish_run
from warehouse.query import list_queries, run_query

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
MARKED = {"seen_whole", "complete", "complete_outlets", "complete_days", "complete_share"}
NO_DAYS = {"feed_health", "outcomes", "pending", "quarantine_growth"}  # of feeds, passes and entries
NO_FIGURE = {"coding_sample"}  # documents to read


def ask(store: Store, name: str, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture
def watched(store: Store) -> Store:
    """O1 of China, polled on two days: five items, three of them documents. O2 of the United States, polled on the second alone: one item."""
    store.load("feeds", outlet=[{**outlet("o1", "china"), "country": "CN"}, {**outlet("o2"), "country": "US"}],
               feed=[feed("f1", "o1", language="zh-Hans"), feed("f1b", "o1"), feed("f2", "o2")])  # fmt: skip
    first, second = "2026-11-19T08:00:00Z", "2026-11-20T08:00:00Z"
    entries = [
        entry("a", 0, published_at=first), entry("b", 1, published_at=first), entry("c", 2, published_at=None, first_seen_at=first),
        entry("x", 3, published_at=second), entry("y", 4, "f1b", published_at=second), entry("z", 5, "f2", "o2", published_at=None, first_seen_at=second),
    ]  # fmt: skip
    polls = [poll(f"p-{name}-{when}", name, polled_at=when) for name, days in (("f1", (first, second)), ("f1b", (first, second)), ("f2", (second,)))
             for when in days]  # fmt: skip
    store.load("poll", poll=polls, entry=entries)
    rows = merged(document_rows("da", "a"), document_rows("dc", "c", published_on=None), document_rows("dy", "y", feed_id="f1b"),
                  document_rows("dz", "z", "o2", "f2", published_on="2026-11-20"))  # fmt: skip
    bad = {"url": "https://x", "rejected_at": second}
    store.load(
        "documents",
        entry=[*(done(name, f"d{name}") for name in "acyz"), {"entry_id": "b", "outcome": "rejected", "reason": "no_text"},
               {"entry_id": "x", "outcome": "rejected", "reason": "http_404"}],
        rejection=[{**bad, "entry_id": "b", "stage": "extract", "reason": "no_text"}, {**bad, "entry_id": "x", "stage": "fetch", "reason": "http_404"}],
        **rows,
    )  # fmt: skip
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    return store


def test_coverage_by_country(watched: Store) -> None:
    china, us = ask(watched, "coverage")
    assert china == {
        "place": "CN", "feeds": 2, "outlets": 1, "outlet_days": 2, "complete_share": 1.0, "items": 5, "loaded": 3, "rejected": 2,
        "extraction_failed": 1, "extraction_failed_share": 0.2, "pending": 0, "documents": 3, "dates_from_feed": 0.6667, "dates_from_page": 0.0,
        "dates_first_seen": 0.3333, "relevance_abstained": 0.0,
    }  # fmt: skip
    assert (us["place"], us["feeds"], us["items"], us["dates_from_page"], us["extraction_failed"]) == (
        "US",
        1,
        1,
        1.0,
        0,
    )


def test_coverage_by_language_outlet_and_days(watched: Store) -> None:
    names = ("place", "feeds", "items", "extraction_failed")
    found = [tuple(row[name] for name in names) for row in ask(watched, "coverage", by="language")]
    assert found == [("zh", 1, 4, 1), ("en", 2, 2, 0)], "of the feed, not of the outlet"
    assert [(row["place"], row["items"]) for row in ask(watched, "coverage", by="outlet", since="2026-11-20")] == [
        ("O1", 2),
        ("O2", 1),
    ]
    assert [row["place"] for row in ask(watched, "coverage", by="bloc")] == ["china", "us"]
    assert [row["items"] for row in ask(watched, "coverage", until="2026-11-19")] == [3, 0]


def test_completeness_by_outlet_and_day(watched: Store) -> None:
    names = ("day", "outlet", "n_seen", "complete", "loaded", "rejected", "extraction_failed")
    rows = [tuple(row[name] for name in names) for row in ask(watched, "completeness")]
    assert rows == [
        (date(2026, 11, 20), "O1", 2, True, 1, 1, 0),
        (date(2026, 11, 20), "O2", 1, True, 1, 0, 0),
        (date(2026, 11, 19), "O1", 3, True, 2, 1, 1),
    ]
    assert len(ask(watched, "completeness", outlet="O1", since="2026-11-20")) == 1
    assert ask(watched, "completeness", complete="false") == []
    assert len(ask(watched, "completeness", bloc="us")) == len(ask(watched, "completeness", country="US")) == 1


def test_every_query_over_days_says_what_was_seen_whole_or_takes_nothing_else(watched: Store) -> None:
    """over_coverage counts whole days alone; the others say how much of what they count is of such days."""
    columns = {name: set(run_query(watched.target, name)[0]) for name, _ in list_queries()}
    unmarked = {name for name, found in columns.items() if not found & MARKED}
    assert unmarked == NO_DAYS | NO_FIGURE | {"over_coverage"}

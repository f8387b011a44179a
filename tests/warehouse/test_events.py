"""Events are rows: the file's list as it is, what it listed at an earlier load, and SQL that joins them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from scipy.stats import t as student

from flows.poll_rows import event_tables
from pipeline.events import Event
from tests.support.store import BOTH, Store
from warehouse.connect import fetch_rows, reading
from warehouse.query import run_checks
from warehouse.snapshot import find_snapshot, travel
from warehouse.state import known_events

PLAN = Event(day=date(2025, 7, 23), name="The plan is published")
OPENING = Event(day=date(2025, 7, 26), name="Die Konferenz beginnt")
SUMMIT = Event(day=date(2026, 2, 16), name="峰会")


def load(store: Store, *events: Event) -> int:
    return store.load("events", **event_tables(events)).get("event", 0)


def listed(store: Store, as_of: str | None = None) -> list[dict[str, Any]]:
    with reading(store.target) as con:
        if as_of:
            travel(con, find_snapshot(con, as_of))
        return fetch_rows(con, "SELECT day, name FROM event ORDER BY day")


def newest(store: Store) -> str:
    with reading(store.target) as con:
        return find_snapshot(con).load_id


@BOTH
def test_a_load_is_the_whole_list_and_an_earlier_one_can_be_asked(store: Store) -> None:
    assert load(store, PLAN, OPENING, PLAN) == 2
    first = newest(store)
    assert known_events(store.target) == {PLAN.event_id, OPENING.event_id}
    assert load(store, PLAN, OPENING) == 0, "said again is no change"
    assert load(store, SUMMIT, OPENING) == 1
    second = newest(store)
    assert load(store) == 0
    both = [{"day": each.day, "name": each.name} for each in (PLAN, OPENING, SUMMIT)]
    assert listed(store) == []
    assert listed(store, first) == both[:2]
    assert listed(store, second) == both[1:]
    load(store, PLAN)
    assert listed(store) == both[:1]
    assert listed(store, first) == both[:2]
    assert run_checks(store.target) == {}


def test_an_event_is_its_day_and_its_name() -> None:
    assert PLAN.event_id == Event(day=PLAN.day, name=PLAN.name).event_id
    assert len({PLAN.event_id, OPENING.event_id, Event(day=OPENING.day, name=PLAN.name).event_id}) == 3


def test_sql_alone_joins_events_to_days(store: Store) -> None:
    load(store, PLAN, OPENING)
    sql = "SELECT one.name AS before, other.day - one.day AS days FROM event AS one JOIN event AS other ON one.day < other.day"
    assert store.rows(sql) == [{"before": PLAN.name, "days": 3}]


def test_the_quantiles_of_t_are_those_of_the_tables(store: Store) -> None:
    rows = store.rows("FROM student_t ORDER BY df")
    assert [row["df"] for row in rows] == list(range(1, 201))
    for df, t in (row.values() for row in rows):
        assert t == pytest.approx(student(df).ppf(0.975), abs=0.004 if df == 3 else 0.001)

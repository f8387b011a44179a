"""What the watch of operators asks: whether languages and labels shifted, and whether the quarantine grows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.drifting import weeks
from tests.support.store import BOTH, Store, entry
from warehouse.query import run_query

NOW = datetime.now(UTC)
YESTERDAY = f"{NOW - timedelta(days=1):%Y-%m-%d}"
CALM = [{"en": 30 + n, "de": 30 - n} for n in (0, 2, -1, 1, 0, -2, 2, 1, 0)]


def ask(store: Store, name: str, **params: str) -> dict[str, dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return {row[0]: dict(zip(columns, row, strict=True)) for row in rows}


def drift(store: Store, **params: str) -> dict[str, dict[str, Any]]:
    return ask(store, "drift", as_of=YESTERDAY, **params)


@BOTH
def test_weeks_like_those_before_are_no_shift(store: Store) -> None:
    weeks(store, CALM, now=NOW)
    found = drift(store)
    assert {row["status"] for row in found.values()} == {"ok"}
    assert set(found) == {"language", "relevance", "confidence", "stance abstention", "stance binding_rules"}
    # 30 of 60 against 243 of 480; two of 60 in the week before, itself left out
    assert found["language"]["distance"] == pytest.approx(abs(30 / 60 - 243 / 480), abs=0.001)
    assert found["language"]["usual"] == pytest.approx(abs(28 / 60 - 215 / 420), abs=0.001)
    assert (found["language"]["n"], found["language"]["before_n"], found["language"]["weeks"]) == (60, 480, 8)


def test_a_language_that_comes_and_a_stance_that_turns_are_shifts(store: Store) -> None:
    weeks(store, [{"en": 12, "pt": 48}, *CALM[1:]], [57, *[30] * 8], now=NOW)
    found = drift(store)
    assert [name for name, row in found.items() if row["status"] == "shifted"] == ["language", "stance binding_rules"]
    language, stance = found["language"], found["stance binding_rules"]
    assert language["distance"] == 0.8  # 48 of 60 have a language that none had before
    assert language["moved"].startswith("pt 0 → 80 %")
    assert stance["distance"] == pytest.approx(57 / 60 - 0.5)
    # by chance: each of two values is off by its mean deviation, sqrt(2/pi p(1-p) (1/60 + 1/480)); half of their sum
    assert stance["by_chance"] == pytest.approx(0.055, abs=0.001)
    assert stance["bound"] == pytest.approx(3 * 0.0546, abs=0.001)


def test_weeks_that_were_never_alike_are_no_measure_of_a_shift(store: Store) -> None:
    restless = [{"en": n, "de": 60 - n} for n in (42, 10, 50, 15, 45, 8, 52, 12, 48)]
    weeks(store, restless, now=NOW)
    found = drift(store)["language"]
    assert (found["status"], found["distance"] > 0.1) == ("ok", True)


def test_too_few_documents_are_said_to_be_too_few(store: Store) -> None:
    weeks(store, [{"pt": 49}, *CALM[1:]], now=NOW)
    assert {row["status"] for row in drift(store).values()} == {"too few"}
    assert drift(store, least="40")["language"]["status"] == "shifted"
    assert ask(store, "drift", as_of="2020-08-01") == {}  # nothing at all was there


def test_three_weeks_are_no_window_to_compare_with(store: Store) -> None:
    weeks(store, [{"pt": 60}, *CALM[1:4]], now=NOW)
    assert {row["status"] for row in drift(store).values()} == {"too few"}


def put_aside(store: Store, days: dict[float, int], reason: str = "timeout") -> None:
    """Quarantine entries so many days ago."""
    rows = [
        entry(f"{reason}-{back}-{n}", reason=reason, quarantined_at=(NOW - timedelta(days=back)).isoformat())
        for back, count in days.items()
        for n in range(count)
    ]
    store.load("poll", entry=rows)
    with_time = [
        {"entry_id": row["entry_id"], "outcome": "pending", "quarantined_at": row["quarantined_at"], "reason": reason}
        for row in rows
    ]
    store.load("documents", entry=with_time)


def test_quarantine_grows_where_a_day_brings_more_than_usual(store: Store) -> None:
    assert ask(store, "quarantine_growth")["(all)"]["entries"] == 0
    put_aside(store, {0.5: 12, 3: 28})
    put_aside(store, {20: 56}, "http_403")
    found = ask(store, "quarantine_growth")
    everything, timeouts = found["(all)"], found["timeout"]
    assert (everything["last_day"], everything["before_a_day"], everything["growing"]) == (12, 3.0, True)
    assert (timeouts["last_day"], timeouts["before_a_day"], timeouts["growing"]) == (12, 1.0, True)
    assert found["http_403"]["growing"] is False
    assert ask(store, "quarantine_growth", factor="4")["(all)"]["growing"] is False  # 12 is not more than 4 times 3
    assert ask(store, "quarantine_growth", least="13")["timeout"]["growing"] is False

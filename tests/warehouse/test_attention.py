"""How much attention the topic gets: burst days and outlets that cover it more than others, by numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from scipy.stats import gamma

from tests.support.store import Rows, Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.load import finish_run
from warehouse.query import run_query

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
YESTERDAY = date(2026, 11, 20)
Days = Mapping[int, tuple[int, int]]  # days back from now: documents on the topic, items seen


def ask(store: Store, name: str, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def seen(store: Store, mended: tuple[int, ...] = (), **outlets: Days) -> None:
    """Load what outlets (o1, o2, ...) published; of the `mended` days one item came by a backfill."""
    polls: Rows = []
    entries: Rows = []
    documents: list[dict[str, Rows]] = []
    for outlet_id, days in outlets.items():
        feed_id = outlet_id.replace("o", "f")
        for back, (relevant, items) in sorted(
            days.items(), reverse=True
        ):  # the first poll brings all, and missed nothing
            when = (NOW - timedelta(days=back)).strftime("%Y-%m-%dT05:00:00Z")
            names = [f"{outlet_id}-{back}-{n}" for n in range(items)]
            polls.append(poll(f"p-{outlet_id}-{back}", feed_id, "ok", polled_at=when))
            entries += [entry(name, n, feed_id, outlet_id, published_at=when) for n, name in enumerate(names)]
            if back in mended:
                entries[-1]["feed_id"] = f"backfill:web:{outlet_id}"
            documents += [document_rows(f"d-{name}", name, outlet_id, feed_id) for name in names[:relevant]]
    store.load("poll", poll=polls, entry=entries)
    rows = merged(*documents)
    store.load("documents", entry=[done(row["entry_id"], row["document_id"]) for row in rows["document"]], **rows)
    finish_run(store.target, "run-1", NOW, {}, now=NOW)


def before(*relevant: int, items: int, start: int = 2) -> dict[int, tuple[int, int]]:
    """Days of equal output, the newest `start` days ago."""
    return {start + n: (count, items) for n, count in enumerate(relevant)}


def relabel(
    store: Store, *names: str, topic: str = "trade", run: str = "m2", irrelevant: str = "", unsure: str = ""
) -> None:
    """Give documents the labels of a newer run: another topic, and one of them no relevance, or none for sure."""
    rows = merged(*(document_rows(f"d-{name}", name, run=run) for name in names))
    for row in rows["label_run"]:
        row["created_at"] = f"2026-11-20T09:00:0{run[1]}Z"
    for row in rows["relevance_label"]:
        row |= {"label": row["document_id"] != f"d-{irrelevant}", "abstain": row["document_id"] == f"d-{unsure}"}
    for row in rows["topic_label"]:
        row["label"] = row["topic"] == topic
    store.load("documents", **{name: rows[name] for name in ("label_run", "relevance_label", "topic_label")})


def test_a_burst_is_measured_by_median_and_mad_of_the_days_before(store: Store) -> None:
    # shares 0.05, 0.10 ... 0.35: median 0.20; distances 0.15 0.10 0.05 0 0.05 0.10 0.15: MAD 0.10
    # chance: sqrt(20 * 0.2 * 0.8) / 20 = 0.089 is less than 1.4826 * 0.10; z = (0.75 - 0.20) / 0.14826 = 3.71
    seen(store, o1={1: (15, 20), **before(5, 1, 7, 3, 4, 2, 6, items=20)})
    burst = {
        "day": YESTERDAY,
        "bloc": "all",
        "share": 0.75,
        "median": 0.2,
        "spread": 0.1483,
        "z": 3.71,
        "relevant": 15,
        "seen": 20,
        "outlets": 1,
        "days_before": 7,
    }
    assert ask(store, "burst_days") == [burst]
    assert ask(store, "burst_days", z="3.7") == [burst]
    assert ask(store, "burst_days", z="3.72") == []
    assert ask(store, "burst_days", least="8") == []
    assert ask(store, "burst_days", since="2026-11-20") == [burst], "earlier days are measured by, though not judged"
    assert ask(store, "burst_days", since="2026-11-21") == []


def test_documents_that_are_irrelevant_or_uncertain_make_no_burst(store: Store) -> None:
    seen(store, o1={1: (15, 20), **before(5, 1, 7, 3, 4, 2, 6, items=20)})
    assert [row["z"] for row in ask(store, "burst_days", topic="law")] == [3.71]
    assert ask(store, "burst_days", topic="trade") == []
    names = [f"o1-1-{n}" for n in range(6)]
    relabel(store, *names, unsure="o1-1-0")
    # trade: five of 20 after seven days without: 0.25 over one document of 20
    assert [(row["relevant"], row["z"]) for row in ask(store, "burst_days", topic="trade")] == [(5, 5.0)]
    assert ask(store, "burst_days") == [], "14 of 20 are 3.37"
    relabel(store, *names, irrelevant="o1-1-0", run="m3")
    assert [(row["relevant"], row["z"]) for row in ask(store, "burst_days", topic="trade")] == [(5, 5.0)]
    assert ask(store, "burst_days") == []


@pytest.mark.parametrize(
    ("days", "relevant", "spread", "z"),
    [
        ((0, 0, 0, 0, 0, 0, 0), 3, None, None),  # one document of ten is 0.1: three are no burst, four are
        ((0, 0, 0, 0, 0, 0, 0), 4, 0.1, 4.0),
        ((1, 2, 1, 2, 1, 2, 1), 9, 0.1, 8.0),  # median 0.1, sqrt(10 * 0.1 * 0.9) = 0.95 documents, so one
        ((5, 5, 5, 5, 5, 5, 5), 10, None, None),  # sqrt(10 * 0.5 * 0.5) = 1.58 of ten: 0.5 / 0.158 = 3.16
        ((2, 2, 2, 2, 2, 2, 2), 7, 0.1265, 3.95),  # sqrt(10 * 0.2 * 0.8) = 1.265 of ten: 0.5 / 0.1265
    ],
)
def test_where_the_mad_is_zero_chance_stands_for_it(
    store: Store, days: tuple[int, ...], relevant: int, spread: float | None, z: float | None
) -> None:
    seen(store, o1={1: (relevant, 10), **before(*days, items=10)})
    found = [(row["spread"], row["z"]) for row in ask(store, "burst_days")]
    assert found == ([] if z is None else [(spread, z)])


def test_a_small_day_does_not_burst_by_its_size(store: Store) -> None:
    seen(store, o1={1: (1, 1), **before(1, 1, 1, 1, 1, 1, 1, items=10)})
    assert ask(store, "burst_days") == [], "the only item of the day is on the topic: 0.9 over one of one"


def test_days_before_are_those_of_28_days_that_were_seen_whole(store: Store) -> None:
    seen(store, mended=(29, 5), o1={1: (9, 10), **before(*[1] * 4, items=10), **before(*[1] * 4, items=10, start=27)})
    # days 2, 3, 4, 27 and 28 back; 5 and 29 were mended, and 30 would be too old
    assert [(row["days_before"], row["z"]) for row in ask(store, "burst_days", least="5")] == [(5, 8.0)]
    assert ask(store, "burst_days", least="6") == []


def test_the_day_before_the_window_is_no_measure(store: Store) -> None:
    seen(store, o1={1: (9, 10), **before(1, 1, 1, items=10, start=29)})
    # day 1 is measured by days 2 to 29 back, of which only day 29 was published; 30 and 31 are too old
    assert [row["days_before"] for row in ask(store, "burst_days", least="1")] == [1]


def test_only_whole_days_are_judged_unless_asked(store: Store) -> None:
    days = before(1, 1, 1, 1, 1, 1, 1, items=10, start=3)
    seen(store, mended=(2,), o1={0: (9, 10), 1: (8, 10), 2: (7, 10), **days})
    assert [(row["day"], row["z"]) for row in ask(store, "burst_days")] == [(YESTERDAY, 7.0)]
    found = [(row["day"].day, row["z"], row["days_before"]) for row in ask(store, "burst_days", complete="false")]
    assert found == [(19, 6.0, 7), (20, 7.0, 7), (21, 8.0, 8)], "a day not seen whole is never measured by"


def test_blocs_together_one_and_each(store: Store) -> None:
    steady = before(1, 1, 1, 1, 1, 1, 1, items=10)
    seen(store, o1={1: (9, 10), **steady}, o2={1: (1, 10), **steady})
    names = ("bloc", "share", "z", "seen", "outlets")
    together = [("all", 0.5, 5.96, 20, 2)]  # sqrt(20 * 0.1 * 0.9) / 20 = 0.0671; 0.4 / 0.0671
    china = [("china", 0.9, 8.0, 10, 1)]
    found = {
        bloc: [tuple(row[name] for name in names) for row in ask(store, "burst_days", bloc=bloc)]
        for bloc in ("all", "china", "us", "each", "nowhere")
    }
    assert found == {"all": together, "china": china, "us": [], "each": china, "nowhere": []}
    each = ask(store, "burst_days", bloc="each", z="-1")
    assert [(row["bloc"], row["z"]) for row in each] == [("china", 8.0), ("us", 0.0)]


def lifts(store: Store, *names: str, **params: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in ask(store, "over_coverage", **params)]


def test_lift_is_shrunken_toward_one(store: Store) -> None:
    # Day 2: 4 of 20 relevant, so 2 expected of each. Day 1: 8 of 40, so 2 and 6. In all o1 10 for 4, o2 2 for 8.
    # q = 36/4 + 36/8 = 13.5; freedom 1; weight = 12 - (16 + 64)/12 = 5.333; strength = 5.333 / 12.5 = 0.4267
    # o1 (0.4267 + 10) / (0.4267 + 4) = 2.355; o2 (0.4267 + 2) / (0.4267 + 8) = 0.288
    seen(store, o1={2: (4, 10), 1: (6, 10)}, o2={2: (0, 10), 1: (2, 30)})
    first, second = ask(store, "over_coverage", least="20")
    assert first == {
        "outlet": "O1",
        "country": "XX",
        "bloc": "china",
        "kind": "news",
        "n_seen": 20,
        "n_relevant": 10,
        "expected": 4.0,
        "raw": 2.5,
        "lift": 2.36,
        "low": 1.15,  # 2.3554 * (1 - 1/93.84 - 1.96/(3 * 3.2290)) ** 3 = 2.3554 * 0.7870 ** 3
        "high": 3.99,  # 2.3554 * 1.1917 ** 3
    }
    assert [second[name] for name in ("outlet", "n_seen", "n_relevant", "expected", "raw")] == ["O2", 40, 2, 8.0, 0.25]
    # 0.2880 * (1 - 1/21.84 - 1.96/(3 * 1.5578)) ** 3 = 0.2880 * 0.5348 ** 3, and 0.2880 * 1.3736 ** 3
    assert [second[name] for name in ("lift", "low", "high")] == [0.29, 0.04, 0.75]


def test_the_interval_is_that_of_the_gamma_distribution(store: Store) -> None:
    seen(store, o1={2: (4, 10), 1: (6, 10)}, o2={2: (0, 10), 1: (2, 30)})
    strength = (12 - 80 / 12) / 12.5
    for (low, high), relevant, expected in zip(lifts(store, "low", "high", least="1"), (10, 2), (4, 8), strict=True):
        exact = gamma(strength + relevant, scale=1 / (strength + expected)).ppf([0.025, 0.975])
        assert [low, high] == pytest.approx(list(exact), abs=0.01)


def test_a_loud_day_is_no_lift_of_the_outlet_that_was_seen_on_it_alone(store: Store) -> None:
    # Day 2: 1 of 10; day 1: 10 of 20. Expected of o1 1 + 5, of o2 5: both as expected, although o2 has 0.5 and o1 0.3.
    # q = 0, so its standard error sqrt(2) counts: weight = 11 - (36 + 25)/11 = 5.4545, strength = 3.857.
    # o1 shape 9.857: (1 - 1/88.71 - 1.96/(3 * 3.1396)) ** 3 = 0.7806 ** 3, and 1.1968 ** 3
    # o2 shape 8.857: (1 - 1/79.71 - 1.96/(3 * 2.9761)) ** 3 = 0.7679 ** 3, and 1.2070 ** 3
    seen(store, o1={2: (1, 10), 1: (5, 10)}, o2={1: (5, 10)})
    found = lifts(store, "outlet", "expected", "raw", "lift", "low", "high", least="10")
    assert found == [("O1", 6.0, 1.0, 1.0, 0.48, 1.71), ("O2", 5.0, 1.0, 1.0, 0.45, 1.76)]


def test_little_output_is_shrunken_more(store: Store) -> None:
    store.load("feeds", outlet=[outlet(f"o{n}") for n in (1, 2, 3)], feed=[feed(f"f{n}", f"o{n}") for n in (1, 2, 3)])
    # 8 of 80 relevant; expected 4, 3 and 1. q = 4/4 + 9/3 + 1 = 5; freedom 2, and sqrt(4) = 2 is less than 5 - 2 = 3
    # weight = 8 - 26/8 = 4.75; strength = 1.5833; o1 (1.5833 + 6) / 5.5833, o2 1.5833 / 4.5833, o3 (1.5833 + 2) / 2.5833
    seen(store, o1={1: (6, 40)}, o2={1: (0, 30)}, o3={1: (2, 10)})
    found = lifts(store, "outlet", "raw", "lift", "low", "high", least="1")
    assert found == [("O3", 2.0, 1.39, 0.34, 3.15), ("O1", 1.5, 1.36, 0.57, 2.48), ("O2", 0.0, 0.35, 0.02, 1.05)]


def test_outlets_seen_too_little_are_left_out_of_the_comparison_too(store: Store) -> None:
    seen(store, o1={1: (3, 30)}, o2={1: (20, 29)})
    assert lifts(store, "outlet", least="29") == [("O2",), ("O1",)]
    assert lifts(store, "outlet") == [], "one outlet alone has no others"


def test_days_not_seen_whole_and_days_before_do_not_count(store: Store) -> None:
    seen(store, mended=(2,), o1={3: (9, 10), 2: (9, 10), 1: (1, 10)}, o2={3: (1, 10), 2: (1, 10), 1: (1, 10)})
    names = ("outlet", "n_seen", "n_relevant")
    assert lifts(store, *names, least="20") == [("O1", 20, 10), ("O2", 20, 2)]
    found = lifts(store, *names, "raw", least="10", since="2026-11-20")
    assert found == [("O1", 10, 1, 1.0), ("O2", 10, 1, 1.0)]


def test_lift_of_a_topic_and_among_alike(store: Store) -> None:
    seen(store, o1={1: (4, 10)}, o2={1: (4, 10)})
    relabel(store, "o1-1-0", "o1-1-1", "o1-1-2", irrelevant="o1-1-0", unsure="o1-1-1")
    names = ("outlet", "n_relevant", "expected")
    assert lifts(store, *names, least="10", topic="trade") == [("O1", 1, 0.5), ("O2", 0, 0.5)]
    assert lifts(store, *names, least="10") == [("O2", 4, 3.0), ("O1", 2, 3.0)]
    assert lifts(store, *names, least="10", topic="defence") == [], "no document, nothing expected, no lift"
    assert len(lifts(store, *names, least="10", kind="news")) == 2
    assert lifts(store, *names, least="10", kind="official") == []
    assert lifts(store, *names, least="10", bloc="us") == [], "one outlet alone"

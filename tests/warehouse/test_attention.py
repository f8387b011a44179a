"""How much attention the topic gets: burst days and outlets that cover it more than others, by numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import gamma, nbinom

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
        "stories": 15,
        "items": 20,
        "complete_outlets": 1,
        "low": None,
        "high": None,
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


def mixed(stories: Any, expected: Any, tau: Any = None) -> tuple[Any, Any, Any]:
    """Compute lift, low and high of outlets by the definition: over the grid of tau, with exact quantiles of the mixture."""
    stories, expected = np.asarray(stories, float), np.asarray(expected, float)
    strength = 1 / (np.arange(1, 81) * 0.04 if tau is None else np.array([tau])) ** 2
    likely = nbinom.logpmf(stories[:, None], strength, strength / (strength + expected[:, None])).sum(axis=0)
    weight = np.exp(likely - likely.max())
    weight /= weight.sum()
    lifts = gamma(strength + stories[:, None], scale=1 / (strength + expected[:, None]))
    bounds = []
    for part in (0.025, 0.975):
        low, high = np.zeros(len(stories)), np.full(len(stories), 50.0)
        for _ in range(50):
            middle = (low + high) / 2
            under = (lifts.cdf(middle[:, None]) * weight).sum(axis=1) < part
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        bounds.append(low)
    return (lifts.mean() * weight).sum(axis=1), bounds[0], bounds[1]


def test_lift_is_shrunken_toward_one(store: Store) -> None:
    # Day 2: 4 of 20 relevant, so 2 expected of each. Day 1: 8 of 40, so 2 and 6. In all o1 10 for 4, o2 2 for 8.
    seen(store, o1={2: (4, 10), 1: (6, 10)}, o2={2: (0, 10), 1: (2, 30)})
    first, second = ask(store, "over_coverage", least="20")
    known = {
        "outlet": "O1",
        "country": "XX",
        "bloc": "china",
        "kind": "news",
        "n_seen": 20,
        "n_relevant": 10,
        "expected": 4.0,
        "raw": 2.5,
    }
    assert {**first, **known, "stories": 10} == first
    assert [second[name] for name in ("outlet", "n_seen", "n_relevant", "expected", "raw")] == ["O2", 40, 2, 8.0, 0.25]
    lift, low, high = mixed([10, 2], [4, 8])
    assert [first["lift"], second["lift"]] == pytest.approx(list(lift), abs=0.006)
    # the quantiles are those of the gamma distribution of that mean and variance
    assert [first["low"], second["low"]] == pytest.approx(list(low), abs=0.06)
    assert [first["high"], second["high"]] == pytest.approx(list(high), abs=0.12)
    assert 1 < first["lift"] < 2.5
    assert 0.25 < second["lift"] < 1


def test_a_loud_day_is_no_lift_of_the_outlet_that_was_seen_on_it_alone(store: Store) -> None:
    # Day 2: 1 of 10; day 1: 10 of 20. Expected of o1 1 + 5, of o2 5: both as expected, although o2 has 0.5 and o1 0.3.
    seen(store, o1={2: (1, 10), 1: (5, 10)}, o2={1: (5, 10)})
    rows = ask(store, "over_coverage", least="10")
    assert [(row["outlet"], row["expected"], row["raw"], row["lift"]) for row in rows] == [
        ("O1", 6.0, 1.0, 1.0),
        ("O2", 5.0, 1.0, 1.0),
    ]
    assert all(row["low"] < 0.7 and row["high"] > 1.4 for row in rows), (
        "two outlets that happen to agree say little of all"
    )


def test_little_output_is_shrunken_more(store: Store) -> None:
    store.load("feeds", outlet=[outlet(f"o{n}") for n in (1, 2, 3)], feed=[feed(f"f{n}", f"o{n}") for n in (1, 2, 3)])
    # 8 of 80 relevant; expected 4, 3 and 1
    seen(store, o1={1: (6, 40)}, o2={1: (0, 30)}, o3={1: (2, 10)})
    rows = {row["outlet"]: row for row in ask(store, "over_coverage", least="1")}
    assert {name: row["raw"] for name, row in rows.items()} == {"O3": 2.0, "O1": 1.5, "O2": 0.0}
    lift, _, _ = mixed([6, 0, 2], [4, 3, 1])
    assert [rows[name]["lift"] for name in ("O1", "O2", "O3")] == pytest.approx(list(lift), abs=0.006)
    assert abs(rows["O3"]["lift"] - 1) / 1.0 < abs(rows["O1"]["lift"] - 1) / 0.5, (
        "twice as much of one expected is less than 1.5 of four"
    )
    assert rows["O2"]["lift"] > 0.1


def test_the_interval_of_a_lift_holds_that_the_spread_of_the_lifts_is_not_known() -> None:
    """Eight outlets, 200 times: their intervals hold 95 % of the true lifts; those that take the estimated spread as known hold fewer."""
    chance = np.random.default_rng(2)
    expected = np.array([3, 4, 5, 6, 8, 10, 15, 20.0])
    held, plugged = [], []
    for _ in range(200):
        true = gamma(1 / 0.5**2, scale=0.5**2).rvs(8, random_state=chance)
        stories = chance.poisson(expected * true)
        _, low, high = mixed(stories, expected)
        held.append((low <= true) & (true <= high))
        weight = expected.sum() - (expected**2).sum() / expected.sum()
        spread = max(((stories - expected) ** 2 / expected).sum() - 7, 0.02 * weight) / weight
        _, low, high = mixed(stories, expected, np.sqrt(spread))
        plugged.append((low <= true) & (true <= high))
    assert 0.93 <= np.mean(held) <= 0.975
    assert np.mean(plugged) < np.mean(held) - 0.01


def retell(store: Store, *groups: tuple[str, ...]) -> None:
    """Make one story of the documents of each group."""
    rows = [
        {"document_id": f"d-{name}", "story_id": f"d-{group[0]}", "method": "1", "link": "origin" if name == group[0] else "copy",
         "computed_at": "2026-11-21T05:30:00Z"}
        for group in groups for name in group
    ]  # fmt: skip
    store.load("stories", story=rows)


def test_an_outlet_covers_a_story_once_a_day(store: Store) -> None:
    """O1 has 6 of 20, five of them one story of one day: 2 of 16. O2 copies that story, and it counts for it too: 2 of 20."""
    seen(store, o1={2: (1, 10), 1: (5, 10)}, o2={2: (1, 10), 1: (1, 10)})
    names = ("outlet", "n_seen", "n_relevant", "stories", "expected")
    assert lifts(store, *names, least="10")[0] == ("O1", 20, 6, 6, 4.0)
    retell(store, (*(f"o1-1-{n}" for n in range(5)), "o2-1-0"))
    # day 2: 2 of 20, one expected of each; day 1: 2 of 6 + 10 items: 6/8 and 10/8
    assert sorted(lifts(store, *names, least="10")) == [("O1", 20, 6, 2, 1.75), ("O2", 20, 2, 2, 2.25)]


def test_a_wire_story_in_many_outlets_is_no_burst(store: Store) -> None:
    """Day 1: O1 has 6 of 10 and O2 6 of 10; ten of the twelve documents are one story: 3 of 11 items, where 1 of 10 is usual."""
    steady = before(1, 1, 1, 1, 1, 1, 1, items=10)
    seen(store, o1={1: (6, 10), **steady}, o2={1: (6, 10), **steady})
    assert [(row["relevant"], row["stories"], row["share"]) for row in ask(store, "burst_days")] == [(12, 12, 0.6)]
    retell(store, (*(f"o1-1-{n}" for n in range(5)), *(f"o2-1-{n}" for n in range(5))))
    assert ask(store, "burst_days") == []
    (row,) = ask(store, "burst_days", z="-1", since="2026-11-20")
    assert (row["relevant"], row["seen"], row["stories"], row["items"], row["share"]) == (12, 20, 3, 11, 0.2727)
    # sqrt(11 * 0.1 * 0.9) is less than one story: one of 11
    assert (row["median"], row["spread"], row["z"]) == (0.1, 0.0909, 1.9)
    (row,) = ask(store, "burst_days", unit="documents")
    assert (row["share"], row["items"], row["z"]) == (0.6, 20, 7.45)  # 0.5 / (sqrt(20 * 0.1 * 0.9) / 20)


def test_the_intervals_of_a_share_are_what_a_bootstrap_over_outlets_finds(store: Store) -> None:
    chance = np.random.default_rng(4)
    names = [f"o{n}" for n in range(1, 31)]
    store.load(
        "feeds", outlet=[outlet(name) for name in names], feed=[feed(name.replace("o", "f"), name) for name in names]
    )
    items = chance.integers(3, 12, 30)
    relevant = chance.binomial(items, chance.beta(3, 3, 30))
    days = {name: {1: (int(relevant[n]), int(items[n])), 2: (0, 3)} for n, name in enumerate(names)}
    seen(store, (), **days)
    (row,) = ask(store, "burst_days", least="1")
    drawn = chance.integers(0, 30, (4000, 30))
    spread = np.std(relevant[drawn].sum(axis=1) / items[drawn].sum(axis=1))
    assert (row["outlets"], row["share"]) == (30, round(relevant.sum() / items.sum(), 4))
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.045 * spread, rel=0.1)
    share = ask(store, "daily_share", since="2026-11-20")[0]
    assert (share["pooled_low"], share["pooled_high"]) == (row["low"], row["high"]), "where no story has copies"
    means = np.mean((relevant / items)[drawn], axis=1)
    assert (share["mean_high"] - share["mean_low"]) / 2 == pytest.approx(2.045 * np.std(means), rel=0.1)


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

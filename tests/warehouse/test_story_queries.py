"""Raw, distinct, one vote a story and country: rows in, rows out, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.load import finish_run
from warehouse.query import run_checks, run_query

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
Row = dict[str, Any]
# document, outlet (country and a letter; the bloc follows from the country), time of publication, story, net stance
Told = tuple[str, str, str, str, float]
BLOC = {"US": "us", "CN": "china", "KE": "global_south", "AR": "global_south"}


def ask(store: Store, name: str, **params: str) -> list[Row]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def some(rows: Sequence[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def publish(store: Store, told: Sequence[Told], translated: tuple[str, ...] = (), lang: str = "en") -> None:
    """Load documents with their places in stories; the first one of a story is its origin."""
    outlets = sorted({each[1] for each in told})
    store.load("feeds", feed=[feed(f"f-{who}", who) for who in outlets],
               outlet=[{**outlet(who, BLOC[who[:2]]), "country": who[:2]} for who in outlets])  # fmt: skip
    entries = [
        entry(f"e-{name}", n, f"f-{who}", who, published_at=when) for n, (name, who, when, _, _) in enumerate(told)
    ]
    polls = [
        poll(f"p-{who}-{day}", f"f-{who}", polled_at=f"{day}T23:00:00Z")
        for who in outlets
        for day in {each[2][:10] for each in told}
    ]
    store.load("poll", poll=sorted(polls, key=lambda row: row["poll_id"]), entry=entries)
    rows = merged(*(document_rows(name, f"e-{name}", who, f"f-{who}", lang=lang) for name, who, *_ in told))
    for row, each in zip(rows["stance_label"], told, strict=True):
        row |= {"p_favor": (1 + each[4]) / 2, "p_against": (1 - each[4]) / 2, "p_neutral": 0}
        row["label"] = "favor" if each[4] > 0 else "against"
    store.load("documents", entry=[done(f"e-{each[0]}", each[0]) for each in told], **rows)
    origin: dict[str, str] = {}
    for name, _, _, story, _ in told:
        origin.setdefault(story, name)
    store.load("stories", story=[place(each[0], origin[each[3]], translated) for each in told])
    finish_run(store.target, "run-1", NOW, {}, now=NOW)


def place(name: str, origin: str, translated: tuple[str, ...]) -> Row:
    row: Row = {"document_id": name, "story_id": origin, "method": "1", "computed_at": "2026-11-20T08:00:00Z"}
    if name == origin:
        return {**row, "parent_id": None, "link": "origin", "similarity": None}
    return {**row, "parent_id": origin, "link": "translation" if name in translated else "copy", "similarity": 0.9}


WEEK: list[Told] = [  # two stories and one document alone; Monday is 16 November
    ("wire", "US-a", "2026-11-17T08:00:00Z", "s", 0.5),
    ("us-copy", "US-b", "2026-11-17T10:00:00Z", "s", 0.5),
    ("us-late", "US-c", "2026-11-18T09:00:00Z", "s", -0.1),
    ("ke-copy", "KE-a", "2026-11-17T12:30:00Z", "s", 0.7),
    ("ar-copy", "AR-a", "2026-11-19T00:00:00Z", "s", 0.1),
    ("ar-wire", "AR-a", "2026-11-18T07:00:00Z", "z", -0.4),
    ("us-z", "US-a", "2026-11-18T09:30:00Z", "z", -0.6),
    ("alone", "US-b", "2026-11-19T09:00:00Z", "y", 0.2),
]


def test_net_stance_counts_one_vote_a_story_and_country(store: Store) -> None:
    """us: story s (0.5 + 0.5 - 0.1) / 3 = 0.3, z -0.6, alone 0.2: mean -0.0333. Five documents, three votes, of outlets a, a, b."""
    publish(store, WEEK)
    rows = ask(store, "net_stance")
    names = ("bloc", "week", "n", "stories", "documents", "clusters", "net", "low", "high", "note")
    week = date(2026, 11, 16)
    assert some(rows, *names) == [
        ("global_south", week, 3, 2, 3, 2, None, None, None, None),
        ("us", week, 3, 3, 5, 2, None, None, None, None),
    ]
    # by story: left out in turn -0.2, 0.25, -0.05; variance 2/3 (0.1667^2 + 0.2833^2 + 0.0167^2) = 0.07222; t2 4.303 covers all
    (us,) = ask(store, "net_stance", least="3", cluster="story", bloc="us")
    assert some([us], "clusters", "net", "low", "high") == [(3, -0.033, -1.0, 1.0)]
    assert us["seen_whole"] == round(9 / 21, 2), "three outlets, each seen whole on three days of seven"
    assert ask(store, "net_stance", target="us_approach") == []
    assert run_checks(store.target) == {}


def test_targets_that_are_not_on_one_scale_say_so(store: Store) -> None:
    publish(store, WEEK[:1])
    rows = merged(document_rows("wire", "", run="m2"))
    rows["stance_label"] = [
        {**rows["stance_label"][0], "target": name} for name in ("us_approach", "china_initiative", "multilateral")
    ]
    rows["label_run"][0]["created_at"] = "2026-11-21T00:00:00Z"
    store.load("documents", **{name: rows[name] for name in ("label_run", "relevance_label", "stance_label")})
    assert dict(some(ask(store, "net_stance"), "target", "note")) == {
        "us_approach": "not on one scale with china_initiative",
        "china_initiative": "not on one scale with us_approach",
        "multilateral": None,
    }


def test_the_interval_is_what_a_bootstrap_over_outlets_finds(store: Store) -> None:
    """Forty outlets of one to five stories each, which share a line of their own: a seeded bootstrap agrees within a tenth."""
    chance = np.random.default_rng(5)
    told: list[Told] = []
    for who in range(40):
        line = chance.normal(0, 0.3)
        for n in range(int(chance.integers(1, 6))):
            net = round(float(np.clip(line + chance.normal(0, 0.1), -1, 1)), 3)
            told.append((f"d-{who}-{n}", f"US-{who:02}", "2026-11-18T09:00:00Z", f"s-{who}-{n}", net))
    publish(store, told)
    (row,) = ask(store, "net_stance")
    sums = np.array(
        [
            [
                sum(each[4] for each in told if each[1] == f"US-{who:02}"),
                sum(each[1] == f"US-{who:02}" for each in told),
            ]
            for who in range(40)
        ]
    )
    drawn = sums[chance.integers(0, 40, (4000, 40))].sum(axis=1)
    spread = float(np.std(drawn[:, 0] / drawn[:, 1]))
    assert (row["n"], row["clusters"]) == (len(told), 40)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(student(39).ppf(0.975) * spread, rel=0.1)
    naive = 1.96 * np.std([each[4] for each in told], ddof=1) / math.sqrt(len(told))
    assert (row["high"] - row["low"]) / 2 > 1.3 * naive, "documents of one outlet are not independent"


def test_the_interval_is_exact_where_each_outlet_has_one_vote(store: Store) -> None:
    """0.1 to 0.5: mean 0.3, squared error 0.025 / 5 = 0.005; t of four degrees 2.776 * 0.0707 = 0.196."""
    publish(store, [(f"d{n}", f"US-{n}", "2026-11-18T09:00:00Z", f"s{n}", n / 10) for n in range(1, 6)])
    assert some(ask(store, "net_stance"), "n", "net", "low", "high") == [(5, 0.3, 0.104, 0.496)]


def test_daily_share_raw_distinct_and_votes(store: Store) -> None:
    publish(store, WEEK)
    rows = {row["day"].day: row for row in ask(store, "daily_share")}
    names = ("relevant", "seen", "stories", "votes", "pooled_share", "distinct_share")
    assert some([rows[17], rows[18], rows[19]], *names) == [
        (3, 3, 1, 2, 1.0, 1.0),
        (3, 3, 2, 3, 1.0, 1.0),
        (2, 2, 2, 2, 1.0, 1.0),
    ]
    extra = [
        entry(f"x{n}", n, "f-US-a", "US-a", published_at="2026-11-17T09:00:00Z") for n in range(3)
    ]  # seen, never read
    store.load("poll", "run-2", poll=[poll("p-x", "f-US-a", polled_at="2026-11-17T23:30:00Z")], entry=extra)
    finish_run(store.target, "run-2", NOW, {}, now=NOW)
    row = next(row for row in ask(store, "daily_share") if row["day"].day == 17)
    # six items; three of them one story: one of four that are told
    assert some([row], *names) == [(3, 6, 1, 2, 0.5, 0.25)]
    assert some(ask(store, "daily_share", bloc="global_south", since="2026-11-17"), "relevant", "stories", "votes")[
        0
    ] == (1, 1, 1)


def test_amplification(store: Store) -> None:
    publish(store, WEEK, translated=("ar-copy",))
    rows = ask(store, "amplification")
    names = ("place", "documents", "stories", "amplification", "original", "original_rate", "translations", "outlets")
    assert some(rows, *names) == [
        ("(all)", 8, 3, 2.67, None, None, 1, 5),
        ("US", 5, 3, 1.67, 2, 0.667, 0, 3),  # s and y began there, z did not
        ("AR", 2, 2, 1.0, 1, 0.5, 1, 1),
        ("KE", 1, 1, 1.0, 0, 0.0, 0, 1),
    ]
    assert {row["seen_whole"] for row in rows} == {1.0}
    assert some(ask(store, "amplification", by="bloc", since="2026-11-18"), "place", "documents", "stories") == [
        ("(all)", 5, 3), ("us", 3, 3), ("global_south", 2, 2)]  # fmt: skip
    assert some(ask(store, "amplification", by="outlet", until="2026-11-17"), "place", "documents")[1:] == [
        ("KE-A", 1), ("US-A", 1), ("US-B", 1)]  # fmt: skip
    assert ask(store, "amplification", topic="trade") == []


def test_an_origin_that_is_not_known_is_nobodys(store: Store) -> None:
    publish(
        store, [("one", "US-a", "2026-11-18T09:00:00Z", "s", 0.1), ("two", "KE-a", "2026-11-18T00:00:00Z", "s", 0.1)]
    )
    assert some(ask(store, "amplification"), "place", "original", "first_unclear", "original_rate") == [
        ("(all)", None, 1, None), ("KE", 0, 1, None), ("US", 0, 1, None)]  # fmt: skip
    assert some(ask(store, "first_to_publish"), "led", "followed", "unclear", "median_hours") == [(0, 0, 1, None)] * 2


def test_first_to_publish(store: Store) -> None:
    """s: us 08:00, global south 12:30 of the same day: 4.5 hours. z: Argentina 07:00, us 09:30: 2.5 hours. y is not shared."""
    publish(store, WEEK)
    names = (
        "first",
        "follower",
        "stories",
        "led",
        "followed",
        "at_once",
        "unclear",
        "median_days",
        "hours_known",
        "median_hours",
    )
    assert some(ask(store, "first_to_publish"), *names) == [
        ("global_south", "us", 2, 1, 1, 0, 0, 0.0, 1, 2.5),
        ("us", "global_south", 2, 1, 1, 0, 0, 0.0, 1, 4.5),
    ]
    rows = {(row["first"], row["follower"]): row for row in ask(store, "first_to_publish", by="country")}
    # s: us on the 17th, Argentina on the 19th without an hour: two days, and no hours
    assert some([rows["US", "AR"]], *names[2:]) == [(2, 1, 1, 0, 0, 2.0, 0, None)]
    assert some([rows["US", "KE"]], *names[2:]) == [(1, 1, 0, 0, 0, 0.0, 1, 4.5)]
    assert some(ask(store, "first_to_publish", since="2026-11-18"), "first", "led") == [("global_south", 1), ("us", 0)]
    assert ask(store, "first_to_publish", least="3") == []


def test_strongest_sentences_come_once_a_story(store: Store) -> None:
    publish(store, WEEK)
    names = ("document_id", "story_id", "p", "documents")
    asked = {"target": "binding_rules", "label": "favor"}
    assert some(ask(store, "strongest_sentences", **asked), *names) == [
        ("ke-copy", "wire", 0.85, 4),
        ("alone", "alone", 0.6, 1),
    ]
    assert some(ask(store, "strongest_sentences", **asked, bloc="us"), *names)[0] == ("wire", "wire", 0.75, 2)


def test_telling_words_take_the_first_document_of_a_story(store: Store) -> None:
    told: list[Told] = [(f"copy-{n}", f"US-{n}", f"2026-11-18T0{n}:30:00Z", "s", 0.5) for n in range(5)]
    told += [(f"other-{n}", f"KE-{n}", "2026-11-18T09:00:00Z", f"o-{n}", -0.5) for n in range(2)]
    publish(store, told)
    found = ask(store, "telling_words", target="binding_rules", least="1")
    assert {(row["favor"], row["against"]) for row in found} <= {(1, 2)}, "five copies are one story"


def test_counts_of_a_story_by_country(store: Store) -> None:
    publish(store, WEEK)
    rows = store.rows("FROM story_country WHERE story_id = 'wire' ORDER BY country")
    assert some(rows, "country", "documents", "relevant", "outlets", "first_document_id") == [
        ("AR", 1, 1, 1, "ar-copy"), ("KE", 1, 1, 1, "ke-copy"), ("US", 3, 3, 3, "wire")]  # fmt: skip
    assert rows[0]["first_published_at"] is None, "a day is no hour"
    assert rows[1]["first_published_at"].isoformat() == "2026-11-17T12:30:00+00:00"
    (all_three,) = store.rows(
        "SELECT sum(documents) AS raw, count(DISTINCT story_id) AS distinct_stories, count(*) AS votes FROM story_country"
    )
    assert list(all_three.values()) == [8, 3, 6]

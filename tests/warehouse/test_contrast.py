"""Named queries that set two groups against each other, before and after or for and against: rows in, rows out."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.load import finish_run
from warehouse.query import run_query

EVENT = date(2025, 7, 26)
NOW = datetime(2025, 9, 1, tzinfo=UTC)
T4 = 2.776  # 97.5 % of t with four degrees of freedom, from a printed table
Said = tuple[str, int, float]  # outlet, day counted from the event, net stance


def ask(store: Store, name: str, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def shift(store: Store, **params: str) -> dict[str, dict[str, Any]]:
    """Ask event_shift with every cell shown; rows by bloc."""
    return {row["bloc"]: row for row in ask(store, "event_shift", **{"least": "1", **params})}


def report(store: Store, *said: Said, polled: tuple[int, ...] = (-16, 16), dark: tuple[str, ...] = ()) -> None:
    """Load a document a row, `<bloc>-<name>` naming its outlet; all outlets but the dark ones are polled on these days.

    The days from the first poll to the last are seen whole.
    """
    outlets = sorted({who for who, _, _ in said})
    store.load(
        "feeds",
        outlet=[outlet(who, who.split("-")[0]) for who in outlets],
        feed=[feed(f"f-{who}", who) for who in outlets],
    )
    polls = [
        poll(f"p{day}-{who}", f"f-{who}", polled_at=f"{EVENT + timedelta(days=day)}T12:00:00Z")
        for day in polled
        for who in outlets
        if who not in dark
    ]
    entries = [
        entry(f"e{n}", n, f"f-{who}", who, published_at=f"{EVENT + timedelta(days=day)}T12:00:00Z")
        for n, (who, day, _) in enumerate(said)
    ]
    store.load("poll", poll=polls, entry=entries)
    rows = merged(*(document_rows(f"d{n}", f"e{n}", who, f"f-{who}") for n, (who, _, _) in enumerate(said)))
    for row, (_, _, net) in zip(rows["stance_label"], said, strict=True):
        row |= {"p_favor": (1 + net) / 2, "p_against": (1 - net) / 2, "p_neutral": 0}
    store.load("documents", entry=[done(f"e{n}", f"d{n}") for n in range(len(said))], **rows)
    finish_run(store.target, "run-1", NOW, {}, now=NOW)


def pairs(bloc: str, *shifts: float, start: float = 0.0) -> list[Said]:
    """One document before and one after in as many outlets as there are shifts."""
    return [
        (f"{bloc}-{n}", day, net)
        for n, by in enumerate(shifts)
        for day, net in ((-3, start), (3, round(start + by, 3)))
    ]


def test_event_shift_is_a_paired_comparison_where_each_outlet_has_one_document_a_side(store: Store) -> None:
    """With one document a window in each outlet the jackknife is the paired t interval: margin = t4 * sd / sqrt(5).

    us: shifts 0.1 to 0.5, mean 0.3, variance 0.025, squared error 0.005. china: 0 to 0.2, mean 0.1, 0.00625 and 0.00125.
    """
    report(store, *pairs("us", 0.1, 0.2, 0.3, 0.4, 0.5, start=-0.2), *pairs("china", 0.0, 0.05, 0.1, 0.15, 0.2))
    rows = ask(store, "event_shift")
    did: dict[str, Any] = {"did": 0.2, "did_low": round(0.2 - T4 * math.sqrt(0.00625), 3), "did_high": 0.419}
    assert did["did_low"] == -0.019
    counts: dict[str, Any] = {"n_before": 5, "outlets_before": 5, "n_after": 5, "outlets_after": 5}
    beside: dict[str, Any] = {
        "documents_before": 5,
        "documents_after": 5,
        "seen_whole": 1.0,
        "event_name": None,
        "note": None,
    }
    shared: dict[str, Any] = {"target": "binding_rules", **counts, "overlap": "2025-07-23: 25 of 28 days", **beside}
    own: dict[str, Any] = {"net_before": -0.2, "net_after": 0.1, "shift": 0.3, "low": 0.104, "high": 0.496}
    china: dict[str, Any] = {"net_before": 0.0, "net_after": 0.1, "shift": 0.1, "low": 0.002, "high": 0.198}
    assert rows == [
        {**shared, "bloc": "china", **china, "did": -0.2, "did_low": -0.419, "did_high": 0.019},
        {**shared, "bloc": "us", **own, **did},
    ]
    assert ask(store, "event_shift", bloc="us") == rows[1:], "the other blocs stay the comparison"
    small = ask(store, "event_shift", least="6")
    assert [(row["bloc"], row["n_before"], row["n_after"]) for row in small] == [("china", 5, 5), ("us", 5, 5)]
    assert {
        row[name] for row in small for name in ("net_before", "net_after", "shift", "low", "high", "did", "did_low")
    } == {None}


UNEVEN: list[Said] = [
    *[("us-0", -4, net) for net in (0.9, 0.7, 0.8, 0.6)],
    *[("us-0", 4, net) for net in (-0.5, -0.4, -0.6)],
    *[(f"us-{n}", -2, 0.1 * n) for n in range(1, 6)],
    *[(f"us-{n}", 5, 0.3 - 0.1 * n) for n in range(2, 7)],
]


def left_out(who: str | None) -> float:
    """Return the shift without an outlet, by its definition."""
    before = [net for other, day, net in UNEVEN if day < 0 and other != who]
    after = [net for other, day, net in UNEVEN if day >= 0 and other != who]
    return sum(after) / len(after) - sum(before) / len(before)


def test_event_shift_without_each_outlet_in_turn(store: Store) -> None:
    """Seven outlets, six in each window: t with five degrees of freedom is 2.571."""
    report(store, *UNEVEN)
    whole = left_out(None)
    squares = sum((left_out(f"us-{n}") - whole) ** 2 for n in range(7))
    margin = 2.571 * math.sqrt(6 / 7 * squares)
    (row,) = ask(store, "event_shift", complete="false")
    assert (row["n_before"], row["n_after"], row["outlets_before"], row["outlets_after"]) == (9, 8, 6, 6)
    assert (row["net_before"], row["net_after"]) == (0.5, -0.25), "(3.0 + 1.5) / 9 and (-1.5 - 0.5) / 8"
    assert row["shift"] == -0.75
    assert [row["low"], row["high"]] == pytest.approx([whole - margin, whole + margin], abs=0.001)
    assert (row["did"], row["did_low"], row["did_high"]) == (None, None, None), "nobody to compare with"


def test_event_shift_gives_no_interval_for_fewer_than_five_outlets_in_a_window(store: Store) -> None:
    report(store, *pairs("us", 0.1, 0.2, 0.3, 0.4, 0.5), *pairs("eu", 0.1, 0.2, 0.3, 0.6), *pairs("china", 0.4))
    rows = shift(store)
    assert [(rows[bloc]["shift"], rows[bloc]["low"], rows[bloc]["did_low"]) for bloc in ("eu", "china")] == [
        (0.3, None, None),
        (0.4, None, None),
    ]
    assert (rows["us"]["low"], rows["us"]["high"]) == (0.104, 0.496)
    assert rows["us"]["did"] == -0.02, "the others: (0.1 + 0.2 + 0.3 + 0.6 + 0.4) / 5 = 0.32, document by document"
    assert rows["us"]["did_low"] is not None, "four outlets of the eu and one of china are five"
    assert shift(store, least="4")["eu"]["shift"] == 0.3
    rows = shift(store, least="5")
    assert {bloc: (row["n_after"], row["shift"], row["did"]) for bloc, row in rows.items()} == {
        "china": (1, None, None),
        "eu": (4, None, None),
        "us": (5, 0.3, -0.02),
    }


def test_event_shift_leaves_the_difference_out_where_the_others_are_too_few(store: Store) -> None:
    report(store, *pairs("us", 0.1, 0.2, 0.3), *pairs("eu", 0.1))
    rows = shift(store, least="2")
    assert {bloc: (row["shift"], row["did"]) for bloc, row in rows.items()} == {"eu": (None, None), "us": (0.2, None)}
    assert {bloc: row["did"] for bloc, row in shift(store).items()} == {"eu": -0.1, "us": 0.1}


def test_event_shift_takes_the_days_of_its_windows(store: Store) -> None:
    days = ((-15, 0.9), (-14, 0.1), (-1, 0.3), (0, 0.5), (13, 0.7), (14, -0.9))
    report(store, *(("us-0", day, net) for day, net in days), polled=(-16, 16))
    row = shift(store)["us"]
    assert (row["n_before"], row["net_before"], row["n_after"], row["net_after"]) == (2, 0.2, 2, 0.6)
    wide = shift(store, days="15")["us"]
    assert (wide["n_before"], wide["n_after"]) == (3, 3)
    moved = shift(store, event="2025-07-27")["us"]
    assert (moved["net_before"], moved["net_after"]) == (0.4, -0.1), "the day itself counts as after"
    assert shift(store, days="0") == {}


def test_event_shift_counts_documents_that_take_a_sure_position_or_none(store: Store) -> None:
    report(store, *pairs("us", 0.1, 0.2, 0.3, 0.4))
    again: dict[str, Any] = {"label_run_id": "m2", "model_id": "new", "created_at": "2026-11-21T08:00:00Z"}
    rows = merged(*(document_rows(f"d{n}", f"e{n}", run="m2") for n in range(8)))
    for row in rows["stance_label"]:
        row |= {"p_favor": 0.5, "p_against": 0.25}
    rows["stance_label"][1] |= {"addressed": False}
    rows["stance_label"][3] |= {"abstain": True}
    rows["relevance_label"][5] |= {"label": False}
    rows["relevance_label"][6] |= {"abstain": True}
    labels = {name: rows[name] for name in ("relevance_label", "stance_label")}
    store.load("documents", label_run=[again], **labels)
    row = shift(store)["us"]
    assert (row["n_before"], row["n_after"], row["net_after"]) == (3, 1, 0.25), "by the newest run alone"


def test_event_shift_leaves_out_outlets_that_were_not_seen_on_both_sides(store: Store) -> None:
    report(store, *pairs("us", 0.1, 0.3), *pairs("china", 0.2), dark=("us-1", "china-0"))
    row = shift(store)["us"]
    assert (row["outlets_before"], row["shift"], row["did"]) == (1, 0.1, None)
    assert {bloc: row["shift"] for bloc, row in shift(store, complete="false").items()} == {"china": 0.2, "us": 0.2}


@pytest.mark.parametrize("polled", [(-3,), (3,), (0, 14), ()])
def test_event_shift_has_nothing_to_say_of_a_side_that_nobody_watched(store: Store, polled: tuple[int, ...]) -> None:
    report(store, *pairs("us", 0.1), polled=polled)
    assert shift(store) == {}
    row = shift(store, complete="false")["us"]
    assert (row["shift"], row["seen_whole"]) == (0.1, 0.5 if polled else 0.0)


def test_event_shift_counts_no_document_of_a_day_that_was_not_seen_whole(store: Store) -> None:
    """The outlet is watched from two days before the event to three days after: what it wrote earlier and later may be a part of it."""
    days = ((-9, 0.9), (-2, 0.1), (-1, 0.3), (0, 0.5), (3, 0.7), (4, -0.9), (9, -0.9))
    report(store, *(("us-0", day, net) for day, net in days), polled=(-2, 3))
    row = shift(store)["us"]
    assert (row["n_before"], row["net_before"], row["n_after"], row["net_after"]) == (2, 0.2, 2, 0.6)
    assert row["seen_whole"] == round(4 / 7, 2)
    every = shift(store, complete="false")["us"]
    assert (every["n_before"], every["n_after"], every["net_after"]) == (3, 4, -0.15)


def copies(store: Store, *groups: tuple[int, ...]) -> None:
    """Make one story of the documents of each group, the first its origin."""
    when = {"method": "1", "computed_at": "2025-08-01T00:00:00Z"}
    rows = [
        {"document_id": f"d{n}", "story_id": f"d{group[0]}", "link": "origin" if n == group[0] else "copy", **when}
        for group in groups
        for n in group
    ]
    store.load("stories", story=rows)


def test_event_shift_has_one_vote_a_story_and_country_on_the_side_of_its_first_document(store: Store) -> None:
    """A wire story of the day before is printed by three outlets, once after the event: one vote before, 0.6, of the first of them."""
    wire: list[Said] = [("us-0", -1, 0.5), ("us-1", -1, 0.7), ("us-2", 2, 0.6)]
    report(
        store,
        *wire,
        ("us-0", -2, 0.2),
        ("us-1", 1, -0.4),
        ("china-0", 1, 0.9),
        ("china-0", -3, 0.1),
        polled=(-16, -1, 0, 16),
    )
    copies(store, (0, 1, 2, 5))
    rows = shift(store)
    us = rows["us"]
    assert (us["n_before"], us["documents_before"], us["net_before"]) == (2, 4, 0.4)
    assert (us["n_after"], us["documents_after"], us["net_after"]) == (1, 1, -0.4)
    assert (us["outlets_before"], us["outlets_after"]) == (1, 1)
    assert (rows["china"]["n_after"], rows["china"]["net_after"]) == (1, 0.9), "a vote in each country"


def test_the_intervals_of_shift_and_difference_are_what_a_bootstrap_over_outlets_finds(store: Store) -> None:
    """Thirty outlets a bloc with a line and a move of their own, one to three stories a window: within a tenth of a seeded bootstrap."""
    chance = np.random.default_rng(7)
    said: list[Said] = []
    for bloc, move in (("us", 0.25), ("china", 0.05)):
        for who in range(30):
            line, own = chance.normal(0, 0.2), move + chance.normal(0, 0.15)
            for day, middle in ((-3, line), (3, line + own)):
                nets = np.clip(middle + chance.normal(0, 0.1, int(chance.integers(1, 4))), -1, 1)
                said += [(f"{bloc}-{who}", day, round(float(net), 3)) for net in nets]
    report(store, *said)
    row = shift(store, least="5")["us"]
    drawn = {bloc: drawn_shifts(said, bloc, chance) for bloc in ("us", "china")}
    t29 = 2.045
    assert (row["high"] - row["low"]) / 2 == pytest.approx(t29 * np.std(drawn["us"]), rel=0.1)
    assert (row["did_high"] - row["did_low"]) / 2 == pytest.approx(t29 * np.std(drawn["us"] - drawn["china"]), rel=0.1)


def drawn_shifts(said: list[Said], bloc: str, chance: np.random.Generator) -> Any:
    """Compute the shift of a bloc over 4,000 samples of its outlets."""
    sums = np.zeros((30, 4))  # votes and sums before, votes and sums after
    for who, day, net in said:
        if who.startswith(f"{bloc}-"):
            sums[int(who.partition("-")[2]), (0, 1) if day < 0 else (2, 3)] += (1, net)
    total = sums[chance.integers(0, 30, (4000, 30))].sum(axis=1)
    return total[:, 3] / total[:, 2] - total[:, 1] / total[:, 0]


def happened(*events: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"event_id": f"{day} {name}", "day": day, "name": name} for day, name in events]


def test_event_shift_warns_of_every_event_of_the_warehouse_whose_windows_overlap(store: Store) -> None:
    store.load(
        "events",
        event=happened(
            ("2025-07-23", "Plan"), ("2025-07-26", "WAIC"), ("2025-08-20", "Later"), ("2026-02-16", "Summit")
        ),
    )
    report(store, ("us-0", -1, 0.1), ("us-0", 0, 0.2), ("us-0", 24, 0.3), ("us-0", 25, 0.3), polled=(-16, 30))
    row = shift(store)["us"]
    assert row["overlap"] == "2025-07-23: 25 of 28 days (Plan); 2025-08-20: 3 of 28 days (Later)"
    assert row["event_name"] == "WAIC"
    assert (
        shift(store, event="2025-08-20", other="2025-08-18", days="12")["us"]["overlap"] == "2025-08-18: 22 of 24 days"
    )
    assert shift(store, event="2025-08-20", days="12")["us"]["event_name"] == "Later"


def test_event_shift_says_which_targets_are_not_on_one_scale(store: Store) -> None:
    report(store, *pairs("us", 0.1))
    rows = merged(document_rows("d0", "e0", run="m2"), document_rows("d1", "e1", run="m2"))
    rows["stance_label"] = [
        {**row, "target": name}
        for row in rows["stance_label"]
        for name in ("us_approach", "china_initiative", "multilateral")
    ]
    rows["label_run"] = [{**rows["label_run"][0], "created_at": "2026-11-21T08:00:00Z"}]
    store.load("documents", **{name: rows[name] for name in ("label_run", "relevance_label", "stance_label")})
    assert {row["target"]: row["note"] for row in ask(store, "event_shift")} == {
        "us_approach": "not on one scale with china_initiative",
        "china_initiative": "not on one scale with us_approach",
        "multilateral": None,
    }


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "2025-07-23: 25 of 28 days"),
        ({"days": "3"}, "2025-07-23: 3 of 6 days"),
        ({"days": "4", "other": "2025-08-02"}, "2025-08-02: 1 of 8 days"),
        ({"days": "4", "other": "2025-08-03"}, None),
        ({"other": "2025-07-26"}, None),
        ({"other": "2024-07-26"}, None),
    ],
)
def test_event_shift_names_the_other_event_whose_windows_overlap(
    store: Store, params: dict[str, str], words: str | None
) -> None:
    report(store, ("us-0", -1, 0.1), ("us-0", 0, 0.2))
    assert shift(store, **params)["us"]["overlap"] == words


def write(store: Store, *sentences: tuple[str, str], lang: str = "en", **more: Any) -> None:
    """Load a document a row with its stance toward binding_rules and its sentence of evidence; `favor?` abstains."""
    names = [f"{lang}-{len(store.rows('SELECT 1 FROM document')) + n}" for n in range(len(sentences))]
    store.load("poll", poll=[poll(f"p-{names[0]}", "f1")], entry=[entry(f"e-{name}") for name in names])
    rows = merged(*(document_rows(name, f"e-{name}", lang=lang) for name in names))
    for stance, evidence, (said, text) in zip(rows["stance_label"], rows["evidence"], sentences, strict=True):
        stance |= {"label": said.rstrip("?"), "abstain": said.endswith("?"), **more}
        evidence |= {"text": text, **{key: more[key] for key in more if key == "target"}}
    store.load("documents", entry=[done(f"e-{name}", name) for name in names], **rows)


def words(store: Store, **params: str) -> list[tuple[Any, ...]]:
    """Ask telling_words of binding_rules, with words of a single document too."""
    return [
        tuple(row.values())[:5]
        for row in ask(store, "telling_words", **{"target": "binding_rules", "least": "1", **params})
    ]


def test_telling_words(store: Store) -> None:
    """Words by documents: rules 12, people 12, protect 6, stifle 6 and 16 times four others: 100 in all.

    So the prior of protect is 500 * 6 / 100 = 30; a side has 18 words, with the prior 518.
    """
    write(store, *[("favor", "Rules PROTECT people.")] * 6, *[("against", "Rules stifle people!")] * 6)
    write(store, *[("favor", "Chips cross borders today")] * 16, target="restriction")
    z = (math.log(36 / (518 - 36)) - math.log(30 / (518 - 30))) / math.sqrt(1 / 36 + 1 / 30)
    assert round(z, 2) == 0.79
    assert words(store) == [("favor", "protect", 6, 0, 0.79), ("against", "stifle", 0, 6, -0.79)]
    assert words(store, least="6") == words(store)
    assert words(store, least="7") == []
    assert words(store, target="restriction") == [], "without the other side nothing tells them apart"


def test_telling_words_weigh_sides_of_unequal_size(store: Store) -> None:
    """Eight documents for and two against, 20 words in all: duty 8, law 5, cost 5, delay 2.

    Priors are 200, 125, 125 and 50. The sides have 8 + 4 + 3 = 15 and 1 + 2 + 2 = 5 words, with the prior 515 and 505.
    """
    write(store, *[("favor", "duty law")] * 4, *[("favor", "duty cost")] * 3, ("favor", "duty"))
    write(store, ("against", "law cost delay"), ("against", "cost delay"))
    expected = {
        "duty": (8, 0, math.log(208 / 307) - math.log(200 / 305), 1 / 208 + 1 / 200),
        "law": (4, 1, math.log(129 / 386) - math.log(126 / 379), 1 / 129 + 1 / 126),
        "cost": (3, 2, math.log(128 / 387) - math.log(127 / 378), 1 / 128 + 1 / 127),
        "delay": (0, 2, math.log(50 / 465) - math.log(52 / 453), 1 / 50 + 1 / 52),
    }
    z = {word: round(log_odds / math.sqrt(variance), 2) for word, (_, _, log_odds, variance) in expected.items()}
    assert z == {"duty": 0.33, "law": 0.04, "cost": -0.13, "delay": -0.33}
    found = words(store)
    assert [word for _, word, *_ in found] == ["duty", "law", "delay", "cost"], "the most telling first on each side"
    assert all(row == (row[0], row[1], *expected[row[1]][:2], z[row[1]]) for row in found)
    assert [word for _, word, *_ in words(store, most="1")] == ["duty", "delay"]
    assert [word for _, word, *_ in words(store, least="5")] == ["duty", "law", "cost"]


def test_telling_words_count_a_word_once_a_document(store: Store) -> None:
    """Law stands thrice in one sentence and once in another of the same document."""
    store.load("poll", poll=[poll("p1", "f1", offered=2)], entry=[entry("e1"), entry("e2", 1)])
    rows = merged(document_rows("d1", "e1", lang="en"), document_rows("d2", "e2", lang="en"))
    rows["stance_label"][1] |= {"label": "against"}
    first, other = rows["evidence"]
    rows["evidence"] = [
        {**first, "text": "Law, law and LAW"},
        {**first, "rank": 1, "text": "law again"},
        {**other, "text": "costs"},
    ]
    store.load("documents", entry=[done("e1", "d1"), done("e2", "d2")], **rows)
    assert {word: favor for _, word, favor, _, _ in words(store)} == {"law": 1, "and": 1, "again": 1, "costs": 0}


def test_telling_words_take_sure_positions_of_relevant_documents_in_the_language(store: Store) -> None:
    write(store, ("favor", "yes"), ("against", "never"), ("favor?", "unsure"), ("neutral", "balanced"))
    write(store, ("favor", "hardly"), addressed=False)
    write(store, ("favor", "oui"), lang="fr-CA")
    write(store, ("against", "non"), lang="fr")
    assert [word for _, word, *_ in words(store)] == ["yes", "never"]
    assert [word for _, word, *_ in words(store, lang="fr")] == ["oui", "non"]
    assert words(store, lang="de") == []


def test_telling_words_leave_irrelevant_documents_out(store: Store) -> None:
    write(store, ("favor", "yes"), ("against", "never"), ("favor", "gossip"), ("favor", "maybe"))
    again: dict[str, Any] = {"label_run_id": "m2", "model_id": "new", "created_at": "2026-11-21T08:00:00Z"}
    rows = merged(*(document_rows(f"en-{n}", "", run="m2") for n in (2, 3)))
    rows["relevance_label"][0] |= {"label": False}
    rows["relevance_label"][1] |= {"abstain": True}
    labels = {name: rows[name] for name in ("relevance_label", "stance_label", "evidence")}
    store.load("documents", label_run=[again], **labels)
    assert [word for _, word, *_ in words(store)] == ["yes", "never"]


@pytest.mark.parametrize(
    ("lang", "text", "parts"),
    [
        ("en", "Don't re-think A 2025 G7 co2: the EU’s ÉTÉ", {"don", "re", "think", "co", "the", "eu", "été"}),
        ("fr", "De\u0301ja\u0300 vu", {"déjà", "vu"}),
        ("hi", "हिन्दी में नियम", {"हिन्दी", "में", "नियम"}),
        ("ru", "Нужны правила", {"нужны", "правила"}),
        ("zh", "AI规则应当，有约束力。人", {"ai", "规则", "则应", "应当", "有约", "约束", "束力"}),
        ("ja", "ルールが必要だ", {"ルー", "ール", "ルが", "が必", "必要", "要だ"}),
        ("ko", "규칙이 필요하다 AI", {"규칙이", "필요하다", "ai"}),
    ],
)
def test_words_of_every_script(store: Store, lang: str, text: str, parts: set[str]) -> None:
    write(store, ("favor", text), ("against", "xx yy"), lang=lang)
    assert {word for side, word, *_ in words(store, lang=lang) if side == "favor"} == parts

"""The figures of the report against the queries and against sums by hand: rows in, rows out."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from tests.support.report import HOSTILE, summer
from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.figures import EXCERPTS, LONGEST, gather
from warehouse.publish import publish
from warehouse.query import run_query

EVENT = date(2025, 7, 23)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return summer(tmp_path_factory.mktemp("summer"))


def many(folder: Path, shares: dict[str, list[float]]) -> Store:
    """Load outlets with documents that favor binding_rules with these probabilities, on days in a row."""
    store = Store(folder)
    store.load("feeds", outlet=[outlet(name) for name in shares], feed=[feed(f"f-{name}", name) for name in shares])
    names = [(name, n, p) for name, found in shares.items() for n, p in enumerate(found)]
    entries = [entry(f"e-{o}-{n}", n, f"f-{o}", o, published_at=f"2025-07-{14 + n}T00:00:00Z") for o, n, _ in names]
    store.load("poll", poll=[poll("p1", "f-a", offered=len(entries))], entry=entries)
    rows = merged(*(document_rows(f"d-{o}-{n}", f"e-{o}-{n}", o, f"f-{o}") for o, n, _ in names))
    for row, said, (o, n, p) in zip(rows["stance_label"], rows["evidence"], names, strict=True):
        row |= {"p_favor": p, "p_against": 1 - p, "p_neutral": 0.0, "label": "favor" if p > 0.5 else "against"}
        said |= {"text": f"Said by {o} the {n}th time. " + "x" * 400}
    store.load("documents", entry=[done(f"e-{o}-{n}", f"d-{o}-{n}") for o, n, _ in names], **rows)
    publish(store.target)
    return store


def test_the_interval_of_a_place_takes_outlets_as_independent(tmp_path: Path) -> None:
    shares = {"a": [0.9, 0.8], "b": [0.7], "c": [0.2, 0.3, 0.1], "d": [0.9], "e": [0.6, 0.5]}
    (whole, country) = gather(many(tmp_path, shares).target).net_by_place
    nets = {name: [2 * p - 1 for p in found] for name, found in shares.items()}
    n, middle = 9, mean(net for found in nets.values() for net in found)
    variance = 5 / 4 * sum(sum(net - middle for net in found) ** 2 for found in nets.values()) / n**2
    margin = 2.7764 * variance**0.5  # t with four degrees of freedom
    assert {**whole, "country": "XX"} == country
    assert (whole["n"], whole["outlets"], whole["net"]) == (n, 5, round(middle, 3))
    assert whole["low"] == pytest.approx(middle - margin, abs=0.002)
    assert whole["high"] == pytest.approx(middle + margin, abs=0.002)


def test_a_place_counts_a_story_once_a_country(tmp_path: Path) -> None:
    """Four copies of a's first document, one an outlet, are one vote of 0.4; b to e have one of their own each, and a one."""
    shares = {"a": [0.7, 0.9], "b": [0.7, 0.2], "c": [0.7, 0.3], "d": [0.7, 0.4], "e": [0.1]}
    store = many(tmp_path, shares)
    copy = {"story_id": "d-a-0", "method": "1", "computed_at": "2025-08-01T00:00:00Z"}
    store.load(
        "stories",
        story=[{**copy, "document_id": f"d-{who}-0", "link": "origin" if who == "a" else "copy"} for who in "abcd"],
    )
    publish(store.target)
    (whole, _) = gather(store.target).net_by_place
    assert (whole["n"], whole["documents"], whole["outlets"]) == (6, 9, 5)
    assert whole["net"] == round((0.4 + 0.8 - 0.6 - 0.4 - 0.2 - 0.8) / 6, 3)


def test_four_outlets_give_no_interval(tmp_path: Path) -> None:
    shares = {name: [0.9, 0.2] for name in "abcd"}
    assert {(row["n"], row["low"], row["high"]) for row in gather(many(tmp_path, shares).target).net_by_place} == {
        (8, None, None)
    }


def test_sentences_are_few_short_and_of_both_sides(tmp_path: Path) -> None:
    found = gather(many(tmp_path, {"a": [0.9] * 5 + [0.1] * 5, "b": [0.95] * 5}).target, [EVENT])
    marks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found.marks:
        marks[row["mark"]].append(row)
    assert max(map(len, marks.values())) == EXCERPTS
    assert max(len(row["sentence"]) for row in found.marks) == LONGEST
    week = marks["net/binding_rules/us/2025-07-14"]
    assert [row["label"] for row in week] == ["favor", "against"] * 2 + ["favor"] * 2
    assert week[0]["p"] == 0.95
    assert {row["documents"] for row in week} == {12}


def test_one_wire_sentence_is_shown_once_and_counted_as_often_as_it_came(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    names = [f"e{n}" for n in range(4)]
    store.load("poll", poll=[poll("p1", "f1", offered=4)], entry=[entry(name, n) for n, name in enumerate(names)])
    rows = merged(*(document_rows(f"d-{name}", name) for name in names))  # four documents with one sentence
    store.load("documents", entry=[done(name, f"d-{name}") for name in names], **rows)
    publish(store.target)
    behind = [row for row in gather(store.target).marks if row["mark"].startswith("net/")]
    assert [(row["documents"], row["document_id"]) for row in behind] == [(4, "d-e0")]


def test_marks_count_what_the_queries_count(store: Store) -> None:
    found = gather(store.target, [EVENT], least=1)
    documents = {row["mark"]: row["documents"] for row in found.marks}
    assert {f"net/{row['target']}/{row['bloc']}/{row['week']}": row["documents"] for row in found.net} == {
        "net/binding_rules/china/2025-07-21": 6,
        "net/binding_rules/us/2025-07-21": 2,
    }
    assert all(documents[f"net/{row['target']}/{row['bloc']}/{row['week']}"] == row["documents"] for row in found.net)
    assert all(documents[f"step/{row['day']}"] == row["relevant"] for row in found.share_all)
    assert all(documents[f"topic/{row['topic']}"] == row["documents"] for row in found.topics)
    for row in found.net_by_place:
        assert (
            documents["/".join(filter(None, ("place", row["target"], row["bloc"], row["country"])))] == row["documents"]
        )
    shifts = found.shifts[EVENT]
    assert [row["bloc"] for row in shifts] == ["china"]
    assert all(
        documents[f"shift/{EVENT}/{row['target']}/{row['bloc']}"] == row["documents_before"] + row["documents_after"]
        for row in shifts
    )


def test_a_small_cell_is_its_n_and_nothing_more(store: Store) -> None:
    found = gather(store.target)
    values = {row["bloc"]: (row["n"], row["net"], row["low"], row["high"]) for row in found.net}
    assert values["us"] == (2, None, None, None)
    assert None not in values["china"]
    columns, rows = run_query(store.target, "net_stance")
    (known,) = (dict(zip(columns, row, strict=True)) for row in rows if row[columns.index("bloc")] == "china")
    assert values["china"] == (known["n"], known["net"], known["low"], known["high"])
    assert {row["net"] for row in found.net_by_place if row["bloc"] == "us"} == {None}


def test_a_shift_says_whether_its_outlets_were_seen_whole(store: Store, tmp_path: Path) -> None:
    assert {row["whole"] for row in gather(store.target, [EVENT], least=1).shifts[EVENT]} == {True}
    unseen = many(tmp_path, {"a": [0.9] * 12})
    assert {row["whole"] for row in gather(unseen.target, [EVENT], least=1).shifts[EVENT]} == {False}


def test_coverage_says_what_was_seen(store: Store) -> None:
    found = gather(store.target).coverage
    assert [(row["country"], row["feeds"], row["items"], row["complete_days"]) for row in found["by_country"]] == [
        ("CN", 6, 6, 1.0),
        ("US", 1, 2, 0.0),
    ]
    assert found["complete_days"] == [
        {"outlet_days": 35, "complete_outlet_days": 30, "days": 5, "days_with_complete": 5}
    ]
    assert found["dates"] == [{"source": "feed", "documents": 8, "share": 1.0}]
    assert [(row["model_id"], row["documents"]) for row in found["label_runs"]] == [("tiny", 8)]
    assert [row["outlet"] for row in gather(store.target).health].count(HOSTILE) == 1


def test_the_period_ends_with_the_newest_document_and_begins_on_a_monday(store: Store) -> None:
    found = gather(store.target)
    assert (found.since, found.until) == (date(2025, 7, 21), date(2025, 7, 25))
    found = gather(store.target, since=date(2025, 7, 10))
    assert (found.since, found.weekly) == (date(2025, 7, 7), False)
    assert gather(store.target, since=date(2025, 1, 1)).weekly


def test_an_event_outside_the_period_is_left_out(store: Store) -> None:
    assert list(gather(store.target, [date(2025, 7, 20), EVENT, date(2025, 7, 26)]).shifts) == [EVENT]


def test_an_empty_warehouse_has_figures_without_rows(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load("feeds")
    found = gather(store.target, [EVENT])
    assert (found.since, found.until, found.net, found.marks) == (None, None, [], [])
    assert found.totals["documents"] == 0

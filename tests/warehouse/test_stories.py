"""Stories: what is a copy and what only looks like one, in any order of arrival, once, and with every state kept."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from pipeline.stories import METHOD, find_source, piece
from tests.support import stories as support
from tests.support.store import Store
from tests.support.stories import Written, link, tell, told_stories
from warehouse.connect import connect
from warehouse.kept import rebuild
from warehouse.load import load_folder
from warehouse.query import run_checks
from warehouse.stories import SQL, places, unlinked, unsketched

FLOORS = json.loads((Path(__file__).parents[1] / "data" / "floors.json").read_text("utf-8"))["stories"]
SET = {each.name: each for each in support.read_set()}
Figures = tuple[float, float]


def precision_and_recall(found: list[tuple[bool, bool]]) -> Figures:
    """Return both of (is the same, was linked)."""
    right = sum(same and linked for same, linked in found)
    return right / sum(linked for _, linked in found), right / sum(same for same, _ in found)


@pytest.mark.parametrize("held_out", [False, True])
def test_pairs_are_told_apart(held_out: bool) -> None:
    documents = list(SET.values())
    pieces = {
        each.name: piece({"document_id": each.name, "outlet_id": each.outlet, "lang": each.lang, "text": each.text})
        for each in documents
    }
    pairs = support.pairs([each for each in documents if each.held_out or not held_out])
    assert len(pairs) >= 100
    precision, recall = precision_and_recall(
        [(pair.same, find_source(pieces[pair.other.name], [pieces[pair.one.name]]) is not None) for pair in pairs]
    )
    assert precision >= FLOORS["precision"]
    assert recall >= FLOORS["recall"]


def test_the_whole_set_falls_into_its_stories(store: Store) -> None:
    documents = list(SET.values())
    tell(store, documents)
    link(store)
    story = told_stories(store)
    found = [
        (one.story == other.story, story[one.name] == story[other.name]) for one, other in combinations(documents, 2)
    ]
    precision, recall = precision_and_recall(found)
    assert precision >= FLOORS["precision"]
    assert recall >= FLOORS["recall"]
    assert run_checks(store.target) == {}


SOME = [
    "compute-fund-en-original", "compute-fund-en-cut", "compute-fund-en-lead", "compute-fund-es-translation",
    "compute-fund-es-edited", "compute-fund-independent-0", "water-court-es-translation", "water-court-en-original",
    "water-court-fr-quoted", "water-court-independent-0", "column-0-0", "column-0-1",
]  # fmt: skip
TIMES = {name: f"2026-11-{day}T{hour}:15:00Z" for name, (day, hour) in zip(SOME, [
    (12, "09"), (13, "08"), (13, "09"), (14, "10"), (15, "11"), (12, "12"), (14, "07"), (13, "06"), (17, "05"), (14, "23"), (12, "05"),
    (19, "05")], strict=True)}  # fmt: skip


def linked_by(store: Store) -> list[dict[str, object]]:
    return store.rows("SELECT document_id, story_id, parent_id, link, similarity FROM current_story ORDER BY ALL")


def test_a_document_belongs_to_what_was_published_first(store: Store) -> None:
    tell(store, [SET[name] for name in SOME], TIMES)
    link(store)
    found = {row["document_id"]: (row["parent_id"], row["link"]) for row in linked_by(store)}
    fund, court = "compute-fund-en-original", "water-court-en-original"
    assert found["compute-fund-en-cut"] == found["compute-fund-en-lead"] == (fund, "copy")
    assert found["compute-fund-es-translation"] == (fund, "translation")
    assert found["compute-fund-es-edited"] == ("compute-fund-es-translation", "copy")
    assert found["water-court-es-translation"] == (court, "translation")
    for alone in (fund, court, "compute-fund-independent-0", "water-court-independent-0", "column-0-0", "column-0-1"):
        assert found[alone] == (None, "origin")
    (row,) = store.rows("FROM story_origin WHERE story_id = $id", id=fund)
    assert [row[name] for name in ("documents", "outlets", "languages", "first_known")] == [5, 5, 2, True]
    assert row["first_published_at"].isoformat() == "2026-11-12T09:15:00+00:00"


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_arrival_does_not_matter(store: Store, tmp_path: Path, seed: int) -> None:
    """The sizes of loads and of linking batches do not matter either."""
    tell(store, [SET[name] for name in SOME], TIMES)
    link(store)
    chance = random.Random(seed)
    names = chance.sample(SOME, len(SOME))
    (tmp_path / "other").mkdir()
    other = Store(tmp_path / "other")
    for part, batch in ((names[:3], 2), (names[3:8], 1000), (names[8:], 3)):
        tell(other, [SET[name] for name in part], TIMES)
        link(other, batch)
    assert linked_by(other) == linked_by(store)
    assert run_checks(other.target) == {}


def test_a_late_origin_merges_stories_and_leaves_the_earlier_state(store: Store) -> None:
    whole = SET["compute-fund-en-original"]
    parts = whole.text.split("\n\n")
    halves = [
        replace(whole, name=name, outlet=name, text="\n\n".join(text))
        for name, text in (("top", parts[:2]), ("end", parts[2:]))
    ]
    when = {whole.name: "2026-11-10T09:00:30Z", "top": "2026-11-11T09:00:30Z", "end": "2026-11-12T09:00:30Z"}
    tell(store, halves, when)
    link(store)
    assert told_stories(store) == {"top": "top", "end": "end"}, "the two halves have nothing in common"
    (known,) = store.rows("SELECT max(load_id) AS load_id FROM story")
    tell(store, [whole], when)
    link(store)
    assert set(told_stories(store).values()) == {whole.name}
    then = store.rows(
        "SELECT document_id, arg_max(story_id, load_id) AS story_id FROM story WHERE load_id <= $load_id GROUP BY ALL",
        **known,
    )
    assert {row["document_id"]: row["story_id"] for row in then} == {"top": "top", "end": "end"}
    assert run_checks(store.target) == {}


def test_linking_again_writes_nothing_and_a_kill_between_steps_loses_nothing(store: Store) -> None:
    tell(store, [SET[name] for name in SOME], TIMES)
    assert {row["document_id"] for row in store.rows("FROM current_story WHERE link = 'origin'")} == set(SOME), (
        "not yet linked"
    )
    rows = unsketched(store.target, 5)
    assert [row["method"] for row in rows] == [METHOD] * 5
    store.load("stories", sketch=rows)  # killed here: seven have no sketch, nothing has a place
    assert unlinked(store.target, 100) != []
    folder = store.prepare("stories", story=places(store.target, unlinked(store.target, 3)))
    load_folder(store.target, folder)
    assert load_folder(store.target, folder) == {}
    assert store.load("stories", sketch=rows) == {}
    link(store)
    once = store.rows("FROM story ORDER BY ALL")
    assert {row["document_id"] for row in once} == set(SOME)
    link(store)
    assert store.load("stories", story=[{key: row[key] for key in row if key not in ("load_id", "computed_at")}
                                        for row in store.rows("SELECT * FROM current_story, (SELECT $m AS method)", m=METHOD)]) == {}  # fmt: skip
    assert store.rows("FROM story ORDER BY ALL") == once
    assert run_checks(store.target) == {}


def test_beyond_the_window_a_text_is_a_new_story(store: Store) -> None:
    one = SET["label-law-en-original"]
    again = {n: replace(one, name=f"again-{n}", outlet=f"o-{n}") for n in (7, 8)}
    when = {one.name: "2026-11-01T10:00:30Z", "again-7": "2026-11-08T23:00:30Z", "again-8": "2026-11-17T00:30:30Z"}
    tell(store, [one, *again.values()], when)
    link(store)
    assert told_stories(store) == {one.name: one.name, "again-7": one.name, "again-8": "again-8"}


def test_of_one_day_without_hours_nobody_knows_the_first(store: Store) -> None:
    one = SET["label-law-en-original"]
    dated: list[Written] = [replace(one, name=f"copy-{n}", outlet=f"o-{n}") for n in range(3)]
    when = {"copy-0": "2026-11-10T00:00:00Z", "copy-1": "2026-11-10T09:00:30Z", "copy-2": "2026-11-11T09:00:30Z"}
    tell(store, dated, when)
    link(store)
    (row,) = store.rows("FROM story_origin")
    assert (row["story_id"], row["first_known"], row["first_day"].isoformat()) == ("copy-1", False, "2026-11-10")
    assert run_checks(store.target) == {}


def test_copies_of_a_line_do_not_make_the_work_grow_with_their_square(store: Store) -> None:
    """Sixty copies: each is asked against at most four earlier ones a day, not against all."""
    one = SET["chip-licence-en-original"]
    copies = [replace(one, name=f"copy-{n:02}", outlet=f"o-{n}") for n in range(60)]
    tell(store, copies)
    while rows := unsketched(store.target, 100):
        store.load("stories", sketch=rows)
    sql = (SQL / "candidates.sql").read_text("utf-8")
    found = store.rows(sql, method=METHOD, window=7, ids="\n".join(each.name for each in copies))
    assert len(found) == 3 + 2 + 1 + 56 * 4
    link(store)
    assert set(told_stories(store).values()) == {"copy-00"}


def test_texts_of_every_size_are_taken(store: Store) -> None:
    texts = [
        "",
        "One word",
        "规",
        "1 2 3 4 5 6 7 8 9 10. " * 3,
        "\U0001f916 " * 50,
        "9" * 500 + " 12 14 " + "x" * 300_000,
        "\u0661\u0662\u0663 ½ ② 1.2.3",
    ]
    odd = [Written(name=f"odd-{n}", story=f"odd-{n}", kind="original", lang="en" if n % 2 else "", title="t", text=text, outlet=f"o-{n}")
           for n, text in enumerate(texts)]  # fmt: skip
    tell(store, odd)
    link(store)
    assert set(told_stories(store)) == {each.name for each in odd}
    assert run_checks(store.target) == {}


def test_the_check_finds_stories_that_cannot_be(store: Store) -> None:
    one = SET["label-law-en-original"]
    copies = [replace(one, name=f"copy-{n}", outlet=f"o-{n}") for n in range(5)]
    tell(store, copies)
    link(store)
    con = connect(store.target)
    con.execute("UPDATE story SET parent_id = 'copy-4' WHERE document_id = 'copy-3'")
    con.execute("UPDATE story SET similarity = NULL WHERE document_id = 'copy-2'")
    con.execute("UPDATE story SET story_id = 'copy-1' WHERE document_id = 'copy-4'")
    con.execute(
        "INSERT INTO sketch SELECT * REPLACE ('nobody' AS document_id) FROM sketch WHERE document_id = 'copy-0'"
    )
    rebuild(con)
    con.close()
    assert {(problem, name) for problem, name in run_checks(store.target)["stories"]} == {
        ("source that is not earlier, or of another story", "copy-3"),
        ("origin with a source, or copy without one", "copy-2"),
        ("source that is not earlier, or of another story", "copy-4"),
        ("origin that is not the earliest", "copy-4"),
        ("sketch of an unknown document", "nobody"),
    }

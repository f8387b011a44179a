"""Who is heard: stories and not their copies, with an interval over outlets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.query import run_query

Said = tuple[str, str, float]  # outlet, speaker, net stance


def ask(store: Store, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, "speakers", {"target": "binding_rules", **params})
    return [dict(zip(columns, row, strict=True)) for row in rows]


def speak(store: Store, said: list[Said]) -> None:
    """Load a document a row, d0 the first."""
    outlets = sorted({who for who, _, _ in said})
    store.load("feeds", outlet=[outlet(who) for who in outlets], feed=[feed(f"f-{who}", who) for who in outlets])
    entries = [entry(f"e{n}", n, f"f-{who}", who) for n, (who, _, _) in enumerate(said)]
    store.load("poll", poll=[poll("p", f"f-{outlets[0]}", offered=len(said))], entry=entries)
    rows = merged(*(document_rows(f"d{n}", f"e{n}", who, f"f-{who}") for n, (who, _, _) in enumerate(said)))
    for stance, evidence, (_, speaker, net) in zip(rows["stance_label"], rows["evidence"], said, strict=True):
        stance |= {"p_favor": (1 + net) / 2, "p_against": (1 - net) / 2, "label": "favor" if net > 0 else "against"}
        evidence["speaker"] = speaker
    store.load("documents", entry=[done(f"e{n}", f"d{n}") for n in range(len(said))], **rows)


def test_copies_let_a_speaker_be_heard_once(store: Store) -> None:
    """The minister stands in four documents of two stories, one told by three outlets: votes 0.4 and -0.2, too few outlets for more."""
    speak(
        store,
        [
            ("a", "Minister", 0.2),
            ("b", "minister", 0.4),
            ("c", "minister", 0.6),
            ("a", "minister", -0.2),
            ("a", "Envoy", 0.5),
        ],
    )
    copy = {"story_id": "d0", "method": "1", "computed_at": "2026-11-21T08:00:00Z"}
    store.load("stories", story=[{**copy, "document_id": f"d{n}", "link": "copy" if n else "origin"} for n in range(3)])
    names = (
        "speaker",
        "favor",
        "against",
        "documents",
        "stories",
        "votes",
        "outlets",
        "net",
        "low",
        "high",
        "seen_whole",
    )
    assert [tuple(row[name] for name in names) for row in ask(store)] == [
        ("minister", 1, 1, 4, 2, 2, 3, None, None, None, 0.0),
        ("envoy", 1, 0, 1, 1, 1, 1, None, None, None, 0.0),
    ]
    assert [row["speaker"] for row in ask(store, least="2")] == ["minister"]
    assert ask(store, complete="true") == []


def test_a_document_that_does_not_take_the_target_up_lets_nobody_be_heard(store: Store) -> None:
    speak(store, [("a", "Minister", 0.2)])
    rows = document_rows("d0", "e0", run="m2")
    rows["stance_label"][0] |= {"addressed": False}
    rows["label_run"][0] |= {"created_at": "2026-11-21T08:00:00Z"}
    store.load(
        "documents", **{name: rows[name] for name in ("label_run", "relevance_label", "stance_label", "evidence")}
    )
    assert ask(store) == []


def test_the_interval_is_what_a_bootstrap_over_outlets_finds(store: Store) -> None:
    chance = np.random.default_rng(6)
    said: list[Said] = []
    for who in range(40):
        line = chance.normal(0.1, 0.3)
        said += [
            (f"o{who:02}", "Minister", round(float(np.clip(line + chance.normal(0, 0.1), -1, 1)), 3))
            for _ in range(int(chance.integers(1, 5)))
        ]
    speak(store, said)
    (row,) = ask(store)
    sums = np.zeros((40, 2))
    for who_, _, net in said:
        sums[int(who_[1:])] += (1, net)
    drawn = sums[chance.integers(0, 40, (4000, 40))].sum(axis=1)
    assert (row["votes"], row["net"]) == (len(said), round(sums[:, 1].sum() / len(said), 3))
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.023 * np.std(drawn[:, 1] / drawn[:, 0]), rel=0.1)

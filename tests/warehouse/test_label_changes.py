"""What an upgrade changed: two runs in, changes by language and target out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.store import Store, document_rows
from warehouse.query import run_checks, run_query


def ask(store: Store, **params: str) -> list[tuple[Any, ...]]:
    return run_query(store.target, "label_changes", params)[1]


def relabel(store: Store, run: str, day: int, document_id: str, label: str, **more: Any) -> None:
    """Give a stored document the labels of a further run."""
    rows = document_rows(document_id, "e1", run=run)
    del rows["document"], rows["document_text"], rows["evidence"]
    rows["label_run"][0]["created_at"] = f"2026-11-{day}T00:00:00Z"
    rows["stance_label"][0] |= {"label": label, **more}
    store.load("documents", **rows)


@pytest.fixture
def upgraded(filled: Store) -> Store:
    """m1 says favor of d1 and d2; m2 changes d1 and leaves d2; m3 knows d1 alone, and abstains."""
    relabel(filled, "m2", 25, "d1", "against")
    relabel(filled, "m2", 25, "d2", "favor")
    relabel(filled, "m3", 26, "d1", "favor", abstain=True)
    return filled


def test_the_two_newest_runs_over_the_documents_that_both_labelled(upgraded: Store) -> None:
    assert ask(upgraded) == [
        ("de", "relevance", 1, 1, None, None, 0, 0.0, 0.0, 0.0),
        ("de", "binding_rules", 1, 0, "against", "abstain", 1, 1.0, 0.0, 0.0),
    ]


def test_any_two_runs(upgraded: Store) -> None:
    assert ask(upgraded, before="m1", after="m2", target="binding_rules") == [
        ("de", "binding_rules", 2, 1, "favor", "against", 1, 0.5, 0.0, 0.0)
    ]
    assert ask(upgraded, after="m2", target="binding_rules")[0][4:7] == ("abstain", "against", 1), (
        "the newest other run"
    )
    assert ask(upgraded, before="m2", target="binding_rules")[0][4:7] == ("against", "abstain", 1)
    assert ask(upgraded, before="m2", after="m2") == []
    assert ask(upgraded, after="nobody") == []


def test_one_run_alone_changed_nothing(filled: Store) -> None:
    assert ask(filled) == []


def test_changes_add_up_and_old_labels_stay(upgraded: Store) -> None:
    for before, after in (("m1", "m2"), ("m1", "m3"), ("m2", "m3")):
        for _, _, documents, unchanged, _, _, changed, *_ in ask(upgraded, before=before, after=after):
            assert documents == unchanged + changed
    assert upgraded.rows("SELECT label FROM stance_label WHERE label_run_id = 'm1'") == [{"label": "favor"}] * 2
    assert run_checks(upgraded.target) == {}

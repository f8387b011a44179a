"""The first stage: which documents leave unread, in every script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.model import load_classifier
from pipeline.sieve import may_be_relevant

SWAP = Path(__file__).parents[1] / "data" / "target_swap.jsonl"


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("The AI bill passed.", True),
        ("The bill passed, said Aiden of Dubai.", False),
        ("A law on algorithms.", True),
        ("logarithms", False),
        ("政府のAI政策について", True),
        ("人工智能治理", True),
        ("ＡＩの規制", True),
        ("Die KI-Verordnung", True),
        ("Kirche und Staat", False),
        ("L’IA générative", True),
        ("regole per l'IA", True),
        ("Закон об ИИ", True),
        ("قانون الذكاء الاصطناعي", True),
        ("Beat the eggs with the sugar.", False),
        ("", False),
    ],
)
def test_terms_count_as_the_codebook_says(text: str, passes: bool) -> None:
    assert may_be_relevant(load_codebook().relevance.terms, "", text) is passes
    assert may_be_relevant(load_codebook().relevance.terms, text, "") is passes


def test_without_terms_every_document_is_read() -> None:
    assert may_be_relevant((), "", "anything")


def test_a_document_that_leaves_has_labels_like_any_other() -> None:
    book = load_codebook()
    (labels,) = load_classifier(None, book).label([("", "Beat the eggs with the sugar until they are pale.", None)])
    assert (labels.p_relevant, labels.relevant, labels.lang) == (0.0, False, "en")
    assert [t.topic for t in labels.topics] == [t.id for t in book.topics]
    assert all(s.p_neutral == 1.0 and not s.addressed and not s.abstain for s in labels.stances)


def test_no_passage_about_the_governance_of_ai_leaves() -> None:
    terms = load_codebook().relevance.terms
    rows = [json.loads(line) for line in SWAP.read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows if not may_be_relevant(terms, row["title"], row["text"])] == []

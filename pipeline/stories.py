"""Which earlier article is a text taken from: a document and its candidates in, a `Link` or None out.

A copy shares passages with its source: it is cut, has another headline or lead, or quotes at length. A translation has the
outline of its source. What is decided depends on the two texts, their outlets and languages alone (decision 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import stable_id
from pipeline.shingles import Shingles, shared, shingles, sketch
from pipeline.translations import Outline, agreement, marks, outline, weight

METHOD = "1"  # of sketches and links; another one makes all of them anew
COPIED = 0.3  # of the shorter text that a copy shares with its source
COPIED_AT_HOME = 0.75  # the same within one outlet, whose columns begin and end alike
LEAST_SHARED = 15  # shingles, about 20 words in a row: a quoted sentence, or two short ones, makes no copy
LEAST_SENTENCES = 3  # of the shorter text; of fewer, too many agree by chance
ALIGNED = 0.75  # agreement a sentence of the shorter text
LEAST_ALIGNED = 3.5  # agreement in all
LEAST_NUMBERS = 3.0  # weight of the numbers that a translation shares with its source
STEP = 0.05  # candidates nearer to each other than this are alike, and the one published first counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A document as it is compared."""

    document_id: str
    outlet_id: str
    lang: str  # without script and region; empty where it is not known
    shingles: Shingles
    outline: Outline


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a document was taken from."""

    parent_id: str
    kind: str  # copy | translation
    similarity: float  # 0 to 1: share of the shorter text (copy), agreement a sentence (translation)


def piece(document: Mapping[str, Any]) -> Piece:
    """Return {document_id, outlet_id, lang, text} as it is compared."""
    return Piece(
        document_id=document["document_id"],
        outlet_id=document["outlet_id"] or "",
        lang=(document["lang"] or "").split("-")[0],
        shingles=shingles(document["text"]),
        outline=outline(document["text"]),
    )


def sketches(text: str) -> tuple[list[int], list[int]]:
    """Return the numbers by which sources are found: of shingles for copies, of pairs of numbers for translations."""
    pairs = sorted(int(stable_id(mark), 16) >> 33 for mark in marks(text))
    return sketch(shingles(text)).tolist(), pairs


def find_source(document: Piece, earlier: Sequence[Piece]) -> Link | None:
    """Return the source of a document among earlier ones, which stand in the order of publication.

    A copy goes before a translation: the copy of a translation belongs to the translation.
    """
    for compare, kind in ((_copied, "copy"), (_translated, "translation")):
        scores = [(compare(document, other), other) for other in earlier if other.document_id != document.document_id]
        best = max((score for score, _ in scores), default=0.0)
        if best > 0:
            source = next(other for score, other in scores if score > best - STEP)
            return Link(parent_id=source.document_id, kind=kind, similarity=round(compare(document, source), 3))
    return None


def _copied(one: Piece, other: Piece) -> float:
    """Return the share of the shorter text that both have, 0 where that makes no copy."""
    shorter = min(len(one.shingles), len(other.shingles))
    both = shared(one.shingles, other.shingles)
    if both < LEAST_SHARED:
        return 0.0
    least = COPIED_AT_HOME if one.outlet_id == other.outlet_id else COPIED
    return both / shorter if both >= least * shorter else 0.0


def _translated(one: Piece, other: Piece) -> float:
    """Return the agreement a sentence of the shorter text, at most 1; 0 where that makes no translation."""
    shorter = min(len(one.outline.parts), len(other.outline.parts))
    if not one.lang or not other.lang or one.lang == other.lang or shorter < LEAST_SENTENCES:
        return 0.0
    if weight(one.outline.numbers & other.outline.numbers) < LEAST_NUMBERS:
        return 0.0
    aligned = agreement(one.outline, other.outline)
    return min(aligned / shorter, 1.0) if aligned >= max(ALIGNED * shorter, LEAST_ALIGNED) else 0.0

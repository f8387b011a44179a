"""From probabilities to labels: scores of a document and a codebook's thresholds in, `Labels` with evidence out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.codebook import Codebook
from pipeline.heads import STANCES, Scores, nothing
from pipeline.records import Evidence, Labels, Stance, Topic
from pipeline.voice import voice_of

MOST_EVIDENCE = 3
ENOUGH = 0.25  # of the best sentence's weight: what a further sentence of evidence must carry
DIGITS = 6
Spans = Sequence[tuple[int, int]]


def labels(
    found: Scores, spans: Spans, text: str, codebook: Codebook, *, lang: str | None, known: bool = True
) -> Labels:
    """Return the labels of a document; one in a language that is not `known` abstains."""
    limits = codebook.thresholds
    p = round(found.relevance, DIGITS) if spans else 0.0  # a headline alone is no document
    relevant = bool(spans) and p >= limits.relevance
    topics = tuple(
        Topic(topic=topic.id, p=_p(value), label=relevant and _p(value) >= limits.topic)
        for topic, value in zip(codebook.topics, found.topics, strict=True)
    )
    stances = []
    for i, target in enumerate(codebook.targets):
        neutral, favor, against = (_p(value) for value in found.stances[i])
        label = STANCES[int(np.argmax(found.stances[i]))] if relevant else STANCES[0]
        stances.append(Stance(
            target=target.id,
            addressed=relevant and (label != STANCES[0] or _p(found.addressed[i]) >= limits.addressed),
            p_favor=favor, p_against=against, p_neutral=neutral, label=label,
            abstain=not known or (relevant and max(neutral, favor, against) < limits.abstain),
            evidence=_evidence(found, i, label, spans, text) if label != STANCES[0] else (),
        ))  # fmt: skip
    return Labels(lang=lang, p_relevant=p, relevant=relevant, topics=topics, stances=tuple(stances), abstain=not known)


def unread(text: str, codebook: Codebook, *, lang: str | None, known: bool) -> Labels:
    """Return the labels of a document that holds none of the codebook's terms: irrelevant, and neutral throughout."""
    scores = nothing(len(codebook.topics), len(codebook.targets))
    return labels(scores, (), text, codebook, lang=lang, known=known)


def _evidence(found: Scores, target: int, label: str, spans: Spans, text: str) -> tuple[Evidence, ...]:
    """Return the sentences that add most to the label, the strongest first, at most three."""
    value = np.round(found.sentences[:, target, STANCES.index(label)], DIGITS)
    order = np.argsort(-value, kind="stable")[:MOST_EVIDENCE]
    chosen = [int(i) for rank, i in enumerate(order) if rank == 0 or value[i] >= ENOUGH * value[order[0]] > 0]
    return tuple(_sentence(text, spans[i]) for i in chosen)


def _sentence(text: str, span: tuple[int, int]) -> Evidence:
    heard = voice_of(text, span)
    return Evidence(start=span[0], end=span[1], text=text[slice(*span)], voice=heard.voice, speaker=heard.speaker)


def _p(value: Any) -> float:
    return round(float(value), DIGITS)

"""The label model: documents in, `Labels` out, by a multilingual encoder and heads trained on a codebook.

A model folder holds the files of `pipeline.encoder` and of `pipeline.heads`. A codebook may leave heads out or reorder
them; one that names a topic or target without a head is refused.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import encoder, heads
from pipeline.encoder import Encoder
from pipeline.errors import ConfigError
from pipeline.heads import STANCES, Scores, logits, probabilities, read_heads
from pipeline.language import language_of
from pipeline.records import Evidence, Labels, Stance, Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.codebook import Codebook

MOST_EVIDENCE = 3
ENOUGH = 0.25  # of the best sentence's weight: what a further sentence of evidence must carry
DIGITS = 6


class Classifier:
    """Labels documents by a codebook. `model_id` and `revision` say which weights did it."""

    def __init__(self, folder: Path, codebook: Codebook) -> None:
        """Load the model of `folder`. Raises ConfigError where it is incomplete or does not fit the codebook."""
        self.codebook = codebook
        self.encoder = Encoder(folder)
        self.heads, about = read_heads(folder, codebook, self.encoder.hidden)
        self.languages = frozenset(about["languages"])
        self.model_id = str(about["model_id"])
        self.revision = _revision(folder)

    def label(self, docs: Sequence[tuple[str, str, str | None]]) -> list[Labels]:
        """Return the labels of (title, text, language or None) in order; no document affects another's labels."""
        return [self._one(*doc) for doc in docs]

    def _one(self, title: str, text: str, lang: str | None) -> Labels:
        encoded = self.encoder.encode(title, text)
        lang = lang or language_of(text)
        known = bool(lang) and str(lang).lower().replace("_", "-").split("-")[0] in self.languages
        found = probabilities(logits(self.heads, encoded))
        return labels(found, encoded.spans, text, self.codebook, lang=lang, known=known)


def labels(
    found: Scores,
    spans: Sequence[tuple[int, int]],
    text: str,
    codebook: Codebook,
    *,
    lang: str | None,
    known: bool = True,
) -> Labels:
    """Turn the probabilities of a document into labels by the thresholds of the codebook."""
    limits = codebook.thresholds
    p = round(found.relevance, DIGITS) if spans else 0.0  # a headline alone is no document
    relevant = p >= limits.relevance
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


def _evidence(
    found: Scores, target: int, label: str, spans: Sequence[tuple[int, int]], text: str
) -> tuple[Evidence, ...]:
    """Return the sentences that add most to the label, the strongest first, at most three."""
    value = np.round(found.sentences[:, target, STANCES.index(label)], DIGITS)
    order = np.argsort(-value, kind="stable")[:MOST_EVIDENCE]
    chosen = [int(i) for rank, i in enumerate(order) if rank == 0 or value[i] >= ENOUGH * value[order[0]] > 0]
    return tuple(Evidence(start=spans[i][0], end=spans[i][1], text=text[slice(*spans[i])]) for i in chosen)


def model_folder(model: str | Path | None) -> Path:
    """Return the folder of `model`, or that of the package. Raises ConfigError with the way out."""
    folder = Path(model) if model else Path(str(files("pipeline") / "data" / "model"))
    if not folder.is_dir():
        raise ConfigError(
            f"model {model or folder} is no folder; unset STANCEWATCH_MODEL to use the one of the package"
        )
    return folder


def load_classifier(model: str | Path | None, codebook: Codebook) -> Classifier:
    """Load the model folder `model`, or the one of the package. Raises ConfigError with the way out."""
    return Classifier(model_folder(model), codebook)


def _p(value: Any) -> float:
    return round(float(value), DIGITS)


def _revision(folder: Path) -> str:
    """Return 16 hexadecimal digits of SHA-256 over the model's files."""
    digest = hashlib.sha256()
    for name in sorted((*encoder.FILES, *heads.FILES)):
        digest.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:16]

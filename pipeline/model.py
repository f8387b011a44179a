"""The label model: documents in, `Labels` out. One call labels a batch by a codebook; no document affects another.

`load_classifier` takes the model of the package, a folder or a Hugging Face id. A folder with heads (`pipeline.heads`)
is an encoder trained on a codebook; any other is a sequence classifier (`pipeline.nli`). What a codebook names and the
heads do not know is labelled by natural-language inference where such a model is set, and refused otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pipeline import heads, weights
from pipeline.codebook import Codebook
from pipeline.encoder import Encoder
from pipeline.errors import ConfigError
from pipeline.heads import STANCES, logits, probabilities, read_about, read_heads
from pipeline.labels import labels, unread
from pipeline.language import language_of
from pipeline.nli import TextClassifier
from pipeline.records import Labels, Stance, Topic, stable_id
from pipeline.sieve import may_be_relevant

Texts = Sequence[tuple[str, str, str | None]]  # title, text, language or None


class Classifier(Protocol):
    """Labels documents by a codebook; `model_id` and `revision` say which weights did it.

    `calibration` says how its probabilities were calibrated and how far they were off, as heads.json has it; None where
    nobody measured.
    """

    codebook: Codebook
    model_id: str
    revision: str
    calibration: dict[str, Any] | None

    def label(self, docs: Texts) -> list[Labels]:
        """Return the labels of (title, text, language or None) in order."""


class HeadsClassifier:
    """An encoder with heads that were trained on a codebook."""

    def __init__(self, folder: Path, codebook: Codebook, device: str = "auto") -> None:
        """Load the model of `folder`. Raises ConfigError where it is incomplete or does not fit the codebook."""
        self.codebook = codebook
        self.encoder = Encoder(folder, device)
        self.heads, about = read_heads(folder, codebook, self.encoder.hidden)
        self.languages = frozenset(about["languages"])
        self.model_id = str(about["model_id"])
        self.revision = weights.revision(folder)
        self.calibration = about.get("calibration")

    def label(self, docs: Texts) -> list[Labels]:
        """Return the labels of (title, text, language or None) in order."""
        return [self._one(*doc) for doc in docs]

    def _one(self, title: str, text: str, lang: str | None) -> Labels:
        lang = lang or language_of(text)
        known = bool(lang) and str(lang).lower().replace("_", "-").split("-")[0] in self.languages
        if not may_be_relevant(self.codebook.relevance.terms, title, text):
            return unread(text, self.codebook, lang=lang, known=known)
        encoded = self.encoder.encode(title, text)
        found = probabilities(logits(self.heads, encoded))
        return labels(found, encoded.spans, text, self.codebook, lang=lang, known=known)


class Combined:
    """Heads for what they know, inference for the rest of a codebook; relevance is the heads'."""

    def __init__(self, first: Classifier, second: Classifier, codebook: Codebook) -> None:
        self._parts = (first, second)
        self.codebook = codebook
        self.model_id = f"{first.model_id}+{second.model_id}"
        self.calibration = first.calibration
        self.revision = stable_id(first.revision, second.revision)[:16]

    def label(self, docs: Texts) -> list[Labels]:
        """Return the labels of (title, text, language or None) in order; the second model reads relevant ones only."""
        first, second = self._parts
        known = first.label(docs)
        rest = iter(second.label([doc for doc, labels in zip(docs, known, strict=True) if labels.relevant]))
        return [self._merge(labels, next(rest) if labels.relevant else None) for labels in known]

    def _merge(self, known: Labels, rest: Labels | None) -> Labels:
        topics = {t.id: Topic(topic=t.id, p=0.0, label=False) for t in self.codebook.topics}
        stances = {t.id: Stance(target=t.id, addressed=False, p_favor=0.0, p_against=0.0, p_neutral=1.0, label=STANCES[0],
                                abstain=False) for t in self.codebook.targets}  # fmt: skip
        for part in filter(None, (rest, known)):
            topics |= {t.topic: t for t in part.topics}
            stances |= {s.target: s for s in part.stances}
        return replace(known, topics=tuple(topics.values()), stances=tuple(stances.values()))


def load_classifier(
    model: str | Path | None, codebook: Codebook, *, nli: str | Path | None = None, device: str = "auto"
) -> Classifier:
    """Load a model for a codebook; `nli` labels what its heads do not know. Raises ConfigError with the way out."""
    folder = weights.model_folder(model)
    if not (folder / heads.FILES[0]).is_file():
        kinds = weights.read_config(folder).get("architectures") or []
        if not any("SequenceClassification" in str(kind) for kind in kinds):
            raise ConfigError(f"model folder {folder} lacks {' and '.join(heads.FILES)}, and is no sequence classifier")
        return TextClassifier(folder, codebook, device)
    about = read_about(folder)
    topics = tuple(t for t in codebook.topics if t.id not in about["topics"])
    targets = tuple(t for t in codebook.targets if t.id not in about["targets"])
    if nli is None or not (topics or targets):
        return HeadsClassifier(folder, codebook, device)
    known = codebook.model_copy(update={
        "topics": tuple(t for t in codebook.topics if t not in topics),
        "targets": tuple(t for t in codebook.targets if t not in targets),
    })  # fmt: skip
    rest = codebook.model_copy(update={"topics": topics, "targets": targets})
    second = TextClassifier(weights.model_folder(nli), rest, device, assume_relevant=True)
    return Combined(HeadsClassifier(folder, known, device), second, codebook)

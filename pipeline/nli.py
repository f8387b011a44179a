"""Labels by a sequence classifier of transformers: natural-language inference, or classes with the codebook's names.

Inference (two or three classes, told apart by their names in config.json): a text is the premise, the codebook's wording
the hypothesis. Entailment of a target's proposition is favor, its contradiction against; a model with two classes is
asked a second time, whether "It is wrong that ...". Classification: the classes are named `relevance`, `<topic>`,
`<target>:favor` and `<target>:against`, and each is judged apart.

A document is judged in windows of whole sentences. It is as relevant as its most relevant window and has a topic where a
window has it; its stances are the windows' means, each window weighted by how little neutral it is. Evidence are the
sentences that carry the side most. One text is one call: labels do not depend on what shares a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import torch_models, weights
from pipeline.codebook import Codebook
from pipeline.errors import ConfigError
from pipeline.heads import STANCES, Scores, sigmoid, softmax
from pipeline.labels import labels, unread
from pipeline.language import language_of
from pipeline.records import Labels
from pipeline.sentences import sentences
from pipeline.sieve import may_be_relevant
from pipeline.windows import CHARACTERS, clean

Array = NDArray[np.float64]
WINDOW = 1_200  # characters of a window, unless one sentence is longer
MOST_SENTENCES = 60  # that are asked for evidence
RELEVANT = "This text is about the rules for artificial intelligence, or about who governs it."
TOPIC = "This text is about {covers}."
WRONG = "It is wrong that {proposition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The probabilities of one stretch of text."""

    relevance: float
    topics: Array  # [topics]
    stances: Array  # [targets, 3], as STANCES


class Judge(Protocol):
    """Judges one stretch of text by a codebook."""

    def judge(self, text: str) -> Judged:
        """Return the probabilities of a stretch of text."""


class _Sequence:
    """Transformers' sequence classification: a text or a pair of texts in, logits out."""

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import AutoTokenizer  # noqa: PLC0415 - heavy: loaded with the first model only

        self._model = torch_models.load("AutoModelForSequenceClassification", folder, device)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        config = self._model.config
        self.names = [str(config.id2label[i]).lower() for i in range(config.num_labels)]
        self._most = min(int(getattr(config, "max_position_embeddings", 512)), 512)

    def logits(self, text: str, pair: str | None = None) -> Array:
        """Return the logits [classes]; what is too long is cut off the first text."""
        import torch  # noqa: PLC0415

        inputs = self._tokenizer(
            text, pair, truncation="only_first" if pair else True, max_length=self._most, return_tensors="pt"
        )
        with torch.inference_mode():
            found = self._model(**{name: ids.to(self._model.device) for name, ids in inputs.items()}).logits[0]
        z: Array = found.double().cpu().numpy()
        return z


class Inference:
    """Judges by natural-language inference."""

    def __init__(self, folder: Path, codebook: Codebook, device: str) -> None:
        """Load the model. Raises ConfigError where its classes are not those of inference."""
        self._sequence = _Sequence(folder, device)
        names = self._sequence.names
        self._entailed = next((i for i, name in enumerate(names) if name.startswith("entail")), None)
        self._denied = next((i for i, name in enumerate(names) if name.startswith("contradict")), None)
        if self._entailed is None or len(names) not in (2, 3) or (len(names) == 3 and self._denied is None):
            raise ConfigError(f"model folder {folder}: the classes {', '.join(names)} are not those of inference")
        self._topics = [TOPIC.format(covers=topic.covers) for topic in codebook.topics]
        self._targets = [target.proposition for target in codebook.targets]

    def judge(self, text: str) -> Judged:
        """Return the probabilities of a stretch of text."""
        return Judged(
            relevance=self._share(text, RELEVANT),
            topics=np.array([self._share(text, topic) for topic in self._topics]),
            stances=np.array([self._stance(text, target) for target in self._targets]).reshape(-1, len(STANCES)),
        )

    def _share(self, text: str, hypothesis: str) -> float:
        return float(softmax(self._sequence.logits(text, hypothesis))[self._entailed])

    def _stance(self, text: str, proposition: str) -> list[float]:
        share = softmax(self._sequence.logits(text, proposition))
        favor = float(share[self._entailed])
        if self._denied is None:
            against = self._share(text, WRONG.format(proposition=proposition[:1].lower() + proposition[1:]))
        else:
            against = float(share[self._denied])
        most = max(1.0, favor + against)
        return [1 - (favor + against) / most, favor / most, against / most]


class Classes:
    """Judges by classes that bear the codebook's names."""

    def __init__(self, folder: Path, codebook: Codebook, device: str) -> None:
        """Load the model. Raises ConfigError where a topic or side of the codebook has no class."""
        self._sequence = _Sequence(folder, device)
        sides = [f"{target.id}:{side}" for target in codebook.targets for side in STANCES[1:]]
        wanted = ["relevance", *(topic.id for topic in codebook.topics), *sides]
        if lacking := [name for name in wanted if name not in self._sequence.names]:
            raise ConfigError(
                f"model folder {folder} has no class {', '.join(lacking[:5])}; it has {', '.join(self._sequence.names)}"
            )
        self._order = [self._sequence.names.index(name) for name in wanted]
        self._number = len(codebook.topics)

    def judge(self, text: str) -> Judged:
        """Return the probabilities of a stretch of text."""
        p: Array = sigmoid(self._sequence.logits(text)[self._order])
        sides = p[1 + self._number :].reshape(-1, 2)
        total = np.maximum(1.0, sides.sum(axis=1, keepdims=True))
        neutral = 1 - sides.sum(axis=1, keepdims=True) / total
        return Judged(
            relevance=float(p[0]), topics=p[1 : 1 + self._number], stances=np.hstack([neutral, sides / total])
        )


class TextClassifier:
    """Labels documents by a judge of stretches of text."""

    def __init__(
        self, folder: Path, codebook: Codebook, device: str = "auto", *, assume_relevant: bool = False
    ) -> None:
        """Load the model of `folder`: inference where its classes say so, else classes by name.

        `assume_relevant`: the documents are known to be relevant, another model said so.
        """
        names = " ".join(str(name).lower() for name in (weights.read_config(folder).get("id2label") or {}).values())
        kind = Inference if "entail" in names else Classes
        self._judge: Judge = kind(folder, codebook, device)
        self._assume_relevant = assume_relevant
        self.codebook = codebook
        self.model_id = folder.name
        self.revision = weights.revision(folder)
        self.calibration: dict[str, Any] | None = None

    def label(self, docs: Sequence[tuple[str, str, str | None]]) -> list[Labels]:
        """Return the labels of (title, text, language or None) in order."""
        return [self._one(*doc) for doc in docs]

    def _one(self, title: str, text: str, lang: str | None) -> Labels:
        lang = lang or language_of(text)
        if not self._assume_relevant and not may_be_relevant(self.codebook.relevance.terms, title, text):
            return unread(text, self.codebook, lang=lang, known=lang is not None)
        read = clean(text[:CHARACTERS])
        spans = sentences(read)
        judged = [self._judge.judge(f"{clean(title)}\n{part}") for part in _windows(read, spans)]
        found = _together(judged, len(spans))
        if self._assume_relevant:
            found = replace(found, relevance=1.0)
        first = labels(found, spans, text, self.codebook, lang=lang, known=lang is not None)
        if all(stance.label == STANCES[0] for stance in first.stances):
            return first
        for n, (start, end) in enumerate(spans[:MOST_SENTENCES]):
            found.sentences[n] = self._judge.judge(read[start:end]).stances
        return labels(found, spans, text, self.codebook, lang=lang, known=lang is not None)


def _windows(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Cut a text into stretches of whole sentences; a text without a sentence is one empty stretch."""
    found: list[str] = []
    start = end = 0
    for left, right in spans:
        if end > start and right - start > WINDOW:
            found.append(text[start:end])
            start = left
        end = right
    return [*found, text[start:end]]


def _together(judged: Sequence[Judged], spans: int) -> Scores:
    """Return what the windows of a document say together."""
    stances = np.stack([one.stances for one in judged])  # [windows, targets, 3]
    weight = 1 - stances[..., :1] + 1e-6
    relevance = max(one.relevance for one in judged)
    topics = np.max([one.topics for one in judged], axis=0)
    mean = (stances * weight).sum(axis=0) / weight.sum(axis=0)
    return Scores(
        relevance=relevance, topics=topics, addressed=1 - mean[:, 0], stances=mean,
        sentences=np.zeros((spans, *mean.shape)),
    )  # fmt: skip

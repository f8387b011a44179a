"""The label model: documents in, `Labels` out, by a frozen multilingual encoder and linear heads.

A model folder holds the encoder's files (see `pipeline.encoder`), `heads.safetensors` with one linear head for
relevance, topics, addressed and stance, already scaled to the encoder's plain vectors, and `heads.json`, which names
the topics and targets of their rows and the languages the model knows. A codebook may leave heads out or reorder
them; one that names a topic or target without a head is refused.

Topics and stances are probabilities given relevance where the document is likelier relevant than not; below that each
is multiplied by p(relevant), and the rest goes to neutral, so an irrelevant document is neutral by its numbers too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.encoder import FILES, Encoded, Encoder
from pipeline.errors import ConfigError
from pipeline.language import language_of
from pipeline.records import Evidence, Labels, Stance, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.codebook import Codebook

STANCES = ("neutral", "favor", "against")  # the order of the stance head's rows
HEADS = ("heads.json", "heads.safetensors")
MOST_EVIDENCE = 3
DIGITS = 6
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Linear heads in the order of a codebook; a weight has the encoder's hidden size as its last axis."""

    relevance: tuple[Array, Array]  # [1, hidden], [1]
    topic: tuple[Array, Array]  # [topics, hidden], [topics]
    addressed: tuple[Array, Array]  # [targets, hidden], [targets]
    stance: tuple[Array, Array]  # [targets, 3, hidden], [targets, 3], as STANCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The probabilities of one document, before thresholds."""

    relevance: float
    topics: Array  # [topics]
    addressed: Array  # [targets]
    stances: Array  # [targets, 3], as STANCES


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), without overflow."""
    return np.exp(-np.logaddexp(0.0, -z))


def softmax(z: Array) -> Array:
    """Return the softmax over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    share: Array = e / e.sum(axis=-1, keepdims=True)
    return share


def score(heads: Heads, document: Array) -> Scores:
    """Return the probabilities for the document vector [hidden]; those of an unlikely document are scaled down."""

    def logit(head: tuple[Array, Array]) -> Array:
        z: Array = head[0] @ document + head[1]
        return z

    relevance = float(sigmoid(logit(heads.relevance))[0])
    gate = 1.0 if relevance >= 0.5 else relevance
    stances = gate * softmax(logit(heads.stance))
    stances[:, 0] += 1.0 - gate
    return Scores(
        relevance=relevance,
        topics=gate * sigmoid(logit(heads.topic)),
        addressed=gate * sigmoid(logit(heads.addressed)),
        stances=stances,
    )


class Classifier:
    """Labels documents by a codebook. `model_id` and `revision` say which weights did it."""

    def __init__(self, folder: Path, codebook: Codebook) -> None:
        """Load the model of `folder`. Raises ConfigError where it is incomplete or does not fit the codebook."""
        self.codebook = codebook
        self.encoder = Encoder(folder)
        about, tensors = _read_heads(folder)
        self.heads = _select(about, tensors, codebook, self.encoder.hidden)
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
        limits = self.codebook.thresholds
        found = score(self.heads, encoded.document.astype(np.float64))
        p = round(found.relevance, DIGITS) if encoded.spans else 0.0  # a headline alone is no document
        relevant = p >= limits.relevance
        topics = tuple(
            Topic(topic=topic.id, p=_p(value), label=relevant and _p(value) >= limits.topic)
            for topic, value in zip(self.codebook.topics, found.topics, strict=True)
        )
        stances = tuple(self._stances(encoded, found, text, relevant=relevant, known=known))
        return Labels(lang=lang, p_relevant=p, relevant=relevant, topics=topics, stances=stances, abstain=not known)

    def _stances(self, encoded: Encoded, found: Scores, text: str, *, relevant: bool, known: bool) -> Iterator[Stance]:
        """Yield one stance for each target of the codebook."""
        limits = self.codebook.thresholds
        for i, target in enumerate(self.codebook.targets):
            neutral, favor, against = (_p(value) for value in found.stances[i])
            label = STANCES[int(np.argmax(found.stances[i]))] if relevant else STANCES[0]
            addressed = relevant and (label != STANCES[0] or _p(found.addressed[i]) >= limits.addressed)
            yield Stance(
                target=target.id, addressed=addressed,
                p_favor=favor, p_against=against, p_neutral=neutral, label=label,
                abstain=not known or (relevant and max(neutral, favor, against) < limits.abstain),
                evidence=self._evidence(encoded, i, label, text) if label != STANCES[0] else (),
            )  # fmt: skip

    def _evidence(self, encoded: Encoded, target: int, label: str, text: str) -> tuple[Evidence, ...]:
        """Return the best sentence for the label, and up to two more that carry it alone, in reading order."""
        weights, bias = self.heads.stance[0][target], self.heads.stance[1][target]
        shares = softmax(encoded.sentences.astype(np.float64) @ weights.T + bias)
        value = np.round(shares[:, STANCES.index(label)], DIGITS)
        order = np.argsort(-value, kind="stable")[:MOST_EVIDENCE]
        chosen = sorted(int(i) for rank, i in enumerate(order) if rank == 0 or value[i] >= 0.5)
        spans = [encoded.spans[i] for i in chosen]
        return tuple(Evidence(start=start, end=end, text=text[start:end]) for start, end in spans)


def load_classifier(model: str | Path | None, codebook: Codebook) -> Classifier:
    """Load the model folder `model`, or the one of the package. Raises ConfigError with the way out."""
    folder = Path(model) if model else Path(str(files("pipeline") / "data" / "model"))
    if not folder.is_dir():
        raise ConfigError(
            f"model {model or folder} is no folder; unset STANCEWATCH_MODEL to use the one of the package"
        )
    return Classifier(folder, codebook)


def _p(value: Any) -> float:
    return round(float(value), DIGITS)


def _read_heads(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return heads.json and the tensors of heads.safetensors."""
    from safetensors import SafetensorError  # noqa: PLC0415 - with the weights only
    from safetensors.numpy import load_file  # noqa: PLC0415

    try:
        about = json.loads((folder / HEADS[0]).read_text("utf-8"))
        tensors = {key: value.astype(np.float64) for key, value in load_file(folder / HEADS[1]).items()}
        return {key: about[key] for key in ("model_id", "topics", "targets", "languages")}, tensors
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ConfigError(f"model folder {folder}: {' and '.join(HEADS)} cannot be read: {error!r}") from error


def _select(about: dict[str, Any], tensors: dict[str, Array], codebook: Codebook, hidden: int) -> Heads:
    """Return the heads in the order of the codebook. Raises ConfigError where one is missing or of another size."""
    topics = _rows("topic", [t.id for t in codebook.topics], about["topics"])
    targets = _rows("target", [t.id for t in codebook.targets], about["targets"])
    sizes = {"relevance": (1,), "topic": (len(about["topics"]),), "addressed": (len(about["targets"]),),
             "stance": (len(about["targets"]), len(STANCES))}  # fmt: skip
    for name, size in sizes.items():
        w, b = tensors.get(f"{name}.w"), tensors.get(f"{name}.b")
        if w is None or b is None or w.shape != (*size, hidden) or b.shape != size:
            raise ConfigError(f"heads.safetensors: the head {name} is missing or of another size than the encoder")

    def pick(name: str, rows: list[int]) -> tuple[Array, Array]:
        return tensors[f"{name}.w"][rows], tensors[f"{name}.b"][rows]

    return Heads(
        relevance=pick("relevance", [0]), topic=pick("topic", topics),
        addressed=pick("addressed", targets), stance=pick("stance", targets),
    )  # fmt: skip


def _rows(kind: str, wanted: list[str], have: list[str]) -> list[int]:
    lacking = [name for name in wanted if name not in have]
    if lacking:
        raise ConfigError(
            f"the model has no head for the {kind} {', '.join(lacking)} of the codebook; it has {', '.join(have)}. "
            "Train heads for it, or take it out of the codebook"
        )
    return [have.index(name) for name in wanted]


def _revision(folder: Path) -> str:
    """Return 16 hexadecimal digits of SHA-256 over the model's files."""
    digest = hashlib.sha256()
    for name in sorted((*FILES, *HEADS)):
        digest.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:16]

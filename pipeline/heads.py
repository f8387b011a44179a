"""The heads of a label model: token vectors of a document in, probabilities and the weight of each sentence out.

Every topic and target, and relevance, has an attention of its own over the tokens, and reads its logits from the tokens'
mean under that attention (an attention of zeros is the plain mean). A document is as relevant as its most relevant
window. Topics and stances are read from all tokens of its relevant windows together; where no window is relevant, of
all. Below p(relevant) = .5 each probability is multiplied by p(relevant), and the rest goes to neutral, so an irrelevant
document is neutral by its numbers too.

On disk: `heads.safetensors` with `attention` [1 + topics + targets, hidden] and `<head>.w`, `<head>.b`, calibrated
already; `heads.json` names the topics and targets of the rows and the languages that the model knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.codebook import Codebook
    from pipeline.encoder import Encoded

STANCES = ("neutral", "favor", "against")  # the order of the stance head's rows
FILES = ("heads.json", "heads.safetensors")
ABOUT = ("model_id", "topics", "targets", "languages")
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Weights and biases in the order of a codebook."""

    attention: Array  # [1 + topics + targets, hidden]
    relevance: tuple[Array, Array]  # [1, hidden], [1]
    topic: tuple[Array, Array]  # [topics, hidden], [topics]
    addressed: tuple[Array, Array]  # [targets, hidden], [targets]
    stance: tuple[Array, Array]  # [targets, 3, hidden], [targets, 3], as STANCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the heads say of one document: logits, or probabilities, and what each sentence adds to a stance."""

    relevance: float
    topics: Array  # [topics]
    addressed: Array  # [targets]
    stances: Array  # [targets, 3], as STANCES
    sentences: Array  # [spans, targets, 3]: share of the attention times the margin over neutral, in logits


def sigmoid(z: Any) -> Any:
    """Return 1 / (1 + exp(-z)), without overflow."""
    return np.exp(-np.logaddexp(0.0, -z))


def softmax(z: Array, axis: int = -1) -> Array:
    """Return the softmax over an axis."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    share: Array = e / e.sum(axis=axis, keepdims=True)
    return share


def logits(heads: Heads, document: Encoded) -> Scores:
    """Return the logits of a document."""
    windows = [window.states.astype(np.float64) for window in document.windows]
    each = [_relevance(heads, states) for states in windows]
    chosen = [i for i, z in enumerate(each) if z >= 0] or list(range(len(windows)))
    states = np.concatenate([windows[i] for i in chosen])
    places = np.concatenate([document.windows[i].sentence for i in chosen])
    share = softmax(states @ heads.attention[1:].T, axis=0)  # [tokens, topics + targets]
    topics = len(heads.topic[1])
    pooled = share.T @ states
    return Scores(
        relevance=max(each),
        topics=np.einsum("th,th->t", pooled[:topics], heads.topic[0]) + heads.topic[1],
        addressed=np.einsum("th,th->t", pooled[topics:], heads.addressed[0]) + heads.addressed[1],
        stances=np.einsum("th,tkh->tk", pooled[topics:], heads.stance[0]) + heads.stance[1],
        sentences=_by_sentence(heads, states, share[:, topics:], places, len(document.spans)),
    )


def probabilities(z: Scores) -> Scores:
    """Turn the logits of a document into probabilities; those of an unlikely document are scaled down."""
    relevance = float(sigmoid(np.float64(z.relevance)))
    gate = 1.0 if relevance >= 0.5 else relevance
    stances = gate * softmax(z.stances)
    stances[:, 0] += 1.0 - gate
    return Scores(
        relevance=relevance, topics=gate * sigmoid(z.topics), addressed=gate * sigmoid(z.addressed),
        stances=stances, sentences=z.sentences,
    )  # fmt: skip


def nothing(topics: int, targets: int) -> Scores:
    """Return the probabilities of a document that was not read."""
    stances = np.zeros((targets, len(STANCES)))
    stances[:, 0] = 1.0
    none = np.zeros((0, targets, len(STANCES)))
    return Scores(relevance=0.0, topics=np.zeros(topics), addressed=np.zeros(targets), stances=stances, sentences=none)


def _relevance(heads: Heads, states: Array) -> float:
    pooled = softmax(states @ heads.attention[0]) @ states
    return float((heads.relevance[0] @ pooled + heads.relevance[1])[0])


def _by_sentence(heads: Heads, states: Array, share: Array, places: NDArray[np.int64], spans: int) -> Array:
    """Return what the tokens of each sentence add to each stance over neutral [spans, targets, 3]."""
    margin = np.einsum("nh,tkh->ntk", states, heads.stance[0] - heads.stance[0][:, :1])
    total = np.zeros((spans, *margin.shape[1:]))
    inside = places >= 0
    np.add.at(total, places[inside], (share[:, :, None] * margin)[inside])
    return total


def read_heads(folder: Path, codebook: Codebook, hidden: int) -> tuple[Heads, dict[str, Any]]:
    """Return the heads of a model folder in the order of the codebook, and heads.json.

    Raises ConfigError where the files cannot be read, do not fit the encoder, or lack a topic or target of the codebook.
    """
    about, tensors = _read(folder)
    topics = _rows("topic", [t.id for t in codebook.topics], about["topics"])
    targets = _rows("target", [t.id for t in codebook.targets], about["targets"])
    n, m = len(about["topics"]), len(about["targets"])
    sizes: dict[str, tuple[int, ...]] = {
        "relevance": (1,),
        "topic": (n,),
        "addressed": (m,),
        "stance": (m, len(STANCES)),
    }
    wanted: dict[str, tuple[int, ...]] = {"attention": (1 + n + m, hidden)}
    for name, size in sizes.items():
        wanted |= {f"{name}.w": (*size, hidden), f"{name}.b": size}
    wrong = [name for name, shape in wanted.items() if name not in tensors or tensors[name].shape != shape]
    if wrong or set(tensors) - set(wanted):
        raise ConfigError(f"{folder / FILES[1]}: missing, of another size than the encoder, or too many: "
                          f"{', '.join(wrong or sorted(set(tensors) - set(wanted)))}")  # fmt: skip

    def pick(name: str, rows: Sequence[int]) -> tuple[Array, Array]:
        return tensors[f"{name}.w"][rows], tensors[f"{name}.b"][rows]

    order = [0, *(1 + i for i in topics), *(1 + n + i for i in targets)]
    heads = Heads(
        attention=tensors["attention"][order], relevance=pick("relevance", [0]), topic=pick("topic", topics),
        addressed=pick("addressed", targets), stance=pick("stance", targets),
    )  # fmt: skip
    return heads, about


def read_about(folder: Path) -> dict[str, Any]:
    """Return heads.json. Raises ConfigError where it cannot be read or lacks a key of ABOUT."""
    try:
        about = json.loads((folder / FILES[0]).read_text("utf-8"))
        return {**{key: about[key] for key in ABOUT}, "calibration": about.get("calibration")}
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"model folder {folder}: {FILES[0]} cannot be read: {error!r}") from error


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    from safetensors import SafetensorError  # noqa: PLC0415 - with the weights only
    from safetensors.numpy import load_file  # noqa: PLC0415

    try:
        tensors = {key: value.astype(np.float64) for key, value in load_file(folder / FILES[1]).items()}
    except (OSError, SafetensorError, ValueError) as error:
        raise ConfigError(f"model folder {folder}: {FILES[1]} cannot be read: {error!r}") from error
    return read_about(folder), tensors


def write_heads(folder: Path, heads: Heads, about: dict[str, Any]) -> None:
    """Write heads.safetensors in fp32 and heads.json; `about` has at least the keys of ABOUT."""
    from safetensors.numpy import save  # noqa: PLC0415 - with the weights only

    parts = {name: getattr(heads, name) for name in ("relevance", "topic", "addressed", "stance")}
    tensors = {f"{n}.{k}": v for n, pair in parts.items() for k, v in zip("wb", pair, strict=True)}
    plain = {"attention": heads.attention, **tensors}
    (folder / FILES[1]).write_bytes(save({n: np.ascontiguousarray(v, np.float32) for n, v in plain.items()}))
    (folder / FILES[0]).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _rows(kind: str, wanted: list[str], have: list[str]) -> list[int]:
    lacking = [name for name in wanted if name not in have]
    if lacking:
        raise ConfigError(
            f"the model has no head for the {kind} {', '.join(lacking)} of the codebook; it has {', '.join(have)}. "
            "Train heads for it, or take it out of the codebook"
        )
    return [have.index(name) for name in wanted]

"""Figures of a classifier on labelled documents: JSON lines in the form {title, text, lang, gold} in, a dict out.

`gold` is {rel, topics, fav, ag, neu, evidence} as the coders of the codebook write it. Stances of irrelevant documents
count as neutral. `stance` is the mean of the F1 of favor and of against, each pooled over the targets.
Every main figure comes with a 95 % interval from 1,000 bootstrap samples of documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.model import Classifier
from pipeline.records import Labels

SAMPLES = 1000
Flags = NDArray[np.bool_]


def f1(gold: Flags, found: Flags) -> float:
    """Return F1, 0.0 where there is neither a gold nor a found case."""
    hits, total = int((gold & found).sum()), int(gold.sum() + found.sum())
    return 2 * hits / total if total else 0.0


def evaluate(rows: Iterable[dict[str, Any]], classifier: Classifier, batch: int = 64) -> dict[str, Any]:
    """Label the rows and return {n, relevance_f1, topic_macro_f1, stance, ..., interval: {figure: [low, high]}}."""
    golds: list[dict[str, Any]] = []
    found: list[Labels] = []
    stream = iter(rows)
    while part := list(islice(stream, batch)):
        found += classifier.label([(row.get("title") or "", row["text"], row.get("lang")) for row in part])
        golds += [row["gold"] for row in part]
    if not golds:
        raise ConfigError("nothing to evaluate: the file has no labelled line")
    codebook = classifier.codebook
    return figures(golds, found, [t.id for t in codebook.topics], [t.id for t in codebook.targets])


def figures(
    golds: Sequence[dict[str, Any]],
    found: Sequence[Labels],
    topics: Sequence[str],
    targets: Sequence[str],
    groups: NDArray[Any] | None = None,
) -> dict[str, Any]:
    """Return the figures of labels against gold; the bootstrap draws documents, or whole `groups` of them."""
    cells = _cells(golds, found, topics, targets)
    main = {"relevance_f1": _relevance, "topic_macro_f1": _topics, "stance": _stance,
            "stance_favor_f1": _favor, "stance_against_f1": _against, "addressed_f1": _addressed}  # fmt: skip
    everyone = np.arange(len(golds))
    picks = _picks(everyone if groups is None else groups)
    return {
        "n": len(golds),
        "n_relevant": int(cells["rel"][0].sum()),
        **{name: round(figure(cells, everyone), 3) for name, figure in main.items()},
        "evidence_hit": _evidence_hit(golds, found),
        "abstained": round(float(np.mean([s.abstain for labels in found for s in labels.stances])), 3),
        "interval": {name: _interval(figure, cells, picks) for name, figure in main.items()},
        "topic_f1": {t: round(f1(*(side[:, i] for side in cells["topics"])), 3) for i, t in enumerate(topics)},
    }


def _picks(groups: NDArray[Any]) -> list[NDArray[Any]]:
    """Return bootstrap samples of document indices, drawn by group."""
    rng = np.random.default_rng(0)
    names, place = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(place == i) for i in range(len(names))]
    draws = (rng.integers(0, len(names), len(names)) for _ in range(SAMPLES))
    return [np.concatenate([members[i] for i in draw]) for draw in draws]


Cells = dict[str, tuple[Flags, Flags]]


def _cells(
    golds: Sequence[dict[str, Any]], found: Sequence[Labels], topics: Sequence[str], targets: Sequence[str]
) -> Cells:
    """Return gold and found flags: rel [n], topics [n, topics], favor, against and addressed [n, targets]."""

    def gold(ids: Sequence[str], *keys: str) -> Flags:
        return np.array([[any(i in g[k] for k in keys) for i in ids] for g in golds], bool)

    def stance(label: str) -> Flags:
        return np.array([[s.label == label for s in labels.stances] for labels in found], bool)

    return {
        "rel": (np.array([bool(g["rel"]) for g in golds]), np.array([labels.relevant for labels in found])),
        "topics": (gold(topics, "topics"), np.array([[t.label for t in x.topics] for x in found], bool)),
        "favor": (gold(targets, "fav"), stance("favor")),
        "against": (gold(targets, "ag"), stance("against")),
        "addressed": (gold(targets, "fav", "ag", "neu"), np.array([[s.addressed for s in x.stances] for x in found])),
    }


def _pooled(cells: Cells, name: str, pick: NDArray[Any]) -> float:
    gold, found = cells[name]
    return f1(gold[pick], found[pick])


def _relevance(cells: Cells, pick: NDArray[Any]) -> float:
    return _pooled(cells, "rel", pick)


def _favor(cells: Cells, pick: NDArray[Any]) -> float:
    return _pooled(cells, "favor", pick)


def _against(cells: Cells, pick: NDArray[Any]) -> float:
    return _pooled(cells, "against", pick)


def _addressed(cells: Cells, pick: NDArray[Any]) -> float:
    return _pooled(cells, "addressed", pick)


def _stance(cells: Cells, pick: NDArray[Any]) -> float:
    return (_favor(cells, pick) + _against(cells, pick)) / 2


def _topics(cells: Cells, pick: NDArray[Any]) -> float:
    gold, found = (side[pick] for side in cells["topics"])
    return float(np.mean([f1(gold[:, i], found[:, i]) for i in range(gold.shape[1])]))


def _interval(
    figure: Callable[[Cells, NDArray[Any]], float], cells: Cells, picks: Sequence[NDArray[Any]]
) -> list[float]:
    low, high = np.quantile([figure(cells, pick) for pick in picks], [0.025, 0.975])
    return [round(float(low), 3), round(float(high), 3)]


def _evidence_hit(golds: Sequence[dict[str, Any]], found: Sequence[Labels]) -> float | None:
    """Return the share of rightly found stances whose evidence touches a gold sentence; None where there is none."""
    hits: list[bool] = []
    for gold, labels in zip(golds, found, strict=True):
        for stance in labels.stances:
            spans = (gold.get("evidence") or {}).get(stance.target)
            side = {"favor": "fav", "against": "ag"}.get(stance.label)
            if spans and side and stance.target in gold[side]:
                hits.append(any(e.start < end and start < e.end for e in stance.evidence for start, end in spans))
    return round(sum(hits) / len(hits), 3) if hits else None


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the labelled lines of a JSON-lines file. Raises ConfigError naming the line that is wrong."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _checked(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _checked(line: str, place: str) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
        if not isinstance(row["text"], str) or not {"rel", "topics", "fav", "ag", "neu"} <= set(row["gold"]):
            raise ValueError("text or a part of gold is missing")
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{place}: no labelled document: {error}") from error
    return row

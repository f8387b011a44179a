"""Measure a classifier on labelled documents: JSON lines in the form {title, text, lang, gold} in, a dict out.

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

from pipeline.errors import ConfigError
from pipeline.metrics import Array, Flags, calibration_error, f1, interval, resample
from pipeline.model import Classifier
from pipeline.records import Labels

Cells = dict[str, tuple[Flags, Array]]  # gold flags, and found flags or probabilities
Figure = Callable[[Cells, Array], float]


def evaluate(rows: Iterable[dict[str, Any]], classifier: Classifier, batch: int = 64) -> dict[str, Any]:
    """Label the rows and return {n, relevance_f1, topic_macro_f1, stance, ..., interval: {figure: [low, high]}}."""
    golds: list[dict[str, Any]] = []
    langs: list[str] = []
    found: list[Labels] = []
    stream = iter(rows)
    while part := list(islice(stream, batch)):
        found += classifier.label([(row.get("title") or "", row["text"], row.get("lang")) for row in part])
        golds += [row["gold"] for row in part]
        langs += [row.get("lang") or "" for row in part]
    if not golds:
        raise ConfigError("nothing to evaluate: the file has no labelled line")
    codebook = classifier.codebook
    return figures(golds, found, [t.id for t in codebook.topics], [t.id for t in codebook.targets], langs=langs)


def figures(
    golds: Sequence[dict[str, Any]],
    found: Sequence[Labels],
    topics: Sequence[str],
    targets: Sequence[str],
    groups: Array | None = None,
    langs: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the figures of labels against gold; the bootstrap draws documents, or whole `groups` of them."""
    cells = _cells(golds, found, topics, targets)
    everyone = np.arange(len(golds))
    picks = resample(everyone if groups is None else groups)
    return {
        "n": len(golds),
        "n_relevant": int(cells["rel"][0].sum()),
        **{name: round(figure(cells, everyone), 3) for name, figure in MAIN.items()},
        **{f"{name}_calibration_error": round(figure(cells, everyone), 3) for name, figure in ERRORS.items()},
        "evidence_hit": _evidence_hit(golds, found),
        "abstained": round(float(np.mean([s.abstain for labels in found for s in labels.stances])), 3),
        "interval": {name: interval(lambda pick, f=figure: f(cells, pick), picks) for name, figure in MAIN.items()},  # type: ignore[misc]
        "by_language": _by_language(cells, langs, picks),
        "topic_f1": {t: round(f1(*(side[:, i] for side in cells["topics"])), 3) for i, t in enumerate(topics)},
        "target_f1": {t: _by_target(cells, i) for i, t in enumerate(targets)},
    }


def _cells(
    golds: Sequence[dict[str, Any]], found: Sequence[Labels], topics: Sequence[str], targets: Sequence[str]
) -> Cells:
    """Return gold beside found: rel [n], topics [n, topics], favor, against, addressed [n, targets]; p_* with floats."""

    def gold(ids: Sequence[str], *keys: str) -> Flags:
        return np.array([[any(i in g[k] for k in keys) for i in ids] for g in golds], bool)

    def stance(label: str) -> Flags:
        return np.array([[s.label == label for s in labels.stances] for labels in found], bool)

    rel = np.array([bool(g["rel"]) for g in golds])
    favor, against = gold(targets, "fav"), gold(targets, "ag")
    return {
        "rel": (rel, np.array([labels.relevant for labels in found])),
        "topics": (gold(topics, "topics"), np.array([[t.label for t in x.topics] for x in found], bool)),
        "favor": (favor, stance("favor")),
        "against": (against, stance("against")),
        "addressed": (gold(targets, "fav", "ag", "neu"), np.array([[s.addressed for s in x.stances] for x in found])),
        "p_rel": (rel, np.array([labels.p_relevant for labels in found])),
        "p_favor": (favor, np.array([[s.p_favor for s in x.stances] for x in found])),
        "p_against": (against, np.array([[s.p_against for s in x.stances] for x in found])),
    }


def _pooled(name: str) -> Figure:
    return lambda cells, pick: f1(cells[name][0][pick], cells[name][1][pick])


def _stance(cells: Cells, pick: Array) -> float:
    return (_pooled("favor")(cells, pick) + _pooled("against")(cells, pick)) / 2


def _topics(cells: Cells, pick: Array) -> float:
    gold, found = (side[pick] for side in cells["topics"])
    return float(np.mean([f1(gold[:, i], found[:, i]) for i in range(gold.shape[1])]))


def _error(name: str) -> Figure:
    return lambda cells, pick: calibration_error(cells[name][0][pick], cells[name][1][pick])


MAIN: dict[str, Figure] = {
    "relevance_f1": _pooled("rel"), "topic_macro_f1": _topics, "stance": _stance,
    "stance_favor_f1": _pooled("favor"), "stance_against_f1": _pooled("against"), "addressed_f1": _pooled("addressed"),
}  # fmt: skip
ERRORS = {"relevance": _error("p_rel"), "favor": _error("p_favor"), "against": _error("p_against")}


def _by_language(cells: Cells, langs: Sequence[str], picks: Sequence[Array]) -> dict[str, Any]:
    """Return stance and its interval for English, Chinese and the other languages together, where there are any."""
    place = np.array([lang.split("-")[0] if lang.split("-")[0] in ("en", "zh") else "other" for lang in langs])
    found = {}
    for name in sorted(set(place.tolist())):
        among = np.flatnonzero(place == name)

        def stance(pick: Array, among: Array = among) -> float:
            return _stance(cells, pick[np.isin(pick, among)])

        errors = {f"{k}_calibration_error": round(figure(cells, among), 3) for k, figure in ERRORS.items()}
        found[name] = {
            "n": len(among),
            "stance": round(stance(among), 3),
            "interval": interval(stance, picks),
            **errors,
        }
    return found


def _by_target(cells: Cells, i: int) -> dict[str, Any]:
    """Return F1, calibration error and the number of gold cases of both sides of a target."""
    found = {}
    for name in ("favor", "against"):
        gold, given = (side[:, i] for side in cells[name])
        error = calibration_error(gold, cells[f"p_{name}"][1][:, i])
        found[name] = {"f1": round(f1(gold, given), 3), "n": int(gold.sum()), "calibration_error": round(error, 3)}
    return found


def _evidence_hit(golds: Sequence[dict[str, Any]], found: Sequence[Labels]) -> float | None:
    """Return the share of rightly found stances whose first evidence overlaps a coder's; None where there is none."""
    hits: list[bool] = []
    for gold, labels in zip(golds, found, strict=True):
        for stance in labels.stances:
            spans = (gold.get("evidence") or {}).get(stance.target)
            side = {"favor": "fav", "against": "ag"}.get(stance.label)
            if spans and side and stance.target in gold[side]:
                first = stance.evidence[0]
                hits.append(any(first.start < end and start < first.end for start, end in spans))
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

"""Make a model folder for a codebook: coded rows and an encoder in; heads, calibration and figures out.

By default the encoder of a model folder stays as it is and heads are fitted on its vectors. With a base encoder in
transformers' format its upper layers are trained too (`finetune`), which needs torch. Either way the figures and the
calibration come from grouped cross-validation: no row is judged by a model that has seen its outlet or document. Rows
written for training take part in every fold's training, and in no measurement.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import encoder as encoding
from pipeline.codebook import Codebook
from pipeline.encoder import Encoded, Encoder, Window
from pipeline.evaluate import figures
from pipeline.heads import Heads, Scores, logits, probabilities, write_heads
from pipeline.labels import labels as to_labels
from pipeline.sentences import sentences
from pipeline.training import data, frozen
from pipeline.training.calibrate import Calibration, apply, calibrate, move
from pipeline.training.data import Row

log = logging.getLogger(__name__)
Array = data.Array
Fit = Callable[[Array], Callable[[int], Scores]]  # trains on the rows of these indices; returns a reader of logits


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Calibrated heads, how they were calibrated, and the figures of cross-validation."""

    heads: Heads
    calibration: Calibration
    figures: dict[str, Any]


def cross_validate(
    rows: Sequence[Row], codebook: Codebook, number: int, fit: Fit, measure: int | None = None
) -> tuple[Calibration, dict[str, Any]]:
    """Return calibration and figures from the first `measure` of `number` folds (default: all of them)."""
    found: dict[int, Scores] = {}
    for n, (train, test) in enumerate(data.folds(rows, number)[:measure]):
        log.info("fold %d of %d: %d rows to train on, %d to test", n + 1, number, len(train), len(test))
        read = fit(train)
        found |= {int(i): read(int(i)) for i in test}
    order = sorted(found)
    judged = [rows[i] for i in order]
    z = {"relevance": np.array([[found[i].relevance] for i in order]), "topic": np.stack([found[i].topics for i in order]),
         "addressed": np.stack([found[i].addressed for i in order]),
         "stance": np.stack([found[i].stances for i in order])}  # fmt: skip
    by = calibrate(z, data.labels(judged, codebook))
    given = [
        to_labels(
            probabilities(move(found[i], by)), sentences(row["text"]), row["text"], codebook, lang=row.get("lang")
        )
        for i, row in zip(order, judged, strict=True)
    ]
    names = [t.id for t in codebook.topics], [t.id for t in codebook.targets]
    langs = [row.get("lang") or "" for row in judged]
    groups = data.group(judged)
    return by, figures([row["gold"] for row in judged], given, *names, groups=groups, langs=langs)


def train_heads(
    rows: Sequence[Row],
    taught: Sequence[Row],
    folder: Path,
    codebook: Codebook,
    number: int,
    measure: int | None = None,
) -> Trained:
    """Fit heads on the frozen encoder of a model folder.

    `taught` is what the heads learn: the measured `rows`, mended or not, and then those written for training.
    """
    x = frozen.vectors(Encoder(folder), taught)
    y = data.labels(taught, codebook)
    extra = np.arange(len(rows), len(taught))

    def fit(train: Array) -> Callable[[int], Scores]:
        chosen = np.concatenate([train, extra]).astype(int)
        heads = frozen.fit_heads(x[chosen], {k: v[chosen] for k, v in y.items()})
        return lambda i: logits(heads, _one_token(x[i], rows[i]["text"]))

    by, measured = cross_validate(rows, codebook, number, fit, measure)
    measured.pop("evidence_hit")  # one vector a document knows no sentences
    return Trained(heads=apply(frozen.fit_heads(x, y), by), calibration=by, figures=measured)


def _one_token(vector: Array, text: str) -> Encoded:
    """Return a document whose only token is its mean."""
    return Encoded(windows=(Window(states=vector[None], sentence=np.array([-1])),), spans=tuple(sentences(text)))


def save(trained: Trained, folder: Path, out: Path, codebook: Codebook, about: dict[str, Any]) -> None:
    """Write the model folder `out`: the encoder's files of `folder`, and the heads with how they were made."""
    out.mkdir(parents=True, exist_ok=True)
    weights = [name for name in ("model.onnx", "model.safetensors") if (folder / name).is_file()]
    for name in (*encoding.FILES, *weights):
        if (folder / name).resolve() != (out / name).resolve():
            shutil.copyfile(folder / name, out / name)
    made = {
        **about, "codebook": codebook.version, "codebook_hash": codebook.hash,
        "topics": [t.id for t in codebook.topics], "targets": [t.id for t in codebook.targets],
        "calibration": {**asdict(trained.calibration), "measured": _measured(trained.figures)}, "cross_validation": json.loads(json.dumps(trained.figures)),
    }  # fmt: skip
    write_heads(out, trained.heads, made)


def _measured(figures: dict[str, Any]) -> dict[str, Any]:
    """Return how far the probabilities were off, in all, by language and by target: what is stored with each run."""
    return {
        "overall": {
            k.removesuffix("_calibration_error"): v for k, v in figures.items() if k.endswith("_calibration_error")
        },
        "language": {
            lang: {k.removesuffix("_calibration_error"): v for k, v in cell.items() if k == "n" or k.endswith("error")}
            for lang, cell in figures["by_language"].items()
        },
        "target": {
            target: {side: {"n": cell["n"], "error": cell["calibration_error"]} for side, cell in sides.items()}
            for target, sides in figures["target_f1"].items()
        },
    }

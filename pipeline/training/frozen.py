"""Heads on a frozen encoder: coded rows and their vectors in, logistic regressions as `Heads` out. Needs scikit-learn.

Every head reads the plain mean of a document's tokens. Topics and stances are fitted on relevant rows, favor and against
as one balanced yes-or-no head each. A side with fewer than three rows gets no head: it is never given; a label that all
but two rows have always is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from pipeline.encoder import Encoder
from pipeline.heads import Heads
from pipeline.training.data import Row

Array = NDArray[Any]
C = {"relevance": 0.003, "topic": 0.01, "addressed": 0.01, "stance": 0.01}  # by grouped cross-validation
FEW = 3
NEVER = -30.0


def vectors(encoder: Encoder, rows: Sequence[Row]) -> Array:
    """Return the mean of each row's token vectors [n, hidden]."""
    found = []
    for row in rows:
        windows = encoder.encode(row.get("title") or "", row["text"]).windows
        found.append(np.concatenate([window.states for window in windows]).mean(axis=0, dtype=np.float64))
    return np.stack(found)


def fit_heads(x: Array, y: dict[str, Array]) -> Heads:
    """Fit every head on vectors [n, hidden] and the labels of `data.labels`."""
    on = y["relevance"][:, 0]

    def columns(name: str, rows: Array, labels: Array, weight: str | None) -> tuple[Array, Array]:
        pairs = [_fit(x[rows], labels[rows, i], C[name], weight) for i in range(labels.shape[1])]
        return np.stack([w for w, _ in pairs]), np.array([b for _, b in pairs])

    sides = [columns("stance", on, y["stance"] == k, "balanced") for k in (1, 2)]
    nothing = np.zeros_like(sides[0][0])
    return Heads(
        attention=np.zeros((1 + y["topic"].shape[1] + y["stance"].shape[1], x.shape[1])),
        relevance=columns("relevance", np.ones(len(x), bool), y["relevance"], None),
        topic=columns("topic", on, y["topic"], "balanced"),
        addressed=columns("addressed", on, y["addressed"], "balanced"),
        stance=(np.stack([nothing, *(w for w, _ in sides)], 1), np.stack([nothing[:, 0], *(b for _, b in sides)], 1)),
    )


def _fit(x: Array, y: Array, c: float, weight: str | None) -> tuple[Array, float]:
    """Return (weights, bias) for plain vectors of one yes-or-no head, fitted on standardised ones."""
    if y.sum() < FEW:
        return np.zeros(x.shape[1]), NEVER
    if (~y).sum() < FEW:
        return np.zeros(x.shape[1]), -NEVER
    mean, scale = x.mean(0), x.std(0) + 1e-9
    model = LogisticRegression(C=c, max_iter=300, class_weight=weight).fit((x - mean) / scale, y)
    w = model.coef_[0] / scale
    return w, float(model.intercept_[0] - w @ mean)

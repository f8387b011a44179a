"""Fit shifts and temperatures on out-of-fold logits, and fold them into heads: logits and labels in, `Heads` out.

First each head's zero is moved to the threshold with the best F1 (one for relevance, topics, addressed, favor and
against each, pooled over topics and targets), so that every label is the likeliest one. Then one temperature a head is
fitted by likelihood around that threshold, which moves no label (Guo and others, On calibration of modern neural
networks, 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.heads import Heads, Scores, sigmoid, softmax
from pipeline.metrics import f1

Array = NDArray[Any]
SHIFTS = np.arange(-2.5, 2.51, 0.125)
TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(5), 60))
BINARY = ("relevance", "topic", "addressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What is subtracted from the logits, and what they are divided by then."""

    shift: dict[str, float]  # relevance, topic, addressed, favor, against
    temperature: dict[str, float]  # relevance, topic, addressed, stance


def calibrate(z: dict[str, Array], y: dict[str, Array]) -> Calibration:
    """Fit on logits {relevance [n, 1], topic, addressed, stance [n, targets, 3]} and labels as `data.labels` gives them.

    Topics and stances are judged as they are given: none where the document is not relevant by its logit.
    """
    shift = {"relevance": _best(lambda s: f1(y["relevance"], z["relevance"] > s))}
    on = z["relevance"] > shift["relevance"]
    shift["topic"] = _best(lambda s: _macro(y["topic"], (z["topic"] > s) & on))
    shift["addressed"] = _best(lambda s: f1(y["addressed"], (z["addressed"] > s) & on))
    shift |= _sides(z["stance"], y["stance"], on)
    moved = z["stance"] - np.array([0.0, shift["favor"], shift["against"]])
    relevant = y["relevance"][:, 0]
    temperature = {
        name: _cooled(z[name] - shift[name], y[name], relevant if name != "relevance" else ...) for name in BINARY
    }
    losses = [_stance_loss(moved[relevant] / t, y["stance"][relevant]) for t in TEMPERATURES]
    temperature["stance"] = float(TEMPERATURES[int(np.argmin(losses))])
    return Calibration(shift=shift, temperature=temperature)


def apply(heads: Heads, by: Calibration) -> Heads:
    """Return the heads with shifts and temperatures folded into weights and biases."""

    def binary(name: str) -> tuple[Array, Array]:
        w, b = getattr(heads, name)
        return w / by.temperature[name], (b - by.shift[name]) / by.temperature[name]

    w, b = heads.stance
    t = by.temperature["stance"]
    return Heads(
        attention=heads.attention, relevance=binary("relevance"), topic=binary("topic"), addressed=binary("addressed"),
        stance=(w / t, (b - np.array([0.0, by.shift["favor"], by.shift["against"]])) / t),
    )  # fmt: skip


def _best(measure: Callable[[float], float]) -> float:
    """Return the shift with the highest measure, the smallest one of equals."""
    return float(max(SHIFTS, key=lambda s: (round(measure(float(s)), 4), -abs(s))))


def _macro(y: Array, found: Array) -> float:
    return float(np.mean([f1(y[:, i], found[:, i]) for i in range(y.shape[1])]))


def _sides(z: Array, y: Array, on: Array) -> dict[str, float]:
    """Return the shifts of favor and against with the best mean F1, found by turns."""
    shift = {"favor": 0.0, "against": 0.0}

    def stance(favor: float, against: float) -> float:
        label = np.where(on, (z - np.array([0.0, favor, against])).argmax(-1), 0)
        return (f1(y == 1, label == 1) + f1(y == 2, label == 2)) / 2

    for _ in range(3):
        shift["favor"] = _best(lambda s: stance(s, shift["against"]))
        shift["against"] = _best(lambda s: stance(shift["favor"], s))
    return shift


def _cooled(z: Array, y: Array, rows: Any) -> float:
    """Return the temperature with the least cross-entropy of a yes-or-no head."""

    def loss(t: float) -> float:
        p = sigmoid(z[rows] / t).clip(1e-9, 1 - 1e-9)
        return float(-np.where(y[rows], np.log(p), np.log1p(-p)).mean())

    return float(min(TEMPERATURES, key=loss))


def _stance_loss(z: Array, y: Array) -> float:
    p = np.take_along_axis(softmax(z), y[..., None], axis=-1)
    return float(-np.log(p.clip(1e-9)).mean())


def move(z: Scores, by: Calibration) -> Scores:
    """Return the logits of a document as calibrated heads would give them."""
    shift, t = by.shift, by.temperature
    return replace(
        z, relevance=(z.relevance - shift["relevance"]) / t["relevance"], topics=(z.topics - shift["topic"]) / t["topic"],
        addressed=(z.addressed - shift["addressed"]) / t["addressed"],
        stances=(z.stances - np.array([0.0, shift["favor"], shift["against"]])) / t["stance"],
    )  # fmt: skip

"""Figures of labels against gold: flags and probabilities in, numbers out. No models, no files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1000
BINS = 10
Flags = NDArray[np.bool_]
Array = NDArray[Any]


def f1(gold: Flags, found: Flags) -> float:
    """Return F1, 0.0 where there is neither a gold nor a found case."""
    hits, total = int((gold & found).sum()), int(gold.sum() + found.sum())
    return 2 * hits / total if total else 0.0


def calibration_error(gold: Flags, p: Array) -> float:
    """Return the expected calibration error: the mean gap of frequency and probability in ten bins, by their size.

    Source: Naeini and others, Obtaining well calibrated probabilities using Bayesian binning, 2015.
    """
    place = np.minimum((p.ravel() * BINS).astype(int), BINS - 1)
    size = np.bincount(place, minlength=BINS)
    gap = np.abs(np.bincount(place, gold.ravel(), BINS) - np.bincount(place, p.ravel(), BINS))
    return float(gap.sum() / max(1, size.sum()))


def resample(groups: Array) -> list[Array]:
    """Return bootstrap samples of document indices, drawn by group; the same ones every time."""
    rng = np.random.default_rng(0)
    names, place = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(place == i) for i in range(len(names))]
    draws = (rng.integers(0, len(names), len(names)) for _ in range(SAMPLES))
    return [np.concatenate([members[i] for i in draw]) for draw in draws]


def interval(figure: Callable[[Array], float], picks: Sequence[Array]) -> list[float]:
    """Return the 95 % interval of a figure over bootstrap samples, as [low, high]."""
    low, high = np.quantile([figure(pick) for pick in picks], [0.025, 0.975])
    return [round(float(low), 3), round(float(high), 3)]

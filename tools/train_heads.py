#!/usr/bin/env python3
"""Train the linear heads on passages coded by the codebook, and measure them by grouped cross-validation.

In:  a model folder with the encoder (tools/build_encoder.py) and JSON lines {title, text, lang, outlet, gold}.
Out: heads.safetensors and heads.json in the model folder; the figures on standard output and in heads.json.

Passages of one outlet, and the parts of one document, stay on one side of every split. Topics and stances are trained
on relevant passages. A head's threshold is a shift of its bias, chosen on the out-of-fold scores, so that every label
is the likeliest one; this tilts the probabilities toward the rare stances. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.codebook import Codebook, load_codebook
from pipeline.encoder import Encoder
from pipeline.evaluate import f1, figures, read_rows
from pipeline.model import STANCES, Heads, score, sigmoid
from pipeline.records import Labels, Stance, Topic

Array = NDArray[Any]
C = {"relevance": 0.003, "topic": 0.01, "addressed": 0.01, "stance": 0.01}  # by grouped cross-validation
SHIFTS = np.arange(-1.5, 1.51, 0.25)
FEW = 3  # a stance with fewer passages gets no head: it is never given
NEVER = -30.0
# The languages of the encoder's pre-training that the trimmed vocabulary still spells.
LANGUAGES = """
    af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk kn ko
    ky lt lv mk ml mn mr ms my nb ne nl nn no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh
""".split()  # noqa: SIM905 - a list of one line each is unreadable


def group(rows: list[dict[str, Any]]) -> Array:
    """Return a group number for each row: rows that share an outlet or a document share it."""
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    seen: dict[tuple[str, str], int] = {}
    for i, row in enumerate(rows):
        title = re.sub(r"\s*\[part .*", "", row["title"]).strip().lower()
        for key in (("outlet", row["outlet"]), ("title", title)):
            if key[1]:
                parent[root(i)] = root(seen.setdefault(key, i))
    return np.array([root(i) for i in range(len(rows))])


def gold(rows: list[dict[str, Any]], codebook: Codebook) -> dict[str, Array]:
    """Return the labels as arrays: relevance [n], topic [n, topics], addressed [n, targets], stance as in STANCES."""
    golds = [row["gold"] for row in rows]
    topics, targets = [t.id for t in codebook.topics], [t.id for t in codebook.targets]
    stance = [[1 if t in g["fav"] else 2 if t in g["ag"] else 0 for t in targets] for g in golds]
    return {
        "relevance": np.array([[bool(g["rel"])] for g in golds]),
        "topic": np.array([[t in g["topics"] for t in topics] for g in golds]),
        "addressed": np.array([[t in g["fav"] + g["ag"] + g["neu"] for t in targets] for g in golds]),
        "stance": np.array(stance),
    }


def fit(x: Array, y: Array, c: float, weight: str | None) -> tuple[Array, float]:
    """Return (weights, bias) for plain vectors of one yes-or-no head, fitted on standardised ones."""
    if y.sum() < FEW:
        return np.zeros(x.shape[1]), NEVER
    mean, scale = x.mean(0), x.std(0) + 1e-9
    model = LogisticRegression(C=c, max_iter=300, class_weight=weight).fit((x - mean) / scale, y)
    w = model.coef_[0] / scale
    return w, float(model.intercept_[0] - w @ mean)


def fit_heads(x: Array, y: dict[str, Array]) -> Heads:
    """Fit every head, without shifts."""
    on = y["relevance"][:, 0]

    def columns(name: str, rows: Array, labels: Array, weight: str | None) -> tuple[Array, Array]:
        pairs = [fit(x[rows], labels[rows, i], C[name], weight) for i in range(labels.shape[1])]
        return np.stack([w for w, _ in pairs]), np.array([b for _, b in pairs])

    sides = [columns("stance", on, y["stance"] == k, "balanced") for k in (1, 2)]
    nothing = np.zeros_like(sides[0][0])
    return Heads(
        relevance=columns("relevance", np.ones(len(x), bool), y["relevance"], None),
        topic=columns("topic", on, y["topic"], "balanced"),
        addressed=columns("addressed", on, y["addressed"], "balanced"),
        stance=(np.stack([nothing, *(w for w, _ in sides)], 1), np.stack([nothing[:, 0], *(b for _, b in sides)], 1)),
    )


def shift(heads: Heads, by: dict[str, float]) -> Heads:
    """Return the heads with their biases lowered; `by` names relevance, topic, addressed, favor and against."""

    def less(head: tuple[Array, Array], value: Any) -> tuple[Array, Array]:
        return head[0], head[1] - value

    return Heads(
        relevance=less(heads.relevance, by["relevance"]), topic=less(heads.topic, by["topic"]),
        addressed=less(heads.addressed, by["addressed"]),
        stance=less(heads.stance, np.array([0.0, by["favor"], by["against"]])),
    )  # fmt: skip


def choose(folds: list[tuple[Heads, Array]], x: Array, y: dict[str, Array]) -> dict[str, float]:
    """Return the shifts with the best out-of-fold figures, one head after the other."""
    by = dict.fromkeys(("relevance", "topic", "addressed", "favor", "against"), 0.0)
    z = {n: np.zeros_like(y[n], float) for n in ("relevance", "topic", "addressed")}
    sides = np.zeros((*y["stance"].shape, 2))
    for heads, test in folds:
        for name, values in z.items():
            w, b = getattr(heads, name)
            values[test] = x[test] @ w.T + b
        sides[test] = np.einsum("nh,tkh->ntk", x[test], heads.stance[0][:, 1:]) + heads.stance[1][:, 1:]
    by["relevance"] = best(lambda s: f1(y["relevance"], z["relevance"] >= s))
    p = sigmoid(z["relevance"] - by["relevance"])
    for name in ("topic", "addressed"):
        by[name] = best(lambda s, n=name: macro(y[n], (z[n] >= s) & (p >= 0.5)))

    def stance(favor: float, against: float) -> float:
        z = np.concatenate([np.zeros_like(sides[..., :1]), sides - [favor, against]], axis=-1)
        label = np.where(p >= 0.5, z.argmax(-1), 0)
        return (f1(y["stance"] == 1, label == 1) + f1(y["stance"] == 2, label == 2)) / 2

    pairs = [(stance(a, b), -abs(a) - abs(b), a, b) for a in SHIFTS for b in SHIFTS]
    _, _, by["favor"], by["against"] = (float(v) for v in max(pairs))
    return by


def best(measure: Any) -> float:
    """Return the shift with the highest measure, the smallest one of equals."""
    return float(max(SHIFTS, key=lambda s: (measure(float(s)), -abs(s))))


def macro(y: Array, found: Array) -> float:
    """Return the mean F1 over the columns."""
    return float(np.mean([f1(y[:, i], found[:, i]) for i in range(y.shape[1])]))


def labels(heads: Heads, x: Array, codebook: Codebook) -> Labels:
    """Return the labels of one document vector as the classifier gives them, without evidence."""
    found = score(heads, x)
    on = found.relevance >= codebook.thresholds.relevance
    stances = []
    for i, target in enumerate(codebook.targets):
        neutral, favor, against = (float(v) for v in found.stances[i])
        label = STANCES[int(np.argmax(found.stances[i]))] if on else STANCES[0]
        stances.append(Stance(
            target=target.id, p_favor=favor, p_against=against, p_neutral=neutral, label=label,
            addressed=on and (label != STANCES[0] or found.addressed[i] >= codebook.thresholds.addressed),
            abstain=bool(on and max(neutral, favor, against) < codebook.thresholds.abstain),
        ))  # fmt: skip
    topics = [Topic(topic=t.id, p=float(p), label=bool(on and p >= codebook.thresholds.topic))
              for t, p in zip(codebook.topics, found.topics, strict=True)]  # fmt: skip
    return Labels(lang=None, p_relevant=found.relevance, relevant=on, topics=tuple(topics), stances=tuple(stances))


def vectors(folder: Path, rows: list[dict[str, Any]], cache: Path | None) -> Array:
    """Return the document vectors [n, hidden], kept in `cache` where one is given."""
    if cache and cache.exists():
        kept: Array = np.load(cache)["x"].astype(np.float64)
        return kept
    encoder = Encoder(folder, threads=2)
    x = np.stack([encoder.encode(row["title"], row["text"]).document for row in rows])
    if cache:
        np.savez(cache, x=x)
    return x.astype(np.float64)


def write(folder: Path, heads: Heads, codebook: Codebook, extra: dict[str, Any]) -> None:
    """Write heads.safetensors and heads.json."""
    parts = {name: getattr(heads, name) for name in ("relevance", "topic", "addressed", "stance")}
    tensors = {f"{n}.{k}": np.ascontiguousarray(v, np.float32) for n, wb in parts.items()
               for k, v in zip("wb", wb, strict=True)}  # fmt: skip
    (folder / "heads.safetensors").write_bytes(save(tensors))
    about = {"model_id": "stancewatch-e5-small-1", "codebook": codebook.version,
             "topics": [t.id for t in codebook.topics], "targets": [t.id for t in codebook.targets],
             "languages": sorted(LANGUAGES), **extra}  # fmt: skip
    (folder / "heads.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def main() -> None:
    """Read the arguments, measure, train on everything and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="model folder with the encoder")
    parser.add_argument("files", type=Path, nargs="+", help="coded passages, JSON lines")
    parser.add_argument("--cache", type=Path, help="NPZ file that keeps the vectors between calls")
    args = parser.parse_args()
    rows = [row for path in args.files for row in read_rows(path)]
    codebook = load_codebook()
    x, y, groups = vectors(args.folder, rows, args.cache), gold(rows, codebook), group(rows)
    splits = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(x, y["relevance"][:, 0], groups)
    folds = [(fit_heads(x[a], {k: v[a] for k, v in y.items()}), b) for a, b in splits]
    by = choose(folds, x, y)
    found: list[Any] = [None] * len(rows)
    for heads, test in folds:
        for i in test:
            found[i] = labels(shift(heads, by), x[i], codebook)
    names = [t.id for t in codebook.topics], [t.id for t in codebook.targets]
    measured = figures([row["gold"] for row in rows], found, *names, groups=groups)
    measured.pop("evidence_hit")  # needs the texts: see `stancewatch evaluate`
    write(args.folder, shift(fit_heads(x, y), by), codebook, {"shifts": by, "cross_validation": measured})
    print(json.dumps({"shifts": by, **measured}, indent=1))


if __name__ == "__main__":
    main()

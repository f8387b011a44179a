"""Coded passages as arrays: rows {title, text, lang, outlet, gold} in, labels, groups and folds out.

Rows of one outlet, and the parts of one document, share a group; a group is on one side of every split. Rows written for
training (they name no outlet) are no part of the groups: they are never used to measure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.codebook import Codebook
from pipeline.errors import ConfigError

Array = NDArray[Any]
Row = dict[str, Any]


def group(rows: Sequence[Row]) -> Array:
    """Return a group number for each row: rows that share an outlet or a document share it."""
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    seen: dict[tuple[str, str], int] = {}
    for i, row in enumerate(rows):
        title = re.sub(r"\s*\[part .*", "", row.get("title") or "").strip().lower()
        for key in (("outlet", row.get("outlet") or ""), ("title", title)):
            if key[1]:
                parent[root(i)] = root(seen.setdefault(key, i))
    return np.array([root(i) for i in range(len(rows))])


def corrected(rows: Sequence[Row], path: Path | None) -> list[Row]:
    """Return the rows with the labels of a corrections file {id, gold}, whose parts of gold replace a row's.

    Raises ConfigError where a line is no correction or names a row that is not there.
    """
    if path is None:
        return list(rows)
    mended: dict[str, Row] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            change = json.loads(line)
            mended[change["id"]] = dict(change["gold"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number}: no correction {{id, gold}}: {error!r}") from error
    if strange := sorted(set(mended) - {row.get("id") for row in rows}):
        raise ConfigError(f"{path}: no coded passage has the id {', '.join(strange[:5])}")
    return [{**row, "gold": {**row["gold"], **mended.get(row.get("id", ""), {})}} for row in rows]


def folds(rows: Sequence[Row], number: int) -> list[tuple[Array, Array]]:
    """Return (training rows, test rows) of each fold, by group, each with about the same share of relevant rows.

    The fold that settles stances best comes first: the one with the most cases of its rarer side.
    """
    relevant = np.array([bool(row["gold"]["rel"]) for row in rows])
    sides = np.array([[len(row["gold"]["fav"]), len(row["gold"]["ag"])] for row in rows])
    splitter = StratifiedGroupKFold(number, shuffle=True, random_state=0)
    found = [(a, b) for a, b in splitter.split(np.zeros(len(rows)), relevant, group(rows))]
    return sorted(found, key=lambda fold: -int(sides[fold[1]].sum(0).min()))


def labels(rows: Sequence[Row], codebook: Codebook) -> dict[str, Array]:
    """Return relevance [n, 1], topic [n, topics] and addressed [n, targets] as flags, stance [n, targets] as in STANCES."""
    golds = [row["gold"] for row in rows]
    topics, targets = [t.id for t in codebook.topics], [t.id for t in codebook.targets]
    stance = [[1 if t in g["fav"] else 2 if t in g["ag"] else 0 for t in targets] for g in golds]
    return {
        "relevance": np.array([[bool(g["rel"])] for g in golds]),
        "topic": np.array([[t in g["topics"] for t in topics] for g in golds]),
        "addressed": np.array([[t in g["fav"] + g["ag"] + g["neu"] for t in targets] for g in golds]),
        "stance": np.array(stance),
    }

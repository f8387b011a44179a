"""A recorded stand-in for the model: what the real one said of some pages of the web, said again of the others in turn.

Its rows are as many and as long as the model's; it reads nothing, so that whatever else a pass costs can be seen.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from web_pages import Shape, article, language

from flows import stages
from pipeline.codebook import Codebook, load_codebook
from pipeline.model import Texts, load_classifier
from pipeline.records import Evidence, Labels

SAMPLE = 60  # pages, of every language and of every kind


class StandIn:
    """Answers as a classifier does, from what was recorded."""

    model_id, calibration = "recorded", None

    def __init__(self, recorded: list[Labels], codebook: Codebook) -> None:
        self.codebook = codebook
        self.revision = "stand-in"
        self._recorded = recorded
        self._turn = count()

    def label(self, docs: Texts) -> list[Labels]:
        """Return recorded labels in turn, their evidence moved to a passage of the text at hand."""
        return [self._one(self._recorded[next(self._turn) % len(self._recorded)], text) for _, text, _ in docs]

    def _one(self, said: Labels, text: str) -> Labels:
        stances = tuple(
            replace(stance, evidence=tuple(_moved(found, text) for found in stance.evidence)) for stance in said.stances
        )
        return replace(said, stances=stances)


def _moved(found: Evidence, text: str) -> Evidence:
    end = min(len(text), found.end - found.start)
    return replace(found, start=0, end=end, text=text[:end])


def record(shape: Shape, path: Path) -> None:
    """Label some pages of a web with the model of the package and keep what it says."""
    classifier = load_classifier(None, load_codebook())
    labels = []
    for number in range(min(SAMPLE, shape.pages)):
        title, body = article(shape, number)
        labels += classifier.label([(title, "\n".join(body), language(shape.host_of_page(number)))])
    path.write_bytes(pickle.dumps(labels))


@contextmanager
def in_place_of_the_model(path: Path) -> Iterator[None]:
    """Let the passes of this process label with what was recorded."""
    book = load_codebook()
    stand_in: Any = StandIn(pickle.loads(path.read_bytes()), book)
    with patch.object(stages, "classifier_for", lambda _: (stand_in, book)):
        yield

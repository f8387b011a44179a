"""Labelling over documents that break the model: the others are labelled, and a broken model blames nobody."""

from __future__ import annotations

from typing import Any

import pytest

from flows.labelling import label_each, reason_of, without_labels
from flows.rows import DocumentTables
from flows.stages import CODE_VERSION, classifier_for
from pipeline.model import Texts
from pipeline.records import Labels
from pipeline.settings import Settings

GOOD = ("Rules for AI", "The minister asked for a law on artificial intelligence.", "en")
POISON = ("Poison", "A text that the model fails over.", "en")
BATCH = [GOOD, POISON, GOOD]


class Broken:
    """The model of the package, which fails over some texts."""

    def __init__(self, error: Exception, *poison: tuple[str, str, str]) -> None:
        self.inner, self.codebook = classifier_for(Settings())
        self.error, self.poison = error, poison
        self.model_id, self.revision = self.inner.model_id, self.inner.revision
        self.calibration: dict[str, Any] | None = None

    def label(self, docs: Texts) -> list[Labels]:
        if any(doc in self.poison for doc in docs):
            raise self.error
        return self.inner.label(docs)


def test_a_document_that_breaks_the_model_does_not_keep_its_batch_from_labels() -> None:
    first, poisoned, last = label_each(Broken(RuntimeError("a defect"), POISON), BATCH)
    assert poisoned == "label_failed"
    assert first == last == classifier_for(Settings())[0].label([GOOD])[0]


def test_where_no_document_can_be_labelled_it_is_the_model() -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        label_each(Broken(RuntimeError("a defect"), GOOD, POISON), BATCH)
    with pytest.raises(MemoryError, match="bad_alloc"):
        label_each(Broken(RuntimeError("onnxruntime: std::bad_alloc"), GOOD, POISON), BATCH)
    (found,) = label_each(Broken(MemoryError(), POISON), [POISON])
    assert found == "out_of_memory", "one alone is tried again until it is in quarantine, and wedges nobody"


def test_a_document_without_labels_is_pending_then_in_quarantine() -> None:
    broken = Broken(MemoryError(), POISON)
    tables = DocumentTables("run-1", broken, broken.codebook, CODE_VERSION)
    entry: dict[str, Any] = {"entry_id": "e", "attempts": 0, "document_id": None}
    without_labels(tables, entry, reason_of(RuntimeError("onnx: std::bad_alloc")), 2)
    without_labels(tables, {**entry, "attempts": 1}, reason_of(RuntimeError("other")), 2)
    without_labels(tables, {**entry, "document_id": "d"}, reason_of(MemoryError()), 2)
    first, second, loaded = tables.tables["entry"]
    assert (first["outcome"], first["reason"], first["attempts"]) == ("pending", "out_of_memory", 1)
    assert (second["reason"], second["attempts"]) == ("label_failed", 2)
    assert "next_attempt_at" in first
    assert "quarantined_at" in second
    assert loaded["outcome"] == "loaded"
    assert reason_of(MemoryError()) == "out_of_memory"

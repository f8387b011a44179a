"""Labelling that one document cannot stop: the texts of a batch in, for each its labels or the reason why it has none out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flows.rows import DocumentTables
from pipeline.model import Classifier, Texts
from pipeline.records import Labels
from pipeline.schedule import next_attempt

log = logging.getLogger(__name__)


def label_each(classifier: Classifier, texts: Texts) -> list[Labels | str]:
    """Label a batch; where that fails, its documents one by one, so that the others do not wait for one of them.

    Raises the first error where more than one document failed and none did not: that is the model or the machine, and no
    entry has had its attempt.
    """
    try:
        return list(classifier.label(texts))
    except Exception as error:
        log.warning("a batch of %d could not be labelled, so one by one: %s", len(texts), _said(error))
    found = [_one(classifier, text) for text in texts]
    failed = [each for each in found if isinstance(each, Exception)]
    if len(failed) == len(found) > 1:
        raise MemoryError(_said(failed[0])) if reason_of(failed[0]) == "out_of_memory" else failed[0]
    return [reason_of(each) if isinstance(each, Exception) else each for each in found]


def _one(classifier: Classifier, text: tuple[str, str, str | None]) -> Labels | Exception:
    try:
        return classifier.label([text])[0]
    except Exception as error:
        log.exception("no labels for %r", text[0])
        return error


def without_labels(tables: DocumentTables, entry: Mapping[str, Any], reason: str, most: int) -> None:
    """A page whose document got no labels is tried again, at most `most` times; a loaded entry keeps what it has."""
    tried = entry["attempts"] + 1
    if entry["document_id"] is not None:
        tables.as_before(entry)
    else:
        tables.pending(entry, reason, tried, next_attempt(tried, datetime.now(UTC), None, most))


def reason_of(error: Exception) -> str:
    """Return the reason word of a document without labels; onnxruntime tells its want of memory in the text alone."""
    return "out_of_memory" if isinstance(error, MemoryError) or "bad_alloc" in str(error) else "label_failed"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]

"""What becomes of each entry of a batch: its extracted line and its labels in, one outcome in the tables of a load out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from flows import rows
from flows.batches import Line, document_of
from flows.labelling import without_labels
from pipeline.records import Document, Labels, Rejection
from pipeline.schedule import NOT_TRIED, next_attempt
from pipeline.settings import Settings


def wanted(lines: Iterable[Line]) -> list[Document]:
    """Return the documents of extracted lines that are to be labelled, in order."""
    return [document for line in lines if (document := _to_label(line))]


def _to_label(line: Line) -> Document | None:
    """Return the document of a line where it brings something: of an entry that is loaded already, another title or text."""
    entry, document = line["entry"], document_of(line)
    if document is None or document.rejection is not None:
        return None
    if entry["document_id"] is None:
        return document
    same = (document.title, rows.text_hash(document.text)) == (entry["stored_title"], entry["text_hash"])
    return document if document.document_id == entry["document_id"] and not same else None


def decide(
    settings: Settings,
    tables: rows.DocumentTables,
    line: Line,
    labels: Iterator[Labels | str],
    place: Callable[[Line], str | None],
) -> None:
    """Give one entry its outcome. `labels`: those of what `wanted` returned; `place`: where a page is kept."""
    entry, tried = line["entry"], line["entry"]["attempts"] + 1
    document, news = document_of(line), _to_label(line)
    if news is not None:
        found = next(labels)
        if isinstance(found, str):
            without_labels(tables, entry, found, settings.max_attempts)
        else:
            kept = news if settings.keep_authors else replace(news, authors=())
            tables.loaded(entry, kept, found, line["fetched_at"], place(line))
    elif entry["document_id"] is not None:
        tables.as_before(entry)
    elif document is not None and document.rejection is not None:
        tables.rejected(entry, document.rejection, tried)
    else:
        again, reason, detail, after = line["failure"]
        attempts = entry["attempts"] if reason in NOT_TRIED else tried
        if again:
            due = next_attempt(attempts, datetime.now(UTC), after, settings.max_attempts)
            tables.pending(entry, reason, attempts, due)
        else:
            tables.rejected(entry, Rejection(stage="fetch", reason=reason, detail=detail), attempts)

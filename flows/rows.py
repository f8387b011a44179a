"""Documents and labels in, rows of the warehouse's tables out; `flows.poll_rows` does the same for feeds."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pipeline.codebook import Codebook
from pipeline.extract import VERSION
from pipeline.model import Classifier
from pipeline.records import Document, Labels, Rejection, stable_id
from warehouse.spool import iso

Tables = dict[str, list[dict[str, Any]]]


def rejection_row(run_id: str, entry_id: str | None, url: str, why: Rejection) -> dict[str, Any]:
    """Return the row of a rejection; without an entry, a source itself was refused."""
    return {
        "entry_id": entry_id,
        "run_id": run_id,
        "url": url,
        "stage": why.stage,
        "reason": why.reason,
        "detail": why.detail,
        "rejected_at": iso(datetime.now(UTC)),
    }


def label_run_id(classifier: Classifier, codebook: Codebook, code_version: str) -> str:
    """Return the key of the run: another model, revision, codebook or version of the code is another run."""
    return stable_id(classifier.model_id, classifier.revision, codebook.hash, code_version)


class DocumentTables:
    """Gathers the rows of one batch: every entry gets exactly one outcome."""

    def __init__(self, run_id: str, classifier: Classifier, codebook: Codebook, code_version: str) -> None:
        self.tables: Tables = defaultdict(list)
        self._run_id = run_id
        self._label_run = label_run_id(classifier, codebook, code_version)
        self.tables["label_run"].append(
            {
                "label_run_id": self._label_run,
                "model_id": classifier.model_id,
                "revision": classifier.revision,
                "codebook_version": codebook.version,
                "codebook_hash": codebook.hash,
                "code_version": code_version,
                "calibration": json.dumps(classifier.calibration) if classifier.calibration else None,
                "created_at": iso(datetime.now(UTC)),
            }
        )

    def _outcome(self, entry: Mapping[str, Any], outcome: str, reason: str | None, attempts: int, **more: Any) -> None:
        row = {"entry_id": entry["entry_id"], "outcome": outcome, "reason": reason, "attempts": attempts}
        self.tables["entry"].append({**row, **more})

    def pending(self, entry: Mapping[str, Any], reason: str, attempts: int, again: datetime | None) -> None:
        """The entry is to be tried again; without a time it goes into quarantine until somebody puts it back."""
        waits = {"next_attempt_at": iso(again)} if again else {"quarantined_at": iso(datetime.now(UTC))}
        self._outcome(entry, "pending", reason, attempts, **waits)

    def as_before(self, entry: Mapping[str, Any]) -> None:
        """A loaded entry was fetched again, and nothing new came of it."""
        self._outcome(entry, "loaded", None, entry["attempts"], document_id=entry["document_id"])

    def rejected(self, entry: Mapping[str, Any], why: Rejection, attempts: int) -> None:
        """The entry will never be a document."""
        self._outcome(entry, "rejected", why.reason, attempts)
        self.tables["rejection"].append(rejection_row(self._run_id, entry["entry_id"], entry["url"], why))

    def loaded(
        self, entry: Mapping[str, Any], document: Document, labels: Labels, fetched_at: str, warc_path: str | None
    ) -> None:
        """The entry became a document with labels, or its document has a corrected text."""
        self._outcome(entry, "loaded", None, entry["attempts"] + 1, document_id=document.document_id)
        digest = text_hash(document.text)
        published = _utc(document.published_at)
        self.tables["document"].append(
            {
                "document_id": document.document_id,
                "outlet_id": entry["outlet_id"],
                "feed_id": entry["feed_id"],
                "entry_id": entry["entry_id"],
                "url": document.url,
                "canonical_url": document.canonical_url,
                "title": document.title,
                "authors": list(document.authors),
                "published_at": published,
                "published_on": _day(document.published_at),
                "date_source": document.date_source,
                "first_seen_at": entry["first_seen_at"],
                "fetched_at": fetched_at,
                "lang": document.lang,
                "text_hash": digest,
                "text_length": len(document.text),
                "warc_path": warc_path,
                "extractor": VERSION,
            }
        )
        # entry_id tells the load which rows to leave out where two entries of a batch are one document
        same = {"document_id": document.document_id, "entry_id": entry["entry_id"]}
        self.tables["document_text"].append({**same, "text": document.text})
        self._labels(same, labels, stable_id(document.title, digest))

    def relabelled(self, document: Mapping[str, Any], labels: Labels) -> None:
        """A stored document {document_id, title, text} got labels of this run."""
        digest = text_hash(document["text"])
        self._labels({"document_id": document["document_id"]}, labels, stable_id(document["title"], digest))

    def _labels(self, document: dict[str, Any], labels: Labels, input_hash: str) -> None:
        key = {**document, "label_run_id": self._label_run}
        relevance = {"p": labels.p_relevant, "label": labels.relevant, "abstain": labels.abstain}
        self.tables["relevance_label"].append({**key, **relevance, "input_hash": input_hash})
        self.tables["topic_label"] += [{**key, "topic": t.topic, "p": t.p, "label": t.label} for t in labels.topics]
        for s in labels.stances:
            row = {"target": s.target, "addressed": s.addressed, "label": s.label, "abstain": s.abstain}
            chances = {"p_favor": s.p_favor, "p_against": s.p_against, "p_neutral": s.p_neutral}
            self.tables["stance_label"].append({**key, **row, **chances})
            for rank, e in enumerate(s.evidence, 1):
                place = {"target": s.target, "rank": rank, "sentence_start": e.start, "sentence_end": e.end}
                said = {"text": e.text, "voice": e.voice, "speaker": e.speaker}
                self.tables["evidence"].append({**key, **place, **said})


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _day(published: str | None) -> str | None:
    """The day that the page gives, in its own time zone; None where it is no full date."""
    try:
        return date.fromisoformat((published or "")[:10]).isoformat()
    except ValueError:
        return None


def _utc(published: str | None) -> str | None:
    """A publication time without an hour stays a day: only a full time has an instant."""
    if published is None or len(published) <= 10:
        return None
    when = datetime.fromisoformat(published)
    return iso(when if when.tzinfo else when.replace(tzinfo=UTC))

"""The stages of a pass as plain functions over batches: ids and paths in, paths and counts out.

`flows.ingest` makes Prefect tasks of them. Bodies and texts stay in files; a stage can be run again from its input.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from flows import poll_rows, rows
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import Transient, WarehouseBusy, WarehouseError
from pipeline.extract import extract
from pipeline.fetch import read_warc, write_warc
from pipeline.model import Classifier, load_classifier
from pipeline.records import Document, Feed, Labels, Page, Rejection, Validators
from pipeline.reservations import may_keep
from pipeline.schedule import NOT_TRIED, FeedState, next_attempt
from pipeline.session import Session
from pipeline.settings import Settings
from warehouse import state
from warehouse.load import load_folder
from warehouse.spool import drop_early, drop_load, iso, ready_loads, set_aside, work_folder, write_load

log = logging.getLogger(__name__)
CODE_VERSION = version("stancewatch")
PAGES, UNKEPT = "pages.warc.gz", "unkept.warc.gz"  # what is kept, and what its owner does not want kept


class Pass:
    """What the stages of one pass share. Not a record: a pass that asks anything of anyone gives it its `session`."""

    session: Session

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.settings = settings
        self.run_id = run_id
        self.data = settings.data


_loading = Lock()  # the import of transformers is lazy, and fails where two threads make it at once


def classifier_for(settings: Settings) -> tuple[Classifier, Codebook]:
    """Return the model and the codebook of the settings, loaded once a process."""
    with _loading:
        model, nli = (str(name) if name else None for name in (settings.model, settings.nli))
        return _classifier_for(model, nli, settings.device, settings.codebook)


@lru_cache(maxsize=2)
def _classifier_for(
    model: str | None, nli: str | None, device: str, codebook: Path | None
) -> tuple[Classifier, Codebook]:
    book = load_codebook(codebook)
    return load_classifier(model, book, nli=nli, device=device), book


def poll(one: Pass, feeds: Sequence[tuple[Feed, Validators, FeedState]], work: Path) -> Path:
    """Poll a batch of (feed, validators, state); return the load that holds entries, validators and the next polls."""
    now = datetime.now(UTC)
    asked = [
        (
            replace(feed, url=known.address),
            seen if known.trusts_validators(now) else Validators(body_hash=seen.body_hash),
        )
        for feed, seen, known in feeds
    ]
    polls = one.session.poll(asked)
    for (feed, _), answer in zip(asked, polls, strict=True):
        if answer.error:
            log.warning("feed %s (%s): %s", feed.feed_id, feed.url, answer.error)
        else:
            seen_now = "unchanged" if answer.unchanged else f"{len(answer.entries)} entries"
            log.info("feed %s (%s): %s", feed.feed_id, feed.url, seen_now)
    shown = {entry.entry_id for answer in polls for entry in answer.entries}
    known_before = state.known_entries(one.settings.warehouse, sorted(shown)) if shown else set()
    listed = [(feed, schedule) for feed, _, schedule in feeds]
    tables = poll_rows.poll_tables(one.run_id, listed, polls, known_before, one.settings.poll_interval)
    tables["host"] = poll_rows.host_rows(one.session.pace.changed())
    return write_load(work, one.run_id, "poll", tables)


def pending(warehouse: str, known: Sequence[Feed], limit: int | None, now: datetime) -> list[dict[str, Any]]:
    """Return the entries to be fetched at a time, those of feeds that the file still names, their times spelt as in JSON."""
    named = {feed.feed_id for feed in known}
    return [
        {name: iso(value) if isinstance(value, datetime) else value for name, value in entry.items()}
        for entry in state.pending_entries(warehouse, now, limit)
        if entry["feed_id"] in named
    ]


def fetch(one: Pass, entries: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Fetch a batch of pending entries into its work folder: two WARC files and fetched.jsonl, an entry a line in order."""
    results = one.session.fetch([entry["url"] for entry in entries])
    pages = [page for page in results if isinstance(page, Page)]
    write_warc(folder / PAGES, [page for page in pages if may_keep(page)])
    write_warc(folder / UNKEPT, [page for page in pages if not may_keep(page)])
    with (folder / "fetched.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for entry, page in zip(entries, results, strict=True):
            line: dict[str, Any] = {"entry": entry}
            if isinstance(page, Page):
                line |= {"fetched_at": iso(page.fetched_at), "file": PAGES if may_keep(page) else UNKEPT}
            else:
                log.info("page %s: %s", entry["url"], page)
                line["failure"] = [isinstance(page, Transient), page.reason, page.detail, page.retry_after]
            stream.write(json.dumps(line) + "\n")
    return folder


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def extract_batch(folder: Path) -> Path:
    """Extract the pages of a fetched batch into extracted.jsonl, an entry a line in order."""
    pages = {name: read_warc(folder / name) for name in (PAGES, UNKEPT)}
    with (folder / "extracted.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for line in _lines(folder / "fetched.jsonl"):
            if "failure" not in line:
                url, _, body = next(pages[line["file"]])
                document = extract(body, url, line["entry"]["published_at"])
                line["document"] = asdict(replace(document, title=document.title or line["entry"]["title"]))
            stream.write(json.dumps(line) + "\n")
    return folder


def document_of(line: dict[str, Any]) -> Document | None:
    """Return the document of an extracted line, None where the page could not be fetched."""
    fields = line.get("document")
    if fields is None:
        return None
    refused = fields["rejection"]
    return Document(
        **{**fields, "authors": tuple(fields["authors"]), "rejection": Rejection(**refused) if refused else None}
    )


def label(one: Pass, folder: Path) -> Path:
    """Label the documents of an extracted batch and return the load that holds every outcome of the batch."""
    classifier, book = classifier_for(one.settings)
    lines = list(_lines(folder / "extracted.jsonl"))
    documents = [document_of(line) for line in lines]
    wanted = [
        d for line, d in zip(lines, documents, strict=True) if d and d.rejection is None and _is_news(line["entry"], d)
    ]
    labels = iter(classifier.label([(d.title, d.text, d.lang) for d in wanted]))
    tables = rows.DocumentTables(one.run_id, classifier, book, CODE_VERSION)
    kept = keep_warc(one.data, folder)
    for line, document in zip(lines, documents, strict=True):
        _decide(one.settings, tables, line, document, labels, kept)
    tables.tables["host"] = poll_rows.host_rows(one.session.pace.changed())
    return write_load(folder, one.run_id, "documents", tables.tables)


def _is_news(entry: dict[str, Any], document: Document) -> bool:
    """Whether a page brings something: of an entry that is loaded already, another title or text of its document."""
    if entry["document_id"] is None:
        return True
    known = (entry["document_id"], entry["stored_title"], entry["text_hash"])
    return known[0] == document.document_id and known[1:] != (document.title, rows.text_hash(document.text))


def _decide(
    settings: Settings,
    tables: rows.DocumentTables,
    line: dict[str, Any],
    document: Document | None,
    labels: Iterator[Labels],
    kept: str,
) -> None:
    """Give one entry its outcome."""
    entry, tried = line["entry"], line["entry"]["attempts"] + 1
    if document is not None and document.rejection is None and _is_news(entry, document):
        warc = kept if line["file"] == PAGES else None
        tables.loaded(entry, document, next(labels), line["fetched_at"], warc)
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


def keep_warc(data: Path, folder: Path) -> str:
    """Move the pages of a batch to their place for keeping; return the path inside the data folder."""
    place = Path("warc") / f"{datetime.now(UTC):%Y/%m/%d}" / f"{folder.name}.warc.gz"
    (data / place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(folder / PAGES, data / place)
    return str(place)


def load(warehouse: str, folder: Path) -> dict[str, int]:
    """Store one prepared load in one transaction, then drop its folders."""
    counts = load_folder(warehouse, folder)
    drop_load(folder)
    return counts


def take_over(one: Pass) -> None:
    """Store what a killed pass had prepared and drop what it had not: the first thing that a holder of the pass lock does."""
    if leftovers := load_leftovers(one.settings.warehouse, one.data):
        log.info("loaded %d batches that an earlier pass had prepared", leftovers)
    work_folder(one.data)


def load_leftovers(warehouse: str, data: Path) -> int:
    """Store what a killed pass had prepared, up to the first gap; return how many loads there were.

    One that breaks the contract is set aside in `spool-quarantine`, so that it cannot stop every later pass; its
    entries are still pending in the warehouse.
    """
    if early := drop_early(data):
        log.info("%d loads of an earlier pass came before their turn: they are done again", len(early))
    ready = ready_loads(data)
    for folder in ready:
        try:
            load(warehouse, folder)
        except WarehouseBusy:
            raise
        except WarehouseError:
            log.exception("load %s is set aside in %s", folder.name, set_aside(data, folder))
    return len(ready)

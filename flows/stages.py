"""The stages of a pass as plain functions over batches: ids and paths in, paths and counts out.

`flows.ingest` makes Prefect tasks of them. Bodies and texts stay in files; a stage can be run again from its input.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from flows import rows
from pipeline.archive import cut
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import ItemError, Transient, WarehouseBusy, WarehouseError, WarehouseFull
from pipeline.extract import extract
from pipeline.fetch import fetch_pages, read_warc, write_warc
from pipeline.model import Classifier, load_classifier
from pipeline.pace import Pace
from pipeline.poll import poll_feeds
from pipeline.records import Document, Feed, Rejection, Validators
from pipeline.settings import Settings
from warehouse.connect import warehouse_path
from warehouse.load import load_folder
from warehouse.retention import erased_documents
from warehouse.spool import drop_early, drop_load, iso, ready_loads, work_folder, write_load

log = logging.getLogger(__name__)
CODE_VERSION = version("stancewatch")
RETRY_STEP = timedelta(minutes=30)


class Pass:
    """What the stages of one pass share. Not a record: it holds the pace of every host."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.settings = settings
        self.run_id = run_id
        self.data = settings.data
        self.pace = Pace(settings)
        self.erased: frozenset[str] = frozenset()  # documents whose pages are not kept; read under the pass lock


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


def poll(one: Pass, feeds: Sequence[tuple[Feed, Validators, int]], work: Path) -> Path:
    """Poll a batch of (feed, validators, failures so far); return the load that holds entries and validators."""
    polls = poll_feeds(one.settings, one.pace, [(feed, known) for feed, known, _ in feeds])
    for (feed, _, _), answer in zip(feeds, polls, strict=True):
        if answer.error:
            log.warning("feed %s (%s): %s", feed.feed_id, feed.url, answer.error)
        else:
            seen = "unchanged" if answer.unchanged else f"{len(answer.entries)} entries"
            log.info("feed %s (%s): %s", feed.feed_id, feed.url, seen)
    interval = timedelta(seconds=one.settings.poll_interval)
    return write_load(work, one.run_id, "poll", rows.poll_tables(one.run_id, feeds, polls, interval))


def fetch(one: Pass, entries: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Fetch a batch of pending entries into its work folder: pages.warc.gz and fetched.jsonl, an entry a line in order."""
    results = fetch_pages(one.settings, one.pace, [entry["url"] for entry in entries])
    write_warc(folder / "pages.warc.gz", [page for page in results if not isinstance(page, ItemError)])
    with (folder / "fetched.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for entry, page in zip(entries, results, strict=True):
            line: dict[str, Any] = {"entry": entry}
            if isinstance(page, ItemError):
                log.info("page %s: %s", entry["url"], page)
                line["failure"] = [isinstance(page, Transient), page.reason, page.detail]
            else:
                line["fetched_at"] = iso(page.fetched_at)
            stream.write(json.dumps(line) + "\n")
    return folder


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def extract_batch(folder: Path) -> Path:
    """Extract the pages of a fetched batch into extracted.jsonl, an entry a line in order."""
    pages = read_warc(folder / "pages.warc.gz")
    with (folder / "extracted.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for line in _lines(folder / "fetched.jsonl"):
            if "failure" not in line:
                url, _, body = next(pages)
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
    settings = one.settings
    classifier, book = classifier_for(settings)
    lines = list(_lines(folder / "extracted.jsonl"))
    documents = [document_of(line) for line in lines]
    usable = [d for d in documents if d is not None and d.rejection is None]
    labels = iter(classifier.label([(d.title, d.text, d.lang) for d in usable]))
    tables = rows.DocumentTables(one.run_id, classifier, book, CODE_VERSION)
    erased = {d.url for d in documents if d is not None and d.document_id in one.erased}
    warc = keep_warc(one.data, folder, erased)
    for line, document in zip(lines, documents, strict=True):
        if document is None:
            again, reason, detail = line["failure"]
            attempts = line["entry"]["attempts"] + 1
            if again and attempts < settings.max_attempts:
                tables.pending(line["entry"], reason, attempts, datetime.now(UTC) + RETRY_STEP * attempts)
            else:
                tables.rejected(line["entry"], Rejection(stage="fetch", reason=reason, detail=detail), attempts)
        elif document.rejection is not None:
            tables.rejected(line["entry"], document.rejection, line["entry"]["attempts"] + 1)
        else:
            tables.loaded(line["entry"], document, next(labels), line["fetched_at"], warc)
    return write_load(folder, one.run_id, "documents", tables.tables)


def keep_warc(data: Path, folder: Path, erased: Set[str]) -> str:
    """Move the pages of a batch, without those of erased documents, to their place for keeping; return the path inside the data folder."""
    if erased:
        cut(folder / "pages.warc.gz", lambda url, _: url in erased)
    place = Path("warc") / f"{datetime.now(UTC):%Y/%m/%d}" / f"{folder.name}.warc.gz"
    (data / place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(folder / "pages.warc.gz", data / place)
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
    if warehouse_path(one.settings.warehouse).exists():
        one.erased = erased_documents(one.settings.warehouse)


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
        except (WarehouseBusy, WarehouseFull):
            raise
        except WarehouseError:
            aside = data / "spool-quarantine" / folder.name
            log.exception("load %s is set aside in %s", folder.name, aside)
            aside.parent.mkdir(exist_ok=True, mode=0o700)
            folder.rename(aside)
    return len(ready)

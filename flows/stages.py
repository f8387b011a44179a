"""The stages of a pass as plain functions over batches: ids and paths in, paths and counts out.

`flows.ingest` makes Prefect tasks of them. Bodies and texts stay in files; a stage can be run again from its input.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Lock
from typing import Any

from flows import poll_rows, rows
from flows.batches import keep_pages, labels_of, lines_of, raw_pages, write_fetched, write_labels, write_lines
from flows.fate import decide, wanted
from flows.labelling import label_each
from flows.watch import measured
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import WarehouseBusy, WarehouseError, WarehouseFull
from pipeline.model import Classifier, Texts, load_classifier
from pipeline.pace import Host
from pipeline.poll import blameless
from pipeline.pool import Extractors
from pipeline.records import Feed, Validators
from pipeline.schedule import FeedState
from pipeline.session import Session, open_session
from pipeline.settings import Settings
from pipeline.warc.write import WarcFiles
from warehouse import state
from warehouse.connect import is_there, storing, writing
from warehouse.load import load_folder
from warehouse.retention import erased_documents
from warehouse.spool import drop_early, drop_halves, drop_load, iso, ready_loads, set_aside, work_folder, write_load

log = logging.getLogger(__name__)
CODE_VERSION = version("stancewatch")
SPOOL = "spool and WARC files"


class Pass:
    """What the stages of one pass share. Not a record: it holds the WARC file at hand, and `network` its `session`."""

    session: Session

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.settings = settings
        self.run_id = run_id
        self.data = settings.data
        self.warc = WarcFiles(self.data, settings.warc_size)
        self.erased: frozenset[str] = frozenset()  # documents whose pages are not kept; read under the pass lock


@contextmanager
def network(one: Pass) -> Iterator[Session]:
    """Open the network of a pass, with what earlier passes know of hosts and their owners."""
    with writing(one.settings.warehouse):
        pass  # makes a warehouse where there is none, and brings an older one up to date
    hosts = [Host(**row) for row in state.known_hosts(one.settings.warehouse)]
    with open_session(one.settings, hosts, one.data / "owners") as one.session:
        yield one.session


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


@measured("poll")
@storing(SPOOL)
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
    polls = blameless(one.session.poll(asked))
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


def pending(
    warehouse: str, known: Sequence[Feed], limit: int | None, now: datetime, most: int | None = None
) -> list[dict[str, Any]]:
    """Return the entries to be fetched at a time, those of feeds that the file still names; at most `limit` of a feed, `most` in all."""
    named = [feed.feed_id for feed in known]
    return [spelt(entry) for entry in state.pending_entries(warehouse, now, limit, of=named, most=most)]


def spelt(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with its times spelt as in JSON."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in entry.items()}


@measured("fetch")
@storing(SPOOL)
def fetch(one: Pass, entries: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Fetch a batch of pending entries into its work folder, as `write_fetched` says."""
    return write_fetched(folder, entries, one.session.fetch([entry["url"] for entry in entries]))


@lru_cache(maxsize=1)
def extractors() -> Extractors:
    """Return the processes that extract, the same for every batch of this process; they end with it."""
    pool = Extractors()
    Finalize(
        pool, pool.close, exitpriority=1
    )  # what atexit knows is not run in a process of multiprocessing, nor of Dask
    return pool


@measured("extract")
@storing(SPOOL)
def extract_batch(folder: Path) -> Path:
    """Extract the pages of a fetched batch into extracted.jsonl, an entry a line in order."""
    lines = list(lines_of(folder / "fetched.jsonl"))
    documents = extractors().extract(raw_pages(folder, lines))
    for line in lines:
        if "failure" not in line:
            document = next(documents)
            line["document"] = asdict(replace(document, title=document.title or line["entry"]["title"]))
    return write_lines(folder / "extracted.jsonl", lines)


@measured("label")
def label_batch(settings: Settings, folder: Path) -> Path:
    """Label the documents of an extracted batch into labelled.jsonl, as `write_labels` says."""
    documents = wanted(lines_of(folder / "extracted.jsonl"))
    return label_into(settings, folder, [(each.title, each.text, each.lang) for each in documents])


def label_into(settings: Settings, folder: Path, texts: Texts) -> Path:
    """Label texts into the labelled.jsonl of a folder. Needs nothing else of a pass, so any machine can do it."""
    classifier, book = classifier_for(settings)
    run = rows.label_run_id(classifier, book, CODE_VERSION)
    return write_labels(folder, run, label_each(classifier, texts))


@storing(SPOOL)
def prepare(one: Pass, folder: Path) -> Path:
    """Return the load that holds every outcome of a labelled batch; its pages go to those kept before."""
    classifier, book = classifier_for(one.settings)
    labels = iter(labels_of(folder, rows.label_run_id(classifier, book, CODE_VERSION)))
    lines = list(lines_of(folder / "extracted.jsonl"))
    tables = rows.DocumentTables(one.run_id, classifier, book, CODE_VERSION)
    place = keep_pages(one.warc, folder, lines, one.erased)
    for line in lines:
        decide(one.settings, tables, line, labels, place)
    tables.tables["host"] = poll_rows.host_rows(one.session.pace.changed())
    return write_load(folder, one.run_id, "documents", tables.tables)


def label(one: Pass, folder: Path) -> Path:
    """Label an extracted batch here and return its load."""
    return prepare(one, label_batch(one.settings, folder))


@measured("load")
def load(warehouse: str, folder: Path) -> dict[str, int]:
    """Store one prepared load in one transaction, then drop its folders."""
    counts = load_folder(warehouse, folder)
    drop_load(folder)
    return counts


def take_over(one: Pass) -> None:
    """Store what a killed pass had prepared and drop what it had not: the first thing that a holder of the pass lock does."""
    for path in one.warc.repair():
        log.info("%s: what a killed pass left half-written at its end is taken off", path)
    if leftovers := load_leftovers(one.settings.warehouse, one.data):
        log.info("loaded %d batches that an earlier pass had prepared", leftovers)
    work_folder(one.data)
    if is_there(one.settings.warehouse):
        one.erased = erased_documents(one.settings.warehouse)


def load_leftovers(warehouse: str, data: Path) -> int:
    """Store what a killed pass had prepared, up to the first gap; return how many loads there were.

    One that breaks the contract is set aside in `spool-quarantine`, so that it cannot stop every later pass; its
    entries are still pending in the warehouse.
    """
    drop_halves(data)
    if early := drop_early(data):
        log.info("%d loads of an earlier pass came before their turn: they are done again", len(early))
    ready = ready_loads(data)
    for folder in ready:
        try:
            load(warehouse, folder)
        except (WarehouseBusy, WarehouseFull):
            raise
        except WarehouseError:
            log.exception("load %s is set aside in %s", folder.name, set_aside(data, folder))
    return len(ready)

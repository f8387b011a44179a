"""The parts of the web benchmark that are ours, each in a process of its own: figures as one line of JSON.

extractor  the extractor alone: two processes, each with its half of the pages in memory
collect    polls, robots.txt, fetching, WARC and extraction, nothing labelled or loaded but polls
pass       a whole pass without Prefect, with a recorded stand-in for the model
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from plain import without_prefect
from processes import cpu_seconds, memory_mb
from stand_in import in_place_of_the_model
from web_pages import Shape, page, page_path
from web_server import Web

import flows.ingest
from flows import poll_rows, stages
from pipeline.extract import extract
from pipeline.feeds import feeds_toml
from pipeline.pool import RawPage
from pipeline.settings import Settings, load_settings
from warehouse import state
from warehouse.spool import deal, new_id, write_load

PROCESSES = 2
FEEDS_A_POLL = 32
AHEAD = 3
Figures = dict[str, Any]


def settings_of(web: Web, folder: Path) -> Settings:
    """Return settings for a web: its hosts may be asked without a pause, each for all of its pages, on a busy machine too."""
    listing = folder / "feeds.toml"
    if not listing.exists():
        listing.write_text(feeds_toml(web.feeds), encoding="utf-8")
    most = 20 + 4 * web.shape.pages // web.shape.hosts
    return load_settings(
        warehouse=str(folder / "web.duckdb"), feeds=listing, allow_hosts=web.hosts, host_delay=0, request_timeout=600,
        host_requests_a_day=most, host_bytes_a_day=most * 1_000_000,
    )  # fmt: skip


def _half(shape: Shape, half: int) -> float:
    pages = [
        (page(shape, n, "http://127.0.0.1"), f"http://127.0.0.1{page_path(n)}") for n in range(half, shape.pages, 2)
    ]
    extract(*pages[0])
    began = time.process_time()
    for body, url in pages:
        extract(body, url)
    return time.process_time() - began


def extractor(web: Web, _: Path) -> Figures:
    """Extract pages that are in memory: no more than 2,000 of them."""
    pages = min(web.shape.pages, 2_000)
    shape = Shape(hosts=web.shape.hosts, feeds=web.shape.feeds, pages=pages, seed=web.shape.seed)
    with get_context("spawn").Pool(PROCESSES) as pool:
        spent = pool.starmap(_half, [(shape, half) for half in range(PROCESSES)])
    return {"pages": pages, "seconds": max(spent), "cpu": sum(spent)}


def collect(web: Web, folder: Path) -> Figures:
    """Poll, fetch and extract: as the flow deals it, without a model and without documents to load."""
    settings = settings_of(web, folder)
    one = stages.Pass(settings, new_id())
    _warm()
    began, before = time.monotonic(), cpu_seconds(os.getpid())
    stages.take_over(one)
    stages.load(settings.warehouse, write_load(deal(one.data), one.run_id, "feeds", poll_rows.feed_tables(web.feeds)))
    with stages.network(one):
        _poll(one, web)
        entries = stages.pending(settings.warehouse, web.feeds, None, datetime.now(UTC))
        texts = _fetch_and_extract(one, entries)
    return {"pages": len(entries), "texts": texts, "seconds": time.monotonic() - began,
            "cpu": cpu_seconds(os.getpid()) - before}  # fmt: skip


def _warm() -> None:
    """Start the extracting processes: what they read at first is not counted, nor is it of the others."""
    list(stages.extractors().extract([RawPage(b"<p>warm</p>", "http://127.0.0.1/")] * PROCESSES))


def _poll(one: stages.Pass, web: Web) -> None:
    named = {feed.feed_id: feed for feed in web.feeds}
    rows = state.due_feeds(one.settings.warehouse, datetime.now(UTC), True)
    due = [
        (named[row["feed_id"]], poll_rows.validators(row), poll_rows.feed_state(named[row["feed_id"]], row))
        for row in rows
    ]
    for start in range(0, len(due), FEEDS_A_POLL):
        stages.load(one.settings.warehouse, stages.poll(one, due[start : start + FEEDS_A_POLL], deal(one.data)))


def _fetch_and_extract(one: stages.Pass, entries: list[dict[str, Any]]) -> int:
    size, texts = one.settings.batch_size, 0
    flying: deque[Future[Path]] = deque()
    with ThreadPoolExecutor(AHEAD) as threads:

        def work(batch: list[dict[str, Any]]) -> Path:
            return stages.extract_batch(stages.fetch(one, batch, deal(one.data)))

        for start in range(0, len(entries), size):
            flying.append(threads.submit(work, entries[start : start + size]))
            while len(flying) >= AHEAD:
                texts += _texts(flying.popleft().result())
        return texts + sum(_texts(one.result()) for one in flying)


def _texts(folder: Path) -> int:
    lines = map(json.loads, (folder / "extracted.jsonl").open(encoding="utf-8"))
    return sum(1 for line in lines if "document" in line and line["document"]["rejection"] is None)


def whole_pass(web: Web, folder: Path, kind: str = "plain") -> Figures:
    """Make a pass over all feeds, plain or by Prefect, and say what it took: `cpu` with start and imports, `working` without."""
    settings = settings_of(web, folder)
    for name in ("allow_hosts", "host_delay", "request_timeout", "host_requests_a_day", "host_bytes_a_day"):
        os.environ[f"STANCEWATCH_{name.upper()}"] = json.dumps(getattr(settings, name))
    memory: list[tuple[int, float]] = []
    labels = folder / "labels"
    with ExitStack() as stack:
        if labels.exists():
            stack.enter_context(in_place_of_the_model(labels))
        else:
            stages.classifier_for(settings)  # loaded before the clock starts, as everything else
        ingest = stack.enter_context(without_prefect()) if kind == "plain" else flows.ingest.ingest
        if not Path(settings.warehouse).exists():
            _warm()  # a pass that has nothing to extract starts none
        stack.enter_context(sampled(memory))
        began, before = time.monotonic(), cpu_seconds(os.getpid())
        counts = ingest(str(settings.feeds), settings.warehouse, True, None)
        spent, seconds = cpu_seconds(os.getpid()), time.monotonic() - began
    return {"pages": counts["offered"], "texts": counts["loaded"], "seconds": seconds, "cpu": spent, "working": spent - before,
            "memory": memory, "counts": counts}  # fmt: skip


def by_prefect(web: Web, folder: Path) -> Figures:
    """Make a pass by Prefect; the environment names its server."""
    return whole_pass(web, folder, "prefect")


@contextmanager
def sampled(memory: list[tuple[int, float]], every: float = 2.0) -> Iterator[None]:
    """Note (pages that were loaded, MB of this process and its children) while a pass goes on."""
    over, counted = threading.Event(), Counted.installed()

    def watch() -> None:
        while not over.wait(every):
            memory.append((counted.documents, memory_mb(os.getpid())))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Counted(logging.Handler):
    """Counts the documents that loads say they stored."""

    documents = 0

    @classmethod
    def installed(cls) -> Counted:
        """Return one that listens to the loads of this process."""
        counted, log = cls(), logging.getLogger("warehouse.load")
        log.addHandler(counted)
        log.setLevel(logging.INFO)
        return counted

    def emit(self, record: logging.LogRecord) -> None:
        """Read the counts of one load."""
        counts = record.args[2] if isinstance(record.args, tuple) and len(record.args) == 3 else {}
        if isinstance(counts, dict):
            self.documents += counts.get("document", 0)


PARTS: dict[str, Callable[[Web, Path], Figures]] = {
    "extractor": extractor,
    "collect": collect,
    "plain": whole_pass,
    "prefect": by_prefect,
}


def main() -> None:
    """Run one part: NAME FOLDER in, shape and ports of the web on standard input."""
    web = Web.of(json.load(sys.stdin))
    print(json.dumps(PARTS[sys.argv[1]](web, Path(sys.argv[2]))))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What a document costs, stage by stage, in one run: CPU time of this process and those that it starts.

    python benchmarks/stages.py [--documents 512] [--relevant 0.2]

A web on loopback in a process of its own, whose time is not counted, serves feeds of 32 articles and pages of some 60 KB:
100 to 900 words, a share `--relevant` of them about AI governance, in a page with a menu, scripts and other people's teasers.
The stages are called as a pass calls them, in batches of 64, without Prefect. Printed are milliseconds of CPU for each document, the share of each stage,
and what one core does in a second. Loads and links are those into a
warehouse that is nearly empty; `benchmarks/many_feeds.py` shows what of them grows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import psutil
from articles import texts
from prefect.logging import disable_run_logger

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flows import ingest, stages  # noqa: E402
from flows.stories import link_batch, sketch_batch  # noqa: E402
from pipeline.feeds import load_feeds  # noqa: E402
from pipeline.settings import load_settings  # noqa: E402
from tests.support.server import serve_web  # noqa: E402
from warehouse.load import finish_run  # noqa: E402
from warehouse.publish import publish  # noqa: E402
from warehouse.spool import deal, new_id  # noqa: E402

A_FEED = 32
MENU = "".join(
    f'<li class="nav-{n}"><a href="/section/{n}/index.html" data-track="menu-{n}">Section {n}</a></li>'
    for n in range(120)
)
SCRIPT = (
    "<script>"
    + "window.dataLayer=window.dataLayer||[];function g(){dataLayer.push(arguments)};g('config');" * 300
    + "</script>"
)
ASIDE = "".join(
    f'<div class="teaser"><h3><a href="/t/{n}">A teaser of another article</a></h3><p>Read more about it.</p></div>'
    for n in range(20)
)


def page(title: str, text: str) -> str:
    """Return an article as publishers send it, in the middle of what is not the article."""
    body = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n") if part)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{SCRIPT}</head><body><nav><ul>{MENU}</ul></nav>'
        f"<main><article><h1>{escape(title)}</h1><p class='byline'>By A. Writer</p>{body}</article><aside>{ASIDE}</aside></main>{SCRIPT}</body></html>"
    )  # fmt: skip


def serve(documents: int, relevant: float, answer: Any) -> None:
    """Serve feeds and pages until the other side hangs up."""
    chance = random.Random(1)
    about = [each for each in texts(documents * 5) if each[0] != "Harbour news"]
    other = [each for each in texts(documents * 2) if each[0] == "Harbour news"]
    with serve_web() as web:
        items: dict[int, list[str]] = defaultdict(list)
        size = 0
        for n in range(documents):
            title, text, _ = (about if chance.random() < relevant else other).pop()
            body = page(f"{title} {n}", f"Report number {n}. {text}")
            size += len(body)
            web.page(f"/a/{n}", body)
            items[n // A_FEED].append(f"<item><title>{escape(title)} {n}</title><link>{web.url}/a/{n}</link></item>")
        for n, found in items.items():
            web.page(
                f"/feed/{n}", f"<rss version='2.0'><channel>{''.join(found)}</channel></rss>", "application/rss+xml"
            )
        answer.send((web.host, len(items), size / documents))
        answer.recv()


def feeds_file(path: Path, host: str, number: int) -> None:
    """Write the feeds file."""
    path.write_text("\n".join(
        f'[[feed]]\nid = "f{n}"\nurl = "http://{host}/feed/{n}"\noutlet = "Paper {n}"\ncountry = "KE"\nbloc = "global_south"\nlanguage = "en"\n'
        'ownership = "private"\nkind = "news"\n' for n in range(number)), encoding="utf-8")  # fmt: skip


class Meter:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._me = psutil.Process()
        self._other: set[int] = {child.pid for child in self._me.children(recursive=True)}  # the web

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within."""
        before = self._seconds()
        yield
        self.spent[name] += self._seconds() - before

    def _seconds(self) -> float:
        family = [self._me, *(each for each in self._me.children(recursive=True) if each.pid not in self._other)]
        return sum(times.user + times.system for times in (each.cpu_times() for each in family))


def measure(folder: Path, host: str, number: int) -> tuple[int, dict[str, float]]:
    """Make one pass; return how many documents were loaded and the CPU seconds of its stages."""
    feeds_file(folder / "feeds.toml", host, number)
    settings = load_settings(
        warehouse=str(folder / "w.duckdb"), feeds=folder / "feeds.toml", allow_hosts=[host], host_requests_a_day=10**6, host_bytes_a_day=10**12
    )  # fmt: skip
    stages.classifier_for(settings)[0].label([("warm", "An article about artificial intelligence rules.", "en")])
    list(stages.extractors().extract([]))
    one, meter = stages.Pass(settings, new_id()), Meter()
    known, started = load_feeds(settings.feeds), datetime.now(UTC)
    stages.take_over(one)
    stages.load(
        settings.warehouse, stages.write_load(deal(one.data), one.run_id, "feeds", ingest.poll_rows.feed_tables(known))
    )
    with stages.network(one), disable_run_logger():
        due = ingest._due(settings.warehouse, known, True)
        for start in range(0, len(due), ingest.FEEDS_A_POLL):
            with meter.stage("poll"):
                stages.load(
                    settings.warehouse, stages.poll(one, due[start : start + ingest.FEEDS_A_POLL], deal(one.data))
                )
        entries = stages.pending(settings.warehouse, known, None, datetime.now(UTC))
        for start in range(0, len(entries), settings.batch_size):
            with meter.stage("fetch"):
                batch = stages.fetch(one, entries[start : start + settings.batch_size], deal(one.data))
            with meter.stage("extract"):
                stages.extract_batch(batch)
            with meter.stage("label"):
                stages.label_batch(settings, batch)
            with meter.stage("load"):
                stages.load(settings.warehouse, stages.prepare(one, batch))
    with meter.stage("link"):
        while sketch_batch(one):
            pass
        while link_batch(one):
            pass
    with meter.stage("publish"):
        loaded = finish_run(settings.warehouse, one.run_id, started, {})["loaded"]
        publish(settings.warehouse)
    return loaded, meter.spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=512)
    parser.add_argument("--relevant", type=float, default=0.2)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    web = multiprocessing.get_context("spawn").Process(target=serve, args=(given.documents, given.relevant, theirs))
    web.start()
    host, number, size = ours.recv()
    try:
        with tempfile.TemporaryDirectory() as folder:
            loaded, spent = measure(Path(folder), host, number)
    finally:
        ours.send("end")
        web.join()
    cost = {name: seconds / loaded * 1000 for name, seconds in spent.items()}
    if given.json:
        print(json.dumps({"documents": loaded, "page_bytes": round(size), "milliseconds": cost}))
        return
    print(
        f"{loaded} documents of {given.documents}, pages of {size / 1000:.0f} KB, {given.relevant:.0%} about the subject"
    )
    for name, each in cost.items():
        print(
            f"{name:<8} {each:>8.1f} ms CPU a document {each / sum(cost.values()):>6.0%} {1000 / each:>8.0f} a second and core"
        )
    print(
        f"{'all':<8} {sum(cost.values()):>8.1f} ms CPU a document {'':>6} {1000 / sum(cost.values()):>8.1f} a second and core"
    )


if __name__ == "__main__":
    main()

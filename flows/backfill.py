"""The backfill flow: what sitemaps, lists of URLs, OPML files and WARC files hold, into the warehouse as a pass brings it.

Everything that a source offers is written into the ledger first, a portion a load; then the pages are fetched at the
pace of a pass, or read from the WARC file. Killed and started again, it goes on: what is known is a duplicate, what is
pending is worked off. Without a source it works off what earlier backfills left pending on the web.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field
from rich.progress import Progress

from flows import stages
from flows.batches import write_fetched
from flows.crew import Crew, crew_of
from flows.ingest import fetching, land, publish_copy
from flows.naming import run_name
from flows.offers import Offers
from flows.outcomes import report
from flows.progress import progress
from flows.watch import watching
from pipeline.errors import ConfigError
from pipeline.feeds import BACKFILL, load_feeds
from pipeline.outlets import Outlets
from pipeline.records import Page
from pipeline.session import Session
from pipeline.settings import Settings, load_settings
from pipeline.sources import Portion, Window, list_portions, opml_portions, sitemap_portions, warc_portions
from pipeline.warc.read import Capture
from warehouse import state
from warehouse.load import finish_run
from warehouse.lock import pass_lock
from warehouse.spool import deal, new_id

log = logging.getLogger(__name__)
LOCK_WAIT = 6 * 3600.0  # seconds: a backfill stands behind passes, it does not fail because of them
SLICE = 640  # pending entries of one source that are taken at a time
NOTHING_READ = "no source could be read; its reason is in table rejection, and above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where to look: addresses of sitemaps, files of the other kinds, and the days that are wanted."""

    sitemaps: tuple[str, ...] = ()
    lists: tuple[Path, ...] = ()
    opml: tuple[Path, ...] = ()
    warcs: tuple[Path, ...] = ()
    window: Window = field(default_factory=Window)

    def check(self) -> None:
        """Raise ConfigError where a file is missing or an address is none."""
        for path in (*self.lists, *self.opml, *self.warcs):
            if not path.is_file():
                raise ConfigError(f"{path}: no such file")
        for address in self.sitemaps:
            if not address.startswith(("http://", "https://")):
                raise ConfigError(f"--sitemap {address}: must begin with http:// or https://")
        if self.window.since and self.window.until and self.window.since > self.window.until:
            raise ConfigError(f"--since {self.window.since} is after --until {self.window.until}")

    @property
    def asks_the_web(self) -> bool:
        """WARC files alone need no request; without any source, earlier backfills are gone on with."""
        return bool(self.sitemaps or self.lists or self.opml) or not self.warcs

    def web(self, settings: Settings, session: Session) -> Iterator[Portion]:
        """Read the sources whose pages are to be fetched, one after the other."""
        return chain(
            chain.from_iterable(sitemap_portions(settings, session.pace, each, self.window) for each in self.sitemaps),
            chain.from_iterable(map(list_portions, self.lists)),
            chain.from_iterable(opml_portions(session, each) for each in self.opml),
        )


def wanted_of(
    sitemaps: list[str] | None, lists: list[str] | None, opml: list[str] | None, warcs: list[str] | None,
    since: date | None, until: date | None,
) -> Wanted:  # fmt: skip
    """Return what was asked for, checked."""
    wanted = Wanted(
        sitemaps=tuple(sitemaps or ()),
        lists=_paths(lists),
        opml=_paths(opml),
        warcs=_paths(warcs),
        window=Window(since=since, until=until),
    )
    wanted.check()
    return wanted


@flow(
    name="backfill",
    flow_run_name=run_name("backfill into"),
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    validate_parameters=True,
)
def backfill(
    sitemaps: list[str] | None = None,
    lists: list[str] | None = None,
    opml: list[str] | None = None,
    warcs: list[str] | None = None,
    since: date | None = None,
    until: date | None = None,
    outlet: str | None = None,
    country: str | None = None,
    limit: Annotated[int, Field(ge=1)] | None = None,
    feeds: str | None = None,
    warehouse: str | None = None,
) -> dict[str, Any] | State[Any]:
    """Offer what the sources hold, then fetch or read the pages, extract, label, load, publish.

    Returns the outcomes, and {left_out: {reason: records or items that are none of a backfill's}}.

    Args:
        sitemaps: Addresses of sitemaps.
        lists: Files with an address a line.
        opml: OPML files.
        warcs: WARC files; their pages are read, not fetched.
        since: First day of publication, inclusive.
        until: Last day, inclusive.
        outlet: Whose pages all of them are; by default the outlet of the feeds file whose site it is.
        country: The country of that outlet.
        limit: Pages worked off in this run; the others stay pending.
        feeds: A feeds file (TOML); by default that of the settings, then the feeds of the package.
        warehouse: A DuckDB file or a lake; by default the one of the settings.
    """
    settings = load_settings(feeds=feeds, warehouse=warehouse)
    wanted = wanted_of(sitemaps, lists, opml, warcs, since, until)
    outlets = Outlets(load_feeds(settings.feeds), outlet, country)
    stages.classifier_for(settings)
    one = stages.Pass(settings, new_id())
    with (
        pass_lock(settings.warehouse, settings.share, LOCK_WAIT),
        watching("backfill", settings, one.run_id) as seen,
        crew_of(settings) as crew,
        progress() as bars,
    ):
        started = datetime.now(UTC)
        stages.take_over(one)
        work = _Work(one, crew, outlets, bars, limit)
        with stages.network(one) as session:
            if wanted.asks_the_web:
                work.from_web(wanted.web(settings, session))
            for path in wanted.warcs:
                work.from_warc(path, wanted.window)
        counts = finish_run(settings.warehouse, one.run_id, started, {}, **seen.found())
        publish_copy(settings.warehouse)
    report(one, "backfill", counts)
    said = ", ".join(f"{n} {why}" for why, n in work.left_out.items())
    get_run_logger().info("left out: %s", said or "nothing")
    if work.left_out["unreadable_source"] and not counts["offered"]:
        return Failed(message=NOTHING_READ)
    return {**counts, "left_out": dict(work.left_out)}


def _paths(names: list[str] | None) -> tuple[Path, ...]:
    return tuple(map(Path, names or ()))


class _Work:
    """One run over its sources: what it shares, and how many pages are left to its limit."""

    def __init__(self, one: stages.Pass, crew: Crew, outlets: Outlets, bars: Progress, limit: int | None) -> None:
        self._one = one
        self._crew = crew
        self._outlets = outlets
        self._bars = bars
        self._left = 2**62 if limit is None else limit
        self.left_out: Counter[str] = Counter()

    def from_web(self, portions: Iterator[Portion]) -> None:
        """Offer what the sources hold, then fetch what is pending of this and earlier backfills."""
        offers = Offers(self._one, self._outlets, "web")
        bar = self._bars.add_task("reading sources", total=None)
        for portion in portions:
            log.info("%s: %s", portion.source, portion.error or f"{len(portion.entries)} entries")
            offers.store(portion)
            self._bars.advance(bar, len(portion.entries))
        self.left_out += offers.left_out
        bar = self._bars.add_task("fetching and labelling pages", total=None)
        while entries := self._pending():
            self._left -= len(entries)
            for size in land(self._one, self._crew, fetching(self._one, entries)):
                self._bars.advance(bar, size)

    def _pending(self) -> list[dict[str, Any]]:
        found = state.pending_entries(self._one.settings.warehouse, datetime.now(UTC), SLICE)
        mine = [stages.spelt(entry) for entry in found if entry["feed_id"].startswith(f"{BACKFILL}web:")]
        return mine[: min(self._left, 10 * SLICE)]

    def from_warc(self, path: Path, window: Window) -> None:
        """Offer the pages of a file and work them off, portion by portion, without a request."""
        offers = Offers(self._one, self._outlets, "warc")
        bar = self._bars.add_task(path.name, total=path.stat().st_size)
        for _ in land(self._one, self._crew, self._pages(path, window, offers, bar)):
            pass
        self.left_out += offers.left_out

    def _pages(self, path: Path, window: Window, offers: Offers, bar: Any) -> Iterator[tuple[int, Path]]:
        settings = self._one.settings
        for portion in warc_portions(path, window, settings.batch_size, settings.max_body):
            offers.store(portion)
            self._bars.update(bar, completed=portion.position)
            pending = state.pending_of(settings.warehouse, [entry.entry_id for entry in portion.entries])
            chosen = _first_of_each(portion, pending)[: self._left]
            if chosen:
                self._left -= len(chosen)
                yield len(chosen), self._batch(path, [(stages.spelt(pending[key]), capture) for key, capture in chosen])
            if not self._left:
                return

    def _batch(self, path: Path, chosen: list[tuple[dict[str, Any], Capture]]) -> Path:
        """Write pages as a fetched batch; pages of our own files stay where they are."""
        pages = [
            Page(url=c.url, status=200, headers={"content-type": c.content_type}, body=c.body, fetched_at=c.captured_at)
            for _, c in chosen
        ]
        data = self._one.data.resolve()
        own = path.resolve().is_relative_to(data / "warc")
        places = [f"{path.resolve().relative_to(data)}#{c.offset}" for _, c in chosen] if own else []
        return write_fetched(deal(self._one.data), [entry for entry, _ in chosen], pages, places)


def _first_of_each(portion: Portion, pending: dict[str, Any]) -> list[tuple[str, Capture]]:
    """Return the first page of each pending entry: a later one of the same address in the portion is its duplicate."""
    first: dict[str, Capture] = {}
    for entry, capture in zip(portion.entries, portion.captures, strict=True):
        if entry.entry_id in pending:
            first.setdefault(entry.entry_id, capture)
    return list(first.items())

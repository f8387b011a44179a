"""What a backfill would find: the sources read, nothing stored and no page asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import chain
from typing import Any

from flows.backfill import wanted_of
from flows.progress import progress
from pipeline.feeds import load_feeds
from pipeline.outlets import Outlets
from pipeline.session import open_session
from pipeline.settings import Settings
from pipeline.sources import warc_portions
from warehouse import state
from warehouse.connect import is_there

COLUMNS = ["outlet", "country", "items", "known", "new", "first_day", "last_day"]


def survey(
    settings: Settings, *, outlet: str | None = None, country: str | None = None, **sources: Any
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return a table of the outlets that the sources have items of, and of what is left out. Days are those that sources say."""
    wanted = wanted_of(**sources)
    outlets = Outlets(load_feeds(settings.feeds), outlet, country)
    exists = is_there(settings.warehouse)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    left_out: Counter[str] = Counter()
    with progress() as bars, open_session(settings) as session:
        bar = bars.add_task("reading sources", total=None)
        files = (warc_portions(path, wanted.window, settings.batch_size, settings.max_body) for path in wanted.warcs)
        seen: set[str] = set()
        for portion in chain(wanted.web(settings, session), chain.from_iterable(files)):
            left_out += portion.left_out + Counter(
                {name: 1 for name in [f"unreadable: {portion.error}"] if portion.error}
            )
            left_out["refused"] += len(portion.refused)
            ids = [entry.entry_id for entry in portion.entries]
            known = seen | (state.known_entries(settings.warehouse, ids) if exists else set())
            for entry in portion.entries:
                source = outlets.source_of(entry.url, "web")
                key = (source.outlet, source.country)
                counts[key][("known" if entry.entry_id in known else "new")] += 1
                seen.add(entry.entry_id)
                if entry.published_at:
                    days[key] = _span(days[key], entry.published_at.date())
            bars.advance(bar, len(ids))
    rows = [_row(key, found, days[key]) for key, found in sorted(counts.items())]
    return COLUMNS, rows + [(f"left out: {why}", "", n, "", "", "", "") for why, n in left_out.items() if n]


def _span(days: set[date], day: date) -> set[date]:
    return {min(days | {day}), max(days | {day})}


def _row(key: tuple[str, str], found: Counter[str], days: set[date]) -> tuple[Any, ...]:
    span = (min(days).isoformat(), max(days).isoformat()) if days else ("", "")
    return (*key, found.total(), found["known"], found["new"], *span)

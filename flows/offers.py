"""Offers of a backfill: portions of entries in, loads of the warehouse out, so that outcomes add up as for feeds.

A portion counts as a poll of the source of each outlet in it: what is known is a duplicate, the rest is pending.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flows import poll_rows, rows, stages
from pipeline.outlets import Outlets, Way
from pipeline.records import Entry, Feed, Rejection, stable_id
from pipeline.sources import Portion
from warehouse.spool import deal, iso, write_load

NO_HOST = "https://unknown.invalid/"  # items without a usable address belong to one outlet of that name


class Offers:
    """Stores what portions offer, and counts what is left out of them."""

    def __init__(self, one: stages.Pass, outlets: Outlets, way: Way) -> None:
        self._one = one
        self._outlets = outlets
        self._way: Way = way
        self._stored: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def store(self, portion: Portion) -> None:
        """Write and load one portion: sources and outlets that are new to this run first, then the entries."""
        self.left_out += portion.left_out
        sources: dict[str, Feed] = {}
        tables: rows.Tables = defaultdict(list)
        if portion.error:
            self.left_out["unreadable_source"] += 1
            reason, _, detail = portion.error.partition(": ")
            tables["rejection"].append(
                rows.rejection_row(
                    self._one.run_id, None, portion.source, Rejection(stage="poll", reason=reason, detail=detail)
                )
            )
        now = iso(datetime.now(UTC))
        offered: Counter[str] = Counter()
        for entry, refusal, seen_at in _items(portion, now):
            source = self._outlets.source_of(entry.url or NO_HOST, self._way)
            sources[source.feed_id] = source
            offered[source.feed_id] += 1
            why = refusal.reason if refusal else None
            tables["entry"].append(poll_rows.entry_row(self._one.run_id, source, entry, seen_at, why))
            if refusal:
                tables["rejection"].append(rows.rejection_row(self._one.run_id, entry.entry_id, entry.url, refusal))
        if not tables:
            return
        self._load("feeds", poll_rows.feed_tables([s for s in sources.values() if s.feed_id not in self._stored]))
        self._stored.update(sources)
        work = deal(self._one.data)
        tables["poll"] = [self._poll(work.name, feed_id, number, now) for feed_id, number in offered.items()]
        tables["host"] = poll_rows.host_rows(self._one.session.pace.changed())
        stages.load(self._one.settings.warehouse, write_load(work, self._one.run_id, "poll", tables))

    def _load(self, kind: str, tables: rows.Tables) -> None:
        if any(tables.values()):
            stages.load(self._one.settings.warehouse, write_load(deal(self._one.data), self._one.run_id, kind, tables))

    def _poll(self, load_id: str, feed_id: str, offered: int, now: str) -> dict[str, Any]:
        key = {"poll_id": stable_id(load_id, feed_id), "run_id": self._one.run_id, "feed_id": feed_id}
        return {**key, "polled_at": now, "outcome": "ok", "offered": offered, "failures": 0}


def _items(portion: Portion, now: str) -> Iterator[tuple[Entry, Rejection | None, str]]:
    """Yield entries with their refusal and when they were seen first: pages of a WARC file when they were captured."""
    for number, entry in enumerate(portion.entries):
        yield entry, None, iso(portion.captures[number].captured_at) if portion.captures else now
    for entry, refusal in portion.refused:
        yield entry, refusal, now

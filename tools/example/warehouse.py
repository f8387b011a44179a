"""The example warehouse: a path in, a warehouse out that six passes have filled, on the Mondays from 7 July to 11 August 2025.

Feeds are polled once a day; the polls of a week are stored with the pass at its end. Rows go the way that a pass sends
them, from feed and document to spool and load; the clock is that of the passes, and the ids of loads are counted, so that
the same rows, snapshots and hashes come out everywhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from flows import poll_rows
from flows.rows import DocumentTables, label_run_id
from flows.stages import spelt
from pipeline.events import load_events
from pipeline.poll import Poll
from pipeline.records import Feed, Rejection, Validators, stable_id
from pipeline.schedule import FeedState, decide
from tools.example.corpus import DAYS, FEED_LENGTH, FIRST_DAY, Item, load_feeds, load_items
from tools.example.labels import Recorded, codebook
from warehouse import load as loads
from warehouse import state
from warehouse.connect import writing
from warehouse.publish import publish
from warehouse.spool import iso
from warehouse.stories import places, unlinked, unsketched

CODE = "example"  # stands for the version of the code in the label runs
START = 3600.0  # seconds: the first interval of a feed
DARK = ("lagoon-times", datetime(2025, 8, 1, tzinfo=UTC))  # a feed that answers no more from then on
CODED_TWICE = 16  # documents that a second person has coded too, and where that one saw something else:
DIFFERENT = {"strategy-for-main-street": "neutral", "american-course-uncertain": "neutral"}
Rows = Iterable[Mapping[str, Any]]


def build(path: Path) -> Path:
    """Fill a warehouse at `path`, where there is none yet, and publish it; return the path."""
    example = _Example(path)
    example.load("feeds", poll_rows.feed_tables(example.feeds))
    example.load("events", poll_rows.event_tables(load_events()))
    for monday in range(6, DAYS + 1, 7):
        example.make_pass(FIRST_DAY + timedelta(days=monday, hours=6))
    example.code()
    example.relabel()
    example.set_clock()
    publish(path)
    return path


class _Example:
    """A warehouse that is being filled. Not a record: it counts its loads."""

    def __init__(self, path: Path) -> None:
        self.target = path
        self.feeds, self.items = load_feeds(), load_items()
        self.first, self.shipped = Recorded(codebook(earlier=True)), Recorded(codebook())
        self.now = FIRST_DAY + timedelta(hours=12)
        self._states = {feed.feed_id: FeedState(url=feed.url) for feed in self.feeds}
        self._known: set[str] = set()
        self._number = count(1)

    @property
    def run_id(self) -> str:
        """A pass is named after its day."""
        return f"run-{self.now:%Y-%m-%d}"

    def make_pass(self, now: datetime) -> None:
        """Poll every feed, load what is new, link copies, and count the days."""
        polls = [self._poll(feed, now - timedelta(days=back)) for back in range(6, -1, -1) for feed in self.feeds]
        self.now = now
        self.load("poll", self._poll_rows(polls))
        self.load("documents", self._documents())
        self.load("stories", {"sketch": unsketched(self.target, 1000)})
        self.load("stories", {"story": self._at_now(places(self.target, unlinked(self.target, 1000)), "computed_at")})
        with patch.object(loads, "new_id", self._next_id):
            loads.finish_run(self.target, self.run_id, now, {}, now=now + timedelta(minutes=10))

    def load(self, kind: str, tables: Mapping[str, Rows]) -> None:
        """Load rows as a spool folder of this hour."""
        with TemporaryDirectory() as folder:
            head = {"load_id": self._next_id(), "run_id": self.run_id, "kind": kind, "created_at": iso(self.now)}
            (Path(folder) / "load.json").write_text(json.dumps(head), encoding="utf-8")
            for name, rows in tables.items():
                text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                (Path(folder) / f"{name}.jsonl").write_text(text, encoding="utf-8")
            loads.load_folder(self.target, Path(folder))

    def _next_id(self, after: str = "") -> str:  # counted, so behind every earlier one
        return f"{self.now:%Y%m%dT%H%M}-{next(self._number):03}"

    def _at_now(self, rows: Rows, column: str) -> list[dict[str, Any]]:
        """Let what the clock of this machine has written be of the pass."""
        return [{**row, column: iso(self.now)} if row.get(column) else dict(row) for row in rows]

    def _poll(self, feed: Feed, when: datetime) -> Poll:
        """Return what a feed answered: its newest items, or that there is nobody."""
        if feed.feed_id == DARK[0] and when >= DARK[1]:
            return Poll(
                feed_id=feed.feed_id,
                polled_at=when,
                url=feed.url,
                validators=Validators(),
                error="no answer",
                reason="network",
            )
        items = [item for item in reversed(self.items) if item.outlet == feed.feed_id and item.published <= when]
        entries = tuple(item.entry(feed.feed_id, place) for place, item in enumerate(items[:FEED_LENGTH]))
        body = Validators(body_hash=stable_id(*(entry.entry_id for entry in entries)))
        return Poll(feed_id=feed.feed_id, polled_at=when, url=feed.url, validators=body, status=200, entries=entries)

    def _poll_rows(self, polls: Sequence[Poll]) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of polls in the order of time; each feed is left in the state for its next one."""
        feeds, gathered = {feed.feed_id: feed for feed in self.feeds}, defaultdict[str, list[dict[str, Any]]](list)
        for poll in polls:
            before, asked = self._states[poll.feed_id], feeds[poll.feed_id]
            tables = poll_rows.poll_tables(f"{poll.polled_at:%Y-%m-%d}", [(asked, before)], [poll], self._known, START)
            self._states[poll.feed_id] = decide(
                before, poll_rows.answer_of(poll, self._known), START, poll_rows.chance(poll)
            )
            self._known |= {entry.entry_id for entry in poll.entries}
            for name, rows in tables.items():
                gathered[name] += [{**row, "run_id": self.run_id} if "run_id" in row else row for row in rows]
        return gathered

    def _documents(self) -> dict[str, Any]:
        """Give every pending entry its outcome."""
        items = {item.entry_id: item for item in self.items}
        tables = DocumentTables(self.run_id, self.first, self.first.codebook, CODE)
        for entry in state.pending_entries(self.target, self.now):
            self._decide(tables, spelt(entry), items[entry["entry_id"]])
        columns = {"label_run": "created_at", "rejection": "rejected_at", "entry": "quarantined_at"}
        return {name: self._at_now(rows, columns.get(name, "")) for name, rows in tables.tables.items()}

    def _decide(self, tables: DocumentTables, entry: Mapping[str, Any], item: Item) -> None:
        tried = entry["attempts"] + 1
        if item.fate in ("timeout", "quarantine"):
            again = self.now + timedelta(days=1) if item.fate == "timeout" else None
            tables.pending(entry, "timeout", tried, again)
        elif item.fate in (None, "duplicate"):
            page = item if item.fate is None else self._original(item)
            (said,) = self.first.label([(page.title, page.text, page.lang)])
            tables.loaded(entry, replace(page.document(), authors=()), said, iso(self.now), None)  # keep_authors is off
        else:
            stage = "fetch" if item.fate.startswith("http") else "extract"
            tables.rejected(entry, Rejection(stage=stage, reason=item.fate), tried)

    def _original(self, item: Item) -> Item:
        """Return the article that the page for printing names as canonical."""
        return next(each for each in self.items if each.slug == item.slug.removesuffix("-print"))

    def code(self) -> None:
        """Store what one person said of the articles of the example, and a second one of some."""
        self.now += timedelta(minutes=30)
        coded = [item for item in self.items if item.coded is not None]
        rows = [row for item in coded for row in self._codings(item, "ada", item.coded or {})]
        for item in coded[:CODED_TWICE]:
            said = {target: DIFFERENT.get(item.slug, label) for target, label in (item.coded or {}).items()}
            rows += self._codings(item, "ben", said)
        self.load("human", {"human_label": rows})

    def _codings(self, item: Item, coder: str, said: Mapping[str, str]) -> list[dict[str, Any]]:
        of_coder = {
            "document_id": item.document().document_id, "coder": coder, "codebook_version": self.shipped.codebook.version,
            "coded_at": iso(self.now),
        }  # fmt: skip
        stances = {target.id: said.get(target.id, "neutral") for target in self.shipped.codebook.targets}
        labels = [("relevance", "relevance", "yes"), *(("stance", *pair) for pair in stances.items())]
        return [{**of_coder, "kind": kind, "target": target, "label": label} for kind, target, label in labels]

    def relabel(self) -> None:
        """Label every document by the shipped codebook; until here it was a stricter one."""
        book = self.shipped.codebook
        tables = DocumentTables(self.run_id, self.shipped, book, CODE)
        waiting = state.unlabelled(self.target, label_run_id(self.shipped, book, CODE))
        for row in state.stored_documents(self.target, waiting):
            (said,) = self.shipped.label([(row["title"], row["text"], row["lang"])])
            tables.relabelled(row, said)
        self.now += timedelta(hours=1)
        rows = {**tables.tables, "label_run": self._at_now(tables.tables["label_run"], "created_at")}
        self.load("documents", rows)

    def set_clock(self) -> None:
        """Let loads be stored when their passes were, a second after one another."""
        with writing(self.target) as con:
            con.execute("UPDATE migration SET applied_at = (SELECT min(created_at) FROM load)")
            con.execute(
                "UPDATE load SET loaded_at = load.created_at + to_seconds(turn) FROM (SELECT load_id,"
                " row_number() OVER (PARTITION BY created_at ORDER BY loaded_at) AS turn FROM load) AS placed"
                " WHERE load.load_id = placed.load_id"
            )

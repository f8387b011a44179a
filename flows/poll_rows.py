"""Feeds, events, polls and hosts in, rows of the warehouse's tables out; and back from rows to what the next poll needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flows.rows import Tables, rejection_row
from pipeline.events import Event
from pipeline.pace import Host
from pipeline.poll import Poll
from pipeline.records import Entry, Feed, Validators, stable_id
from pipeline.schedule import Answer, FeedState, Wishes, decide
from warehouse.spool import iso

STATE = ("failures", "strain", "fresh_at", "read_at", "poll_url", "moved_to", "moved_at", "gone_at")


def feed_tables(feeds: Sequence[Feed]) -> Tables:
    """Return the rows of the outlets and feeds of a feeds file."""
    outlets = {
        feed.outlet_id: {
            "outlet_id": feed.outlet_id,
            "name": feed.outlet,
            "country": feed.country,
            "bloc": feed.bloc or None,
            "language": feed.language,
            "ownership": feed.ownership or None,
            "kind": feed.kind or None,
        }
        for feed in reversed(feeds)  # the first feed of an outlet describes it
    }
    listed = [
        {
            "feed_id": feed.feed_id,
            "outlet_id": feed.outlet_id,
            "url": feed.url,
            "language": feed.language,
            "kind": feed.kind or None,
            "enabled": feed.enabled,
        }
        for feed in feeds
    ]
    return {"outlet": list(outlets.values()), "feed": listed}


def event_tables(events: Sequence[Event]) -> Tables:
    """Return the rows of the events of an events file."""
    return {
        "event": [{"event_id": event.event_id, "day": event.day.isoformat(), "name": event.name} for event in events]
    }


def validators(row: Mapping[str, Any]) -> Validators:
    """Return the validators of a due feed."""
    return Validators(etag=row["etag"], last_modified=row["last_modified"], body_hash=row["body_hash"])


def feed_state(feed: Feed, row: Mapping[str, Any]) -> FeedState:
    """Return the state of a due feed."""
    said = json.loads(row["wishes"] or "{}")
    wishes = Wishes(
        period=said.get("period", 0.0),
        skip_hours=frozenset(said.get("skip_hours", ())),
        skip_days=frozenset(said.get("skip_days", ())),
    )
    return FeedState(url=feed.url, interval=row["poll_interval"], wishes=wishes, **{name: row[name] for name in STATE})


def answer_of(poll: Poll, known: set[str]) -> Answer:
    """Return what a poll says of its feed; `known` are the entries that were stored before."""
    shown = {entry.entry_id for entry in poll.entries} | {entry.entry_id for entry, _ in poll.refused}
    return Answer(
        polled_at=poll.polled_at,
        known_share=len(shown & known) / len(shown) if shown else None,
        fresh=bool(shown - known),
        error=poll.reason,
        status=poll.status,
        retry_after=poll.retry_after,
        max_age=poll.max_age,
        moved_to=poll.moved_to,
        wishes=poll.wishes,
    )


def chance(poll: Poll) -> float:
    """Return a number from 0 to 1 that differs between feeds and polls and is the same at every repetition."""
    return int(stable_id(poll.feed_id, iso(poll.polled_at)), 16) / 16**24


def poll_tables(
    run_id: str, asked: Sequence[tuple[Feed, FeedState]], polls: Sequence[Poll], known: set[str], start: float
) -> Tables:
    """Return polls, what they leave for the next one, entries, and the rejections of items without a link."""
    tables: Tables = {"poll": [], "feed_schedule": [], "entry": [], "rejection": []}
    for (feed, state), poll in zip(asked, polls, strict=True):
        after = decide(state, answer_of(poll, known), start, chance(poll))
        tables["poll"].append(_poll_row(run_id, poll, after))
        tables["feed_schedule"].append(_schedule_row(poll, after))
        seen_at = iso(poll.polled_at)
        tables["entry"] += [entry_row(run_id, feed, entry, seen_at, None) for entry in poll.entries]
        for entry, refusal in poll.refused:
            tables["entry"].append(entry_row(run_id, feed, entry, seen_at, refusal.reason))
            tables["rejection"].append(rejection_row(run_id, entry.entry_id, entry.url, refusal))
    return tables


def _poll_row(run_id: str, poll: Poll, after: FeedState) -> dict[str, Any]:
    return {
        "poll_id": stable_id(run_id, poll.feed_id),
        "run_id": run_id,
        "feed_id": poll.feed_id,
        "polled_at": iso(poll.polled_at),
        "status": poll.status,
        "outcome": "error" if poll.error else "unchanged" if poll.unchanged else "ok",
        "error": poll.error,
        "offered": len(poll.entries) + len(poll.refused),
        "etag": poll.validators.etag,
        "last_modified": poll.validators.last_modified,
        "body_hash": poll.validators.body_hash,
        "next_poll_at": iso(after.next_poll_at) if after.next_poll_at else None,
        "failures": after.failures,
    }


def _schedule_row(poll: Poll, after: FeedState) -> dict[str, Any]:
    times = {name: getattr(after, name) for name in ("fresh_at", "read_at", "moved_at", "gone_at")}
    return {
        "feed_id": poll.feed_id,
        "url": after.url,
        "decided_at": iso(poll.polled_at),
        "poll_interval": after.interval,
        "strain": after.strain,
        "poll_url": after.poll_url,
        "moved_to": after.moved_to,
        "wishes": json.dumps(asdict(after.wishes), default=sorted),
        **{name: iso(when) if when else None for name, when in times.items()},
    }


def entry_row(run_id: str, feed: Feed, entry: Entry, seen_at: str, refused: str | None) -> dict[str, Any]:
    """Return the row of an entry that was offered: pending, or refused for a reason."""
    return {
        "entry_id": entry.entry_id,
        "feed_id": feed.feed_id,
        "outlet_id": feed.outlet_id,
        "url": entry.url,
        "title": entry.title,
        "published_at": iso(entry.published_at) if entry.published_at else None,
        "updated_at": iso(entry.updated_at) if entry.updated_at else None,
        "date_doubt": entry.date_doubt,
        "position": entry.position,
        "first_seen_at": seen_at,
        "outcome": "rejected" if refused else "pending",
        "reason": refused,
        "attempts": 0,
        "run_id": run_id,
    }


def host_rows(hosts: Iterable[Host]) -> list[dict[str, Any]]:
    """Return the rows of hosts."""
    return [
        {
            **asdict(host),
            "updated_at": iso(host.updated_at),
            "free_at": iso(host.free_at) if host.free_at else None,
            "day": host.day.isoformat(),
        }
        for host in hosts
    ]

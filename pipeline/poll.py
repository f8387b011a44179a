"""Polling: a feed and its validators in; what the server said and the entries of the feed out.

`read_feed` parses a body without network: RSS, RDF and Atom by feedparser, JSON Feed and sitemaps by `feed_formats`.
In feedparser sanitising and the resolution of relative URIs are off: the first is quadratic on hostile input, the
second is done by `normalise_url`.
"""

from __future__ import annotations

import asyncio
import calendar
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import feedparser

from pipeline.errors import ItemError, Rejected
from pipeline.feed_bounds import bounded_feed
from pipeline.feed_formats import UNSTORABLE, read_items
from pipeline.http import Client, open_client
from pipeline.pace import Pace
from pipeline.records import Entry, Feed, Rejection, Validators, stable_id
from pipeline.settings import Settings
from pipeline.urls import normalise_url

MAX_ENTRIES = 2_000
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One answer of one feed. `error` says why there is none; an unchanged feed has no entries and no error."""

    feed_id: str
    polled_at: datetime
    status: int | None
    unchanged: bool
    entries: tuple[Entry, ...]
    refused: tuple[tuple[Entry, Rejection], ...]  # items without a usable link
    validators: Validators
    error: str | None


def read_feed(body: bytes, feed_id: str, base: str, now: datetime) -> tuple[list[Entry], list[tuple[Entry, Rejection]]]:
    """Return the entries of a feed body and the items that cannot be fetched. Raises Rejected where it is no feed.

    Every item is returned, also one that stands twice: the load counts the second as a duplicate.
    """
    try:
        items = read_items(body, MAX_ENTRIES)
        if items is None:
            items = _feedparser_items(body)
    except Rejected:
        raise
    except Exception as error:  # whatever a parser does over hostile bytes, one feed must not end a pass
        raise Rejected("not_a_feed", f"the parser failed: {type(error).__name__}: {error}"[:200]) from error
    entries: list[Entry] = []
    refused: list[tuple[Entry, Rejection]] = []
    for position, item in enumerate(items[:MAX_ENTRIES]):
        try:
            url = normalise_url(str(item.get("link") or ""), base)
        except ValueError as error:
            entry = _entry(item, feed_id, "", position, now)
            refused.append((entry, Rejection(stage="poll", reason="no_link", detail=str(error))))
            continue
        entries.append(_entry(item, feed_id, url, position, now))
    return entries, refused


def _feedparser_items(body: bytes) -> list[Any]:
    # as a stream: of plain bytes feedparser first asks whether they are the name of a file here
    stream = BytesIO(bounded_feed(body))
    parsed = feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False, response_headers={})
    if not parsed.get("version"):
        why = parsed.get("bozo_exception", "no RSS, RDF, Atom, JSON Feed or sitemap in it")
        raise Rejected("not_a_feed", str(why)[:200])
    return [_storable(item) for item in parsed.entries]


def _storable(item: Any) -> Any:
    """Replace what neither UTF-8 nor the warehouse can hold: Base64, too, may hide it from the parser."""
    for name in ("title", "id", "link", "published", "updated"):
        if isinstance(text := item.get(name), str):
            item[name] = UNSTORABLE.sub("\ufffd", text)
    return item


def _entry(item: Any, feed_id: str, url: str, position: int, now: datetime) -> Entry:
    title = " ".join(str(item.get("title") or "").split())[:500]
    published, doubt = _date(item, now)
    key = stable_id(url) if url else stable_id(feed_id, str(item.get("id") or title))
    return Entry(
        entry_id=key, feed_id=feed_id, url=url, title=title, published_at=published, date_doubt=doubt, position=position
    )


def _date(item: Any, now: datetime) -> tuple[datetime | None, str | None]:
    """Return the date and why it is doubtful; a date that cannot be true is not kept."""
    parsed = item.get("published_parsed") or item.get("updated_parsed")
    text = item.get("published") or item.get("updated")
    if parsed is None:
        return None, f"not understood: {str(text)[:60]}" if text else "missing"
    try:
        when = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None, f"out of range: {str(text)[:60]}"
    if when < EARLIEST or when > now + timedelta(days=2):
        return None, f"out of range: {str(text)[:60]}"
    return (min(when, now), "in the future") if when > now + timedelta(hours=1) else (when, None)


async def poll_feed(client: Client, feed: Feed, known: Validators) -> Poll:
    """Ask one feed what is new. Never raises for what a server does: the poll carries the error."""
    conditions = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    now = datetime.now(UTC)
    try:
        page = await client.get(feed.url, {name: value for name, value in conditions.items() if value})
        digest = hashlib.sha256(page.body).hexdigest()
        if page.status == 304 or digest == known.body_hash:
            return _poll(feed, now, page.status, known, unchanged=True)
        entries, refused = await asyncio.to_thread(read_feed, page.body, feed.feed_id, page.url, now)
    except ItemError as error:
        return _poll(feed, now, None, known, error=f"{error.reason}: {error.detail}"[:500])
    seen = Validators(etag=page.headers.get("etag"), last_modified=page.headers.get("last-modified"), body_hash=digest)
    return _poll(feed, now, page.status, seen, entries=tuple(entries), refused=tuple(refused))


def _poll(
    feed: Feed,
    now: datetime,
    status: int | None,
    validators: Validators,
    *,
    unchanged: bool = False,
    entries: tuple[Entry, ...] = (),
    refused: tuple[tuple[Entry, Rejection], ...] = (),
    error: str | None = None,
) -> Poll:
    return Poll(
        feed_id=feed.feed_id,
        polled_at=now,
        status=status,
        unchanged=unchanged,
        entries=entries,
        refused=refused,
        validators=validators,
        error=error,
    )


def poll_feeds(settings: Settings, pace: Pace, feeds: Sequence[tuple[Feed, Validators]]) -> list[Poll]:
    """Poll feeds side by side, in the order given. Blocking: call it from a thread or a task of its own."""

    async def all_of_them() -> list[Poll]:
        async with open_client(settings, pace) as client:
            return list(await asyncio.gather(*(poll_feed(client, feed, known) for feed, known in feeds)))

    return asyncio.run(all_of_them())

"""Polling: a feed and its validators in; what the server said and the entries of the feed out.

`read_feed` parses a body without network: RSS, RDF and Atom by feedparser, JSON Feed and sitemaps by `feed_formats`.
In feedparser sanitising and the resolution of relative URIs are off: the first is quadratic on hostile input, the
second is done by `normalise_url`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import feedparser

from pipeline.addresses import host_of
from pipeline.dates import read_date
from pipeline.errors import ItemError, Rejected
from pipeline.feed_bounds import bounded_feed
from pipeline.feed_bytes import as_utf8, unpacked
from pipeline.feed_formats import UNSTORABLE, read_items
from pipeline.hints import max_age, wishes
from pipeline.http import Client
from pipeline.records import Entry, Feed, Rejection, Validators, stable_id
from pipeline.schedule import Wishes
from pipeline.urls import normalise_url

MAX_ENTRIES = 2_000
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
UNREACHED = frozenset({"network", "name_server", "timeout", "host_down"})  # as a failure of our own network looks
OFFLINE, FEWEST = "offline", 3  # and hosts that must all be so


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One answer of one feed. `error` says why there is none; an unchanged feed has no entries and no error."""

    feed_id: str
    polled_at: datetime
    validators: Validators
    status: int | None = None
    unchanged: bool = False
    entries: tuple[Entry, ...] = ()
    refused: tuple[tuple[Entry, Rejection], ...] = ()  # items without a usable link
    error: str | None = None
    reason: str | None = None  # the error in one stable word
    url: str = ""  # where the answer came from, after redirects; of a failed one, what was asked
    retry_after: float | None = None  # seconds
    max_age: float = 0.0  # seconds
    moved_to: str | None = None  # where permanent redirects led
    wishes: Wishes | None = None


def blameless(polls: Sequence[Poll]) -> list[Poll]:
    """Where not one of three hosts or more could be reached, it is our own network: say so, and blame no feed."""
    hosts = {host_of(poll.url) for poll in polls if poll.url}
    if len(hosts) < FEWEST or any(poll.reason not in UNREACHED for poll in polls):
        return list(polls)
    return [replace(poll, reason=OFFLINE, error=f"{OFFLINE}: {poll.error}"[:500]) for poll in polls]


def read_feed(
    body: bytes, feed_id: str, base: str, now: datetime, content_type: str = ""
) -> tuple[list[Entry], list[tuple[Entry, Rejection]]]:
    """Return the entries of a feed body and the items that cannot be fetched. Raises Rejected where it is no feed.

    Every item is returned, also one that stands twice: the load counts the second as a duplicate.
    """
    try:
        body = unpacked(body)
        items = read_items(body, MAX_ENTRIES)
        if items is None:
            items = _feedparser_items(body, content_type)
    except Rejected:
        raise
    except Exception as error:  # whatever a parser does over hostile bytes, one feed must not end a pass
        raise Rejected("not_a_feed", f"the parser failed: {type(error).__name__}: {error}"[:200]) from error
    return entries_of(items[:MAX_ENTRIES], feed_id, base, now)


def entries_of(
    items: Sequence[Any], feed_id: str, base: str, now: datetime
) -> tuple[list[Entry], list[tuple[Entry, Rejection]]]:
    """Return items {link, title, id, published, updated} as entries, and those without a usable link."""
    entries: list[Entry] = []
    refused: list[tuple[Entry, Rejection]] = []
    for position, item in enumerate(items):
        try:
            url = normalise_url(str(item.get("link") or ""), base)
        except ValueError as error:
            entry = _entry(item, feed_id, "", position, now)
            refused.append((entry, Rejection(stage="poll", reason="no_link", detail=str(error))))
            continue
        entries.append(_entry(item, feed_id, url, position, now))
    return entries, refused


def _feedparser_items(body: bytes, declared: str) -> list[Any]:
    # as a stream: of plain bytes feedparser first asks whether they are the name of a file here
    stream = BytesIO(bounded_feed(as_utf8(body, declared)))
    parsed = feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False, response_headers={})
    if not parsed.get("version") and not parsed.entries:
        why = parsed.get("bozo_exception", "no RSS, RDF, Atom, JSON Feed or sitemap in it")
        raise Rejected("not_a_feed", str(why)[:200])
    return [_storable(item) for item in parsed.entries]


def _storable(item: Any) -> Any:
    """Replace what neither UTF-8 nor the warehouse can hold: Base64, too, may hide it from the parser."""
    for name in ("title", "id", "link", "published", "updated"):
        if name in item and isinstance(text := item[name], str):  # of `updated`, get() would say `published`
            item[name] = UNSTORABLE.sub("\ufffd", text)
    return item


def _entry(item: Any, feed_id: str, url: str, position: int, now: datetime) -> Entry:
    title = " ".join(str(item.get("title") or "").split())[:500]
    published, doubt = _date(item, now)
    updated = read_date(str(item["updated"]).strip()).when if "updated" in item else None
    key = stable_id(url) if url else stable_id(feed_id, str(item.get("id") or title))
    return Entry(
        entry_id=key,
        feed_id=feed_id,
        url=url,
        title=title,
        published_at=published,
        date_doubt=doubt,
        position=position,
        updated_at=min(updated, now) if updated and updated >= EARLIEST else None,
    )


def _date(item: Any, now: datetime) -> tuple[datetime | None, str | None]:
    """Return the date and why it is doubtful; a date that cannot be true is not kept."""
    why = "missing"
    for name in ("published", "updated"):
        text = str(item.get(name) or "").strip()
        if text:
            read = read_date(text)
            if read.when is not None and EARLIEST <= read.when <= now + timedelta(days=2):
                ahead = read.when > now + timedelta(hours=1)
                return (now, "in the future") if ahead else (read.when, read.doubt)
            why = str(read.doubt) if read.when is None else f"out of range: {text[:60]}"
    return None, why


async def poll_feed(client: Client, feed: Feed, known: Validators) -> Poll:
    """Ask one feed what is new. Never raises for what a server does: the poll carries the error."""
    conditions = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    now = datetime.now(UTC)
    none = Poll(feed_id=feed.feed_id, polled_at=now, validators=known, url=feed.url)
    try:
        page = await client.get(feed.url, {name: value for name, value in conditions.items() if value})
        said = replace(none, status=page.status, url=page.url, max_age=max_age(page.headers), moved_to=page.moved_to)
        digest = hashlib.sha256(page.body).hexdigest()
        if page.status == 304 or digest == known.body_hash:
            return replace(said, unchanged=True)
        kind = page.headers.get("content-type", "")
        entries, refused = await asyncio.to_thread(read_feed, page.body, feed.feed_id, page.url, now, kind)
    except ItemError as error:
        detail = f"{error.reason}: {error.detail}"[:500]
        return replace(none, error=detail, reason=error.reason, status=error.status, retry_after=error.retry_after)
    seen = Validators(etag=page.headers.get("etag"), last_modified=page.headers.get("last-modified"), body_hash=digest)
    return replace(said, entries=tuple(entries), refused=tuple(refused), validators=seen, wishes=wishes(page.body))

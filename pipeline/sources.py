"""What a backfill is given, as portions of entries: sitemaps, lists of URLs, OPML files of feeds, WARC files.

Each portion is complete in itself and small enough to be held; a source that cannot be read is a portion with an error.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from pipeline.dates import read_date
from pipeline.errors import ItemError, Rejected
from pipeline.feed_bytes import MAX_UNPACKED, unpacked
from pipeline.feed_formats import Item, read_sitemap
from pipeline.http import open_client
from pipeline.opml import read_opml
from pipeline.pace import Pace
from pipeline.poll import entries_of
from pipeline.records import Entry, Feed, Page, Rejection, Validators, stable_id
from pipeline.session import Session
from pipeline.settings import Settings
from pipeline.urls import MAX_URL, normalise_url
from pipeline.warc.read import Capture, captures

PORTION = 1_000  # entries
MAX_SITEMAPS = 50_000  # of one source, over all indexes
HELD = 32_000_000  # bytes of pages in one portion of a WARC file
FEEDS_A_POLL = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Entries of one source. `left_out` counts what is no item of it by reason; `captures` are pages, one an entry."""

    source: str
    entries: Sequence[Entry] = ()
    refused: Sequence[tuple[Entry, Rejection]] = ()
    captures: Sequence[Capture] = ()
    left_out: Counter[str] = field(default_factory=Counter)
    position: int = 0  # bytes of a file that were read
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days that are wanted, both inclusive; what has no date is within."""

    since: date | None = None
    until: date | None = None

    def holds(self, when: datetime | None) -> bool:
        """Whether a time lies within, by its day in UTC."""
        if when is None:
            return True
        day = when.astimezone(UTC).date()
        return (self.since or day) <= day <= (self.until or day)


def sitemap_portions(settings: Settings, pace: Pace, address: str, window: Window) -> Iterator[Portion]:
    """Read a sitemap, or an index and all sitemaps below it that may hold pages of the window, one request at a time."""
    larger = settings.model_copy(update={"max_body": max(settings.max_body, MAX_UNPACKED)})
    waiting, seen = [address], {address}
    while waiting:
        url = waiting.pop()
        try:
            kind, items = _sitemap(larger, pace, url)
        except ItemError as error:
            yield Portion(source=url, error=str(error)[:500])
            continue
        if kind == "sitemapindex":
            new = [child for child in _children(items, url, window) if child not in seen][: MAX_SITEMAPS - len(seen)]
            seen.update(new)
            waiting += reversed(list(dict.fromkeys(new)))
            continue
        for start in range(0, len(items), PORTION):
            entries, refused = entries_of(items[start : start + PORTION], "", url, datetime.now(UTC))
            yield _within(Portion(source=url, entries=entries, refused=refused), window)


def _sitemap(settings: Settings, pace: Pace, url: str) -> tuple[str, list[Item]]:
    async def ask() -> Page:
        async with open_client(settings, pace) as client:
            return await client.get(url)

    kind, items = read_sitemap(unpacked(asyncio.run(ask()).body).lstrip())
    if kind not in ("urlset", "sitemapindex"):
        raise Rejected("no_sitemap", f"its root is {kind[:40] or 'no element'}")
    return kind, items


def _children(items: Sequence[Item], base: str, window: Window) -> Iterator[str]:
    """Return the sitemaps of an index; one that was last changed before the window holds no page of it."""
    for item in items:
        changed = read_date(item.get("updated", "")).when
        if window.since is None or changed is None or changed.date() >= window.since:
            try:
                yield normalise_url(str(item["link"]), base)
            except ValueError:
                continue


def _within(portion: Portion, window: Window) -> Portion:
    held = [entry for entry in portion.entries if window.holds(entry.published_at)]
    left_out = portion.left_out + Counter({"outside_days": len(portion.entries) - len(held)})
    return replace(portion, entries=held, left_out=left_out)


def list_portions(path: Path) -> Iterator[Portion]:
    """Read a file of addresses, one a line; blank lines and what follows # in a line of its own are left out."""
    with path.open("rb") as stream:
        lines = iter(lambda: stream.readline(4 * MAX_URL), b"")  # a longer line is no address, and no memory
        texts = (line.decode("utf-8", "replace").strip().lstrip("\ufeff") for line in lines)
        items = ({"link": text, "title": text} for text in texts if text and not text.startswith("#"))
        while some := list(islice(items, PORTION)):
            entries, refused = entries_of(some, "", "", datetime.now(UTC))
            untitled = [replace(entry, title="") for entry in entries]
            yield Portion(source=str(path), entries=untitled, refused=refused, position=stream.tell())


def opml_portions(session: Session, path: Path) -> Iterator[Portion]:
    """Poll each feed of an OPML file once, a portion a feed."""
    feeds = [
        Feed(feed_id=o.url, url=o.url, outlet="", country="", bloc="", language="", ownership="", kind="")
        for o in read_opml(path)
    ]
    for start in range(0, len(feeds), FEEDS_A_POLL):
        asked = feeds[start : start + FEEDS_A_POLL]
        for feed, poll in zip(asked, session.poll([(f, Validators()) for f in asked]), strict=True):
            yield Portion(source=feed.url, entries=poll.entries, refused=poll.refused, error=poll.error)


def warc_portions(path: Path, window: Window, size: int, most: int) -> Iterator[Portion]:
    """Read a WARC file in portions of at most `size` pages and HELD bytes; pages of more than `most` bytes are left out."""
    portion = _empty(path)
    held: list[Capture] = []
    for found in captures(path, most):
        why = found.refused or (None if window.holds(found.captured_at) else "outside_days")
        if why:
            portion.left_out[why] += 1
        else:
            held.append(found)
        if len(held) >= size or sum(len(each.body) for each in held) > HELD:
            yield _of_captures(portion, held)
            portion, held = _empty(path), []
    yield _of_captures(portion, held)


def _empty(path: Path) -> Portion:
    return Portion(source=str(path))


def _of_captures(portion: Portion, held: Sequence[Capture]) -> Portion:
    entries, usable = [], []
    for position, capture in enumerate(held):
        try:
            url = normalise_url(capture.url)
        except ValueError:
            portion.left_out["no_link"] += 1
            continue
        entries.append(
            Entry(
                entry_id=stable_id(url),
                feed_id="",
                url=url,
                title="",
                published_at=None,
                date_doubt="missing",
                position=position,
            )
        )
        usable.append(capture)
    return replace(portion, entries=entries, captures=usable, position=held[-1].position if held else 0)

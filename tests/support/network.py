"""One session for one question: what the tests of the network ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import ItemError
from pipeline.poll import Poll
from pipeline.records import Feed, Page, Validators
from pipeline.session import open_session
from pipeline.settings import Settings


def poll_feeds(settings: Settings, feeds: Sequence[tuple[Feed, Validators]]) -> list[Poll]:
    with open_session(settings) as session:
        return session.poll(feeds)


def fetch_pages(settings: Settings, urls: Sequence[str], kept: Path | None = None) -> list[Page | ItemError]:
    with open_session(settings, kept=kept) as session:
        return session.fetch(urls)


def reasons(found: Sequence[Page | ItemError]) -> list[str]:
    """Return what became of each page in a word."""
    return [one.reason if isinstance(one, ItemError) else "page" for one in found]


def feed_at(url: str, feed_id: str = "f") -> Feed:
    return Feed(
        feed_id=feed_id,
        url=url,
        outlet="H",
        country="KE",
        bloc="global_south",
        language="en",
        ownership="private",
        kind="news",
    )

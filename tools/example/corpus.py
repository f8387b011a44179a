"""The corpus of the example: outlets and articles of the demo and of this folder in, feeds and items out, the same always.

Nothing is fetched: an item has its text. Each outlet also writes a short text a day about something else, so that there is
an output by which a share can be measured; and a few items go wrong, as items do.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.demo_pages import load_articles, load_outlets
from pipeline.records import Document, Entry, Feed, stable_id

HERE = Path(__file__).parent
FIRST_DAY = datetime(2025, 7, 1, tzinfo=UTC)
DAYS = 41  # up to 10 August 2025
FEED_LENGTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article as its outlet published it. `fate`: why there is no document of it; `coded`: stances that a person saw."""

    outlet: str
    slug: str
    lang: str
    published: datetime
    title: str
    author: str
    text: str
    fate: str | None = None
    coded: dict[str, str] | None = None

    @property
    def url(self) -> str:
        """Where it was."""
        return f"https://{self.outlet}.example/{self.published:%Y/%m}/{self.slug}.html"

    @property
    def entry_id(self) -> str:
        """The key of the feed's entry."""
        return stable_id(self.url)

    def entry(self, feed_id: str, position: int) -> Entry:
        """What the feed says of it."""
        return Entry(
            entry_id=self.entry_id, feed_id=feed_id, url=self.url, title=self.title, published_at=self.published,
            date_doubt=None, position=position,
        )  # fmt: skip

    def document(self) -> Document:
        """What was extracted from its page."""
        return Document(
            url=self.url, canonical_url=self.url, title=self.title, authors=(self.author,) if self.author else (),
            published_at=self.published.isoformat(), date_source="jsonld", lang=self.lang, text=self.text,
        )  # fmt: skip


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def load_feeds() -> list[Feed]:
    """Return a feed for each outlet, those of the demo first."""
    known = [(o.id, o.name, o.country, o.bloc, o.lang, o.ownership, o.kind) for o in load_outlets()]
    own = _read("outlets.toml")["outlet"]
    known += [(o["id"], o["name"], o["country"], o["bloc"], "en", "private", "news") for o in own]
    return [
        Feed(
            feed_id=name, url=f"https://{name}.example/feed.xml", outlet=outlet, country=country, bloc=bloc,
            language=lang, ownership=owner, kind=kind,
        )
        for name, outlet, country, bloc, lang, owner, kind in known
    ]  # fmt: skip


def load_items() -> list[Item]:
    """Return every item in the order of publication."""
    items = [*_of_demo(), *_of_example(), *_fillers(load_feeds()), *_oddities()]
    return sorted(items, key=lambda item: (item.published, item.entry_id))


def _of_demo() -> Iterator[Item]:
    for group in load_articles().values():
        for a in group:
            yield Item(
                outlet=a.outlet, slug=a.slug, lang=a.lang, published=a.published.astimezone(UTC), title=a.title,
                author=a.author, text="\n".join(a.body),
            )  # fmt: skip


def _of_example() -> Iterator[Item]:
    for table in _read("articles.toml")["article"]:
        text = " ".join(table.pop("body").split())
        yield Item(**table, lang="en", author="", text=text)


def _fillers(feeds: list[Feed]) -> Iterator[Item]:
    """Yield a text a day and outlet; of those of one week no two share more than a sentence."""
    words = _read("fillers.toml")
    for day in range(DAYS):
        for place, feed in enumerate(feeds):
            said, number = words[feed.language], day * len(feeds) + place
            first, second, third = (said[part][number % len(said[part])] for part in ("first", "second", "third"))
            when = FIRST_DAY + timedelta(days=day, hours=12, minutes=place)
            joint = "" if feed.language.startswith("zh") else " "
            yield Item(
                outlet=feed.feed_id, slug=f"local-{day + 1}", lang=feed.language, published=when,
                title=first.rstrip(".。"), author="", text=joint.join((first, second, third)),
            )  # fmt: skip


def _oddities() -> Iterator[Item]:
    """Yield the items that become no document."""
    for table in _read("articles.toml")["odd"]:
        yield Item(**table, lang="en", author="", text="")

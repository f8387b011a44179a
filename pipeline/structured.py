"""Structured data of a page: JSON-LD and meta tags in; title, date, authors and canonical link out.

Publishers write these for search engines and keep them right, so they come before anything guessed from the layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from itertools import islice
from typing import Any

from lxml.html import HtmlElement

from pipeline.bylines import names_in
from pipeline.headline import headline, plain

ARTICLE = re.compile(r"(Article|BlogPosting|Report|Posting|Blog)$")
MAX_ITEMS = 500
_OFFSET = re.compile(r"(\d) ([+-]\d\d:?\d\d)$")
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"\n|</p>|<br\s*/?>|</h\d>|</li>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """What the page says of itself; None or empty where it says nothing."""

    title: str | None = None
    published_at: str | None = None
    date_source: str | None = None
    authors: tuple[str, ...] = ()
    canonical: str | None = None
    lang: str | None = None
    kinds: frozenset[str] = frozenset()  # the @type of each JSON-LD item
    sites: tuple[str, ...] = ()  # names of the site
    lead: str = ""  # the description
    body: str = ""  # articleBody, as plain text
    free: bool | None = None  # isAccessibleForFree
    og_type: str = ""

    @property
    def is_article(self) -> bool:
        """Whether the page calls itself an article."""
        return self.og_type == "article" or any(map(ARTICLE.search, self.kinds))


def read_structured(tree: HtmlElement) -> Structured:
    """Read the JSON-LD, the meta tags and the headings of a parsed page."""
    items, metas = _items(tree), Metas(tree)
    article = next((item for item in items if ARTICLE.search(_kind(item))), {})
    dated, source = _first_date(article, metas)
    canonical = tree.xpath("string(//link[@rel='canonical'][1]/@href)").strip()
    sites = _sites(article, metas)
    headings = [heading.text_content() for heading in islice(tree.iter("h1"), 5)]
    window = tree.xpath("string(//head/title[1])")
    return Structured(
        title=headline(_text(article.get("headline")), metas.first("og:title"), window, headings, sites) or None,
        published_at=dated,
        date_source=source,
        authors=_authors(article.get("author"), items) or _meta_authors(metas, sites),
        canonical=canonical or metas.first("og:url") or None,
        lang=(tree.get("lang") or "").strip() or None,
        kinds=frozenset(map(_kind, items)),
        sites=sites,
        lead=plain(metas.first("og:description", "description")),
        body=_body(article.get("articleBody")),
        free=_free(article.get("isAccessibleForFree")),
        og_type=metas.first("og:type").lower(),
    )


class Metas(dict[str, str]):
    """The first content of each meta tag of a page by property, name or itemprop, in lower case."""

    def __init__(self, tree: HtmlElement) -> None:
        super().__init__()
        for tag in tree.iter("meta"):
            content = (tag.get("content") or "").strip()
            for kind in ("property", "name", "itemprop") if content else ():
                if name := tag.get(kind):
                    self.setdefault(name.strip().lower(), content)

    def first(self, *names: str) -> str:
        """Return the content of the first name that there is."""
        return next((self[name] for name in names if name in self), "")


def _items(tree: HtmlElement) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:20]:
        try:
            data = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        found += islice(_flat(data, 0), MAX_ITEMS)
    return found


def _kind(item: dict[str, Any]) -> str:
    return str(_first(item.get("@type")) or "")


def _sites(article: dict[str, Any], metas: Metas) -> tuple[str, ...]:
    publisher = _first(article.get("publisher"))
    named = _text(publisher.get("name")) if isinstance(publisher, dict) else ""
    return tuple(filter(None, map(plain, (named, metas.first("og:site_name"), metas.first("application-name")))))


def _body(value: Any) -> str:
    """Return an articleBody as lines of plain text; many are HTML, some of it escaped."""
    text = unescape(value if isinstance(value, str) else "")
    return "\n".join(filter(None, (" ".join(unescape(_TAG.sub(" ", line)).split()) for line in _BREAK.split(text))))


def _free(value: Any) -> bool | None:
    said = str(value).lower()
    return said == "true" if said in ("true", "false") else None


def _flat(data: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > 4:
        return
    if isinstance(data, list):
        for item in data:
            yield from _flat(item, depth + 1)
    elif isinstance(data, dict):
        yield data
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _flat(data.get(key), depth + 1)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _text(value: Any) -> str:
    value = _first(value)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _authors(value: Any, items: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of the authors; some are references to an item elsewhere on the page."""
    people = (value if isinstance(value, list) else [value])[:20]
    by_id = {item["@id"]: item for item in items if isinstance(item.get("@id"), str)}
    named = [p if not isinstance(p, dict) or "name" in p else by_id.get(str(p.get("@id")), {}) for p in people]
    return names_in(_text(p.get("name")) if isinstance(p, dict) else _text(p) for p in named)


def _meta_authors(metas: Metas, sites: tuple[str, ...]) -> tuple[str, ...]:
    return names_in((metas.first("author", "article:author", "parsely-author", "dc.creator"),), sites)


def _first_date(article: dict[str, Any], metas: Metas) -> tuple[str | None, str | None]:
    names = (
        "article:published_time",
        "datepublished",
        "date",
        "dc.date",
        "dc.date.issued",
        "pubdate",
        "parsely-pub-date",
    )
    for value, source in ((_text(article.get("datePublished")), "jsonld"), (metas.first(*names), "meta")):
        if iso := iso_date(value):
            return iso, source
    return None, None


def iso_date(value: str) -> str | None:
    """Return the date as ISO 8601 with its own offset, or None where it is not plainly one.

    Midnight to the second is how a day is written where a time is asked for, so it becomes the day alone.
    """
    try:
        when = datetime.fromisoformat(_OFFSET.sub(r"\1\2", value.strip()))
    except ValueError:
        return None
    bare = len(value.strip()) <= 10 or when.time().isoformat() == "00:00:00"
    return when.date().isoformat() if bare else when.isoformat()

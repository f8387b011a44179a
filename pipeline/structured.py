"""Structured data of a page: JSON-LD and meta tags in; title, date, authors and canonical link out.

Publishers write these for search engines and keep them right, so they come before anything guessed from the layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml.html import HtmlElement

ARTICLE = re.compile(r"(Article|BlogPosting|Report|Posting|Blog)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """What the page says of itself; None or empty where it says nothing."""

    title: str | None = None
    published_at: str | None = None
    date_source: str | None = None
    authors: tuple[str, ...] = ()
    canonical: str | None = None
    lang: str | None = None


def read_structured(tree: HtmlElement) -> Structured:
    """Read the JSON-LD and the meta tags of a parsed page."""
    article = next(_articles(tree), {})
    dated, source = _first_date(article, tree)
    canonical = tree.xpath("string(//link[@rel='canonical'][1]/@href)").strip()
    og = meta(tree, "og:title")
    return Structured(
        title=_text(article.get("headline")) or og or None,
        published_at=dated,
        date_source=source,
        authors=_authors(article.get("author")) or _meta_authors(tree),
        canonical=canonical or meta(tree, "og:url") or None,
        lang=(tree.get("lang") or "").strip() or None,
    )


def meta(tree: HtmlElement, *names: str) -> str:
    """Return the content of the first meta tag with one of the names."""
    for name in names:
        found = tree.xpath("//meta[@property=$name or @name=$name or @itemprop=$name]/@content", name=name)
        if found and found[0].strip():
            return str(found[0]).strip()
    return ""


def _articles(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:20]:
        try:
            data = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        yield from (item for item in _flat(data, 0) if ARTICLE.search(str(_first(item.get("@type")) or "")))


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


def _authors(value: Any) -> tuple[str, ...]:
    people = value if isinstance(value, list) else [value]
    names = [_text(p.get("name")) if isinstance(p, dict) else _text(p) for p in people[:20]]
    return tuple(dict.fromkeys(name for name in names if name and not name.startswith("http")))


def _meta_authors(tree: HtmlElement) -> tuple[str, ...]:
    named = [name for name in (meta(tree, "author"),) if name and not name.startswith(("http", "@"))]
    return tuple(named)


def _first_date(article: dict[str, Any], tree: HtmlElement) -> tuple[str | None, str | None]:
    names = (
        "article:published_time",
        "datePublished",
        "date",
        "dc.date",
        "DC.date.issued",
        "pubdate",
        "parsely-pub-date",
    )
    for value, source in ((_text(article.get("datePublished")), "jsonld"), (meta(tree, *names), "meta")):
        if iso := iso_date(value):
            return iso, source
    return None, None


def iso_date(value: str) -> str | None:
    """Return the date as ISO 8601 with its own offset, or None where it is not plainly one."""
    try:
        return (
            datetime.fromisoformat(value).isoformat()
            if len(value) > 10
            else datetime.fromisoformat(value).date().isoformat()
        )
    except ValueError:
        return None

"""Feeds that feedparser does not know: the bytes of a JSON Feed or of a sitemap in, items in feedparser's words out.

JSON Feed 1.0 and 1.1 (https://jsonfeed.org/version/1.1); sitemaps with or without news
(https://www.sitemaps.org/protocol.html, https://www.google.com/schemas/sitemap-news/0.9). An item holds `link`, `title`,
`id`, `published` and `updated` as text, as far as the feed says them, so that what comes after treats all formats
alike. A sitemap is read as a stream and no tree of it is kept.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from heapq import nlargest
from typing import Any

from lxml import etree

from pipeline.dates import read_date
from pipeline.errors import Rejected

Item = dict[str, Any]

MAX_URLS = 50_000  # what the protocol allows one sitemap
MAX_EVENTS = 1_000_000  # elements and pieces of text: twice what 50,000 pages with dates need
MAX_DEPTH = 50  # a news sitemap needs 5; libxml2 counts depth only where it builds a tree
MAX_BRACKETS = 500_000  # opening ones, in strings too: json.loads holds the interpreter until it has made every object
MAX_MENDED = 100_000  # ampersands
MAX_DIGITS = 40  # no number of a feed is longer; Python refuses or takes long over huge ones
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
CHUNK = 16_384  # bytes
JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/1(\.[0-9]+)?/?")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # JSON can say what UTF-8 and the warehouse cannot
BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
SITEMAP_TEXTS = {
    ("urlset", "url", "loc"): "link",
    ("urlset", "url", "lastmod"): "updated",
    ("urlset", "url", "news", "title"): "title",
    ("urlset", "url", "news", "publication_date"): "published",
    ("sitemapindex", "sitemap", "loc"): "link",
    ("sitemapindex", "sitemap", "lastmod"): "updated",
}
ROWS = {"urlset": "url", "sitemapindex": "sitemap"}


def read_items(body: bytes, most: int) -> list[Item] | None:
    """Return at most `most` items, or None where the body is neither format and feedparser may try.

    Raises Rejected where it is JSON or a sitemap, and no feed. Of a longer JSON Feed the first items are returned,
    of a longer sitemap the newest, in its own order: many begin with the oldest page of the site.
    """
    body = body.lstrip()  # feedparser, too, lets an XML declaration stand below blank lines
    head = body[:CHUNK].decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n")
    return _json_items(body, most) if head.startswith("{") else _sitemap_items(body, most)


def _json_items(body: bytes, most: int) -> list[Item]:
    if body.count(b"{") + body.count(b"[") > MAX_BRACKETS:
        raise Rejected("not_a_feed", f"JSON of more than {MAX_BRACKETS} objects and lists")
    try:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff")
        data = json.loads(text, strict=False, parse_int=_number)
    except RecursionError as error:
        raise Rejected("not_a_feed", "JSON that is nested too deeply") from error
    except ValueError as error:
        raise Rejected("not_a_feed", f"JSON that cannot be read: {error}"[:200]) from error
    version, listed = data.get("version"), data.get("items")
    if not isinstance(version, str) or not JSON_FEED.fullmatch(version):
        raise Rejected("not_a_feed", "JSON, but no JSON Feed 1: its version does not say so")
    if not isinstance(listed, list):
        raise Rejected("not_a_feed", "a JSON Feed without a list of items")
    return [_json_item(item if isinstance(item, dict) else {}) for item in listed[:most]]


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _json_item(said: Item) -> Item:
    identity = _text(said.get("id"))
    named = [
        said.get("url"),
        said.get("external_url"),
        identity if identity.startswith(("http://", "https://")) else "",
    ]
    link = next((text for value in named if isinstance(value, str) and (text := _text(value))), "")
    item = {"link": link, "id": identity, "title": _text(said.get("title"))}
    return item | _dated("published", said.get("date_published")) | _dated("updated", said.get("date_modified"))


def _text(value: Any) -> str:
    """Return a string or a whole number as text that can be stored; what has another type says nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return UNSTORABLE.sub("\ufffd", value).strip() if isinstance(value, str) else ""


def _dated(name: str, value: Any) -> Item:
    text = _text(value)
    return {name: text} if text else {}


def _sitemap_items(body: bytes, most: int) -> list[Item] | None:
    kind, items = read_sitemap(body)
    if kind == "sitemapindex":
        raise Rejected("not_a_feed", "a sitemap index: it lists sitemaps, not articles; name one of these as the feed")
    if kind != "urlset":
        return None
    newest = nlargest(most, range(len(items)), key=lambda place: _newness(items[place]))
    return [items[place] for place in sorted(newest)]


def read_sitemap(body: bytes) -> tuple[str, list[Item]]:
    """Return `urlset` or `sitemapindex` with its pages or sitemaps; another kind has none. Raises Rejected if broken."""
    sitemap = _Sitemap()
    broken = sitemap.read(body, recover=False)
    if sitemap.kind not in ROWS:
        return sitemap.kind, []
    if sitemap.doctype_name:
        raise Rejected("not_a_feed", "a sitemap with a document type, which could define entities")
    if broken and not sitemap.finished and body.count(b"&") <= MAX_MENDED:
        mended = _Sitemap()  # the parser's own recovery drops a bare ampersand and what follows: another address
        mended.read(BARE_AMPERSAND.sub(b"&amp;", body), recover=True)
        sitemap = max(sitemap, mended, key=lambda one: len(one.items))
    if broken and not sitemap.items:
        raise Rejected("not_a_feed", f"a sitemap that cannot be read: {broken}"[:200])
    return sitemap.kind, [_sitemap_item(said) for said in sitemap.items]


def _sitemap_item(said: dict[str, str]) -> Item:
    item = {"link": _text(said.get("link")), "title": _text(said.get("title"))}
    return item | _dated("published", said.get("published")) | _dated("updated", said.get("updated"))


def _newness(item: Item) -> datetime:
    return read_date(item.get("published") or item.get("updated") or "").when or BEFORE_ALL


class _Sitemap:
    """A parser target of lxml: keeps the texts of every complete `url` element, and no tree."""

    def __init__(self) -> None:
        self.root = self.doctype_name = ""
        self.items: list[dict[str, str]] = []
        self._path: list[str] = []
        self._item: dict[str, str] = {}
        self._said: list[str] = []
        self._events = 0

    @property
    def kind(self) -> str:
        """The name of the root, or of the document type where entities kept the parser from the root."""
        return self.root or self.doctype_name

    @property
    def beyond(self) -> str:
        """The bound that was passed, or an empty string."""
        if len(self._path) > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH}"
        return f"more than {MAX_EVENTS} elements and texts" if self._events > MAX_EVENTS else ""

    @property
    def finished(self) -> bool:
        """Whether nothing more is wanted: no sitemap, a document type, full, or beyond a bound."""
        other = bool(self.doctype_name) or self.root not in ("", *ROWS)
        return other or len(self.items) >= MAX_URLS or bool(self.beyond)

    def read(self, body: bytes, *, recover: bool) -> str:
        """Parse until it is finished, broken or at its end. Returns what is broken, or an empty string."""
        parser = etree.XMLParser(
            target=self, recover=recover, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
        )
        try:
            for start in range(0, len(body), CHUNK):
                parser.feed(body[start : start + CHUNK])
                if self.finished:
                    return self.beyond
            parser.close()
        except etree.XMLSyntaxError as error:
            return str(error) or "no XML"
        return ""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        """Note a document type; that lxml finds this method also keeps it from defining entities."""
        self.doctype_name = name.rpartition(":")[2]

    def start(self, tag: str, _attributes: object) -> None:
        """Go down; elements are known by their names without namespace, which sitemaps write in many ways."""
        self._events += 1
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._path.append(name)
        if len(self._path) == 2:
            self._item = {}
        self._said.clear()

    def data(self, text: str) -> None:
        """Keep text until an element begins or ends."""
        self._events += 1
        self._said.append(text)

    def end(self, _tag: str) -> None:
        """Go up; the first text of a kind counts."""
        path = tuple(self._path[:5])
        if path in SITEMAP_TEXTS:
            self._item.setdefault(SITEMAP_TEXTS[path], "".join(self._said))
        if len(path) == 2 and path[1] == ROWS.get(path[0]) and len(self.items) < MAX_URLS:
            self.items.append(self._item)
        self._path.pop()
        self._said.clear()

    def close(self) -> None:
        """Nothing is left to do at the end."""

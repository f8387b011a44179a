"""Bounds of what feedparser is given: the bytes of a feed in, UTF-8 that it reads in bounded time and memory out.

feedparser is Python with regular expressions, and one of these that backtracks holds the interpreter, so that every
other host waits and no thread can end it. Therefore nothing reaches it that its own searches could be led astray by:
the charset is settled before (`feed_bytes`), the XML declaration stands on a line of its own (its search for `encoding=` is cubic in the
length of the first line), no document type defines anything, and two of its methods are replaced (6.0.14, 2026-11).
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

import feedparser

from pipeline.errors import Rejected

HEAD = 8_192  # bytes before the root; feedparser looks for a document type in quadratic time
MAX_TAGS = 400_000  # the longest of 140 real feeds has 87,000
MAX_MALFORMED = 3_000_000  # bytes: the lenient parser takes up to seven seconds a megabyte
MAX_ATTRIBUTES = 500  # of one tag; the lenient parser is quadratic in them, and real feeds have up to 49
MAX_NAMESPACES = 100  # each is looked at for every element
MAX_BASE = 300  # characters of an xml:base, which every link of the feed can carry
MAX_RELATIVE_BASES = 500  # characters of all of them that are relative: nested, they add up
NEW_DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"
DEFINITION = re.compile(rb"<!(?:ATTLIST|ENTITY(?!\s+%\s+\S+\s+(?:PUBLIC|SYSTEM)\b))")
TAG = re.compile(rb"<[^<>]{1000,}")
NAMESPACE = re.compile(rb"xmlns:([^\s=]{0,100})")
BASE = re.compile(rb"\bbase\s*=\s*(\"[^\"]*|'[^']*|[^\s>]*)")


def bounded_feed(body: bytes) -> bytes:
    """Return the feed as UTF-8 with a declaration of its own. Raises Rejected where it is beyond a bound."""
    feed = NEW_DECLARATION + body
    if feed.count(b"<") > MAX_TAGS:
        raise _beyond(f"more than {MAX_TAGS} tags")
    if any(tag.group().count(b"=") > MAX_ATTRIBUTES for tag in TAG.finditer(feed)):
        raise _beyond(f"a tag with more than {MAX_ATTRIBUTES} attributes")
    if len(set(NAMESPACE.findall(feed))) > MAX_NAMESPACES:
        raise _beyond(f"more than {MAX_NAMESPACES} namespaces")
    bases = [base.lstrip(b"\"'") for base in BASE.findall(feed)]
    relative = sum(len(base) for base in bases if not base.startswith((b"http://", b"https://")))
    if relative > MAX_RELATIVE_BASES or any(len(base) > MAX_BASE for base in bases):
        raise _beyond("an xml:base that is too long")
    _check_structure(feed)
    return feed


def _beyond(why: str) -> Rejected:
    return Rejected("not_a_feed", f"beyond what is read of a feed: {why}")


def _check_structure(feed: bytes) -> None:
    """Raise Rejected for definitions, for a root that comes late, and for what is long and not well-formed."""
    parser, roots = expat.ParserCreate(), list[int]()

    def root(_name: str, _attributes: object) -> None:
        roots.append(parser.CurrentByteIndex)
        parser.StartElementHandler = None

    def entity(_name: str, _is_parameter: bool, value: str | None, *_: object) -> None:
        if value is not None:  # one that is elsewhere is never fetched
            raise _beyond("it defines entities")

    def attributes(*_: object) -> None:
        raise _beyond("it defines attributes")

    parser.StartElementHandler, parser.EntityDeclHandler, parser.AttlistDeclHandler = root, entity, attributes
    try:
        parser.Parse(feed, True)
        first = roots[0]
    except expat.ExpatError as error:
        if DEFINITION.search(feed):
            raise _beyond("it defines entities or attributes") from error
        if len(feed) > MAX_MALFORMED:
            raise _beyond(f"more than {MAX_MALFORMED} bytes that are not well-formed: {error}") from error
        found = re.search(rb"<\w", feed[:HEAD])
        first = found.start() if found else HEAD
    if first >= HEAD:
        raise Rejected("not_a_feed", f"no element in the first {HEAD} bytes")


def _append_tag(self: Any, term: Any, scheme: Any, label: Any) -> None:
    """Keep a tag; feedparser compares it with all tags of the entry before."""
    tag = feedparser.FeedParserDict(term=term, scheme=scheme, label=label)
    self._get_context().setdefault("tags", []).append(tag)


def _no_author_detail(self: Any, key: str = "author") -> None:
    """Leave an author's name as it stands; feedparser looks for an address in it, in quadratic time."""


for _parser in (feedparser.api.StrictFeedParser, feedparser.api.LooseFeedParser):
    _parser._add_tag = _append_tag
    _parser._sync_author_detail = _no_author_detail

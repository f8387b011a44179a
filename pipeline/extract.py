"""Extraction: the bytes of a page in, a `Document` out. No state between pages, no network.

The text is trafilatura's without comments; title, date, authors and canonical link come from structured data first.
A page that is not an article is a Document too, with its text and a rejection beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import trafilatura
from htmldate import find_date
from lxml.etree import strip_elements
from trafilatura.metadata import extract_author, extract_title
from trafilatura.utils import load_html

from pipeline.article import article_text
from pipeline.bylines import names_in
from pipeline.headline import folded
from pipeline.kinds import verdict
from pipeline.language import language_of
from pipeline.page_bounds import beyond_bounds
from pipeline.records import Document, Rejection, stable_id
from pipeline.structured import Structured, read_structured
from pipeline.urls import normalise_url, same_owner

VERSION = f"2, trafilatura {trafilatura.__version__}"  # the number counts our own rules: another one, another text
MAX_DEPTH = 400  # nested deeper than any article; lxml and trafilatura recurse
MAX_TEXT = 1_000_000
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """What the layout suggests where the page says nothing of itself."""

    title: str = ""
    authors: tuple[str, ...] = ()
    date: str | None = None


def extract(body: bytes, url: str, published_at: str | None = None) -> Document:
    """Extract the article of a page. `published_at` is the feed's date, used where the page has none.

    Raises ValueError where `url` is no web address; whatever is wrong with the page is a rejection.
    """
    base = normalise_url(url)
    try:
        return _extract(body, base, published_at)
    except MemoryError:
        return refused(base, "too_much_memory", "the page needs more memory than an extractor may take")
    except Exception as error:  # whatever a parser does over hostile bytes, one page must not end a pass
        detail = f"{type(error).__name__}: {error}"[:200]
        return refused(base, "extractor_failed", detail)


def document_id_of(body: bytes, url: str) -> str:
    """Return which document a page becomes, without extracting it. Raises ValueError where `url` is no web address."""
    base = normalise_url(url)
    try:
        tree = None if beyond_bounds(body) else load_html(body)
        said = None if tree is None or _too_deep(tree) else read_structured(tree).canonical
    except Exception:  # the page could not be read when it was fetched either
        said = None
    return stable_id(_canonical(base, said))


def refused(base: str, reason: str, detail: str) -> Document:
    """Return the document of a page that has nothing but a reason why it is none."""
    why = Rejection(stage="extract", reason=reason, detail=detail)
    return _document(base, base, Structured(), Guesses(), "", None, why)


def _extract(body: bytes, base: str, published_at: str | None) -> Document:
    if beyond := beyond_bounds(body):
        return refused(base, "too_large", beyond)
    tree = load_html(body)
    if tree is None:
        return refused(base, "not_html", "no HTML that a parser can read")
    if _too_deep(tree):
        return refused(base, "too_deep", f"elements nested more than {MAX_DEPTH} deep")
    said = read_structured(tree)
    dated = (said.published_at and _plausible(said.published_at)) or published_at
    date = None if dated else find_date(tree, url=base, original_date=True, extensive_search=True)
    strip_elements(tree, "script", "style", "svg", "template", with_tail=False)  # read, and dear to copy
    found = _guesses(tree, said, date)
    text = _clean(article_text(tree, base, said))
    canonical = _canonical(base, said.canonical)
    return _document(base, canonical, said, found, text, published_at, verdict(tree, base, said, text))


def _guesses(tree: Any, said: Structured, date: str | None) -> Guesses:
    """Guess from the layout what the page does not say; a page whose only author is its site has not said who wrote."""
    sites = set(map(folded, said.sites))
    author = (extract_author(tree) or "") if all(folded(name) in sites for name in said.authors) else ""
    title = "" if said.title else extract_title(tree) or ""
    return Guesses(title=title, authors=names_in((author,), said.sites), date=date)


def _too_deep(tree: Any) -> bool:
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return True
        level = [child for node in level for child in node]
    return False


def _document(
    url: str,
    canonical: str,
    said: Structured,
    found: Guesses,
    text: str,
    feed_date: str | None,
    rejection: Rejection | None,
) -> Document:
    published, source = said.published_at, said.date_source
    if published and not _plausible(published):
        published, source = None, None
    if published is None and feed_date:
        published, source = feed_date, "feed"
    if published is None and found.date and _plausible(found.date):
        published, source = found.date, "htmldate"
    return Document(
        url=url,
        canonical_url=canonical,
        title=_clean(said.title or found.title)[:500],
        authors=tuple(filter(None, map(_clean, found.authors or said.authors))),
        published_at=published,
        date_source=source,
        lang=language_of(text),
        text=text,
        rejection=rejection,
    )


def _clean(text: str) -> str:
    """Drop what no store or reader wants: NUL, other control characters and lone surrogates; cap the length."""
    return _UNWANTED.sub("", text[:MAX_TEXT]).strip()


def _canonical(base: str, said: str | None) -> str:
    try:
        canonical = normalise_url(said, base) if said else base
    except ValueError:
        return base
    return canonical if same_owner(base, canonical) and not _is_front(canonical, base) else base


def _is_front(canonical: str, base: str) -> bool:
    """A site that names its front page as canonical of every article would melt them into one document."""
    return canonical.split("://", 1)[1].rstrip("/").count("/") == 0 and base.rstrip("/") != canonical.rstrip("/")


def _plausible(date: str) -> bool:
    try:
        when = datetime.fromisoformat(date)
    except ValueError:
        return False
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return datetime(1995, 1, 1, tzinfo=UTC) < when < datetime.now(UTC) + timedelta(days=2)

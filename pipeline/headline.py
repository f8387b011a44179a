"""The title of an article: what a page says in several places in, one headline out.

A JSON-LD headline is the editors' own. Titles for sharing and for the window bear site names and sections, which are
cut off only where the page itself proves them: by the name that it gives its site, or by the heading that readers see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import unescape

SEPARATOR = re.compile(r"\s+[-\u2013\u2014|:\u2022\u00b7\u00bb]+\s+|\s*[|\u2502]\s*|:\s+|-(?=[\u4e00-\u9fff])|_")
_OTHER = re.compile(r"[\W_]+")
LONGEST = 2_000  # characters that are looked at: a title of separators alone takes time by their square
LEAST = 8  # letters of a heading that may cut a title: a shorter one may be a section's name


def headline(said: str, shared: str, window: str, headings: Iterable[str], sites: Iterable[str]) -> str:
    """Choose the title.

    said: JSON-LD headline. shared: og:title. window: the title element. headings: every h1. sites: names of the site.
    """
    said, shared, window = (text[:LONGEST] for text in (said, shared, window))
    names = {folded(name) for name in sites if name} - {""}
    seen = [text for text in (plain(heading[:LONGEST]) for heading in headings) if text and folded(text) not in names]
    if title := plain(said):
        return _without_site(title, names)
    title = plain(shared) or plain(window)
    if not title and len(seen) == 1:
        return seen[0]
    title = _without_site(_as_headed(title, seen), names)
    return next((text for text in seen if folded(text) == folded(title) and not text.isupper()), title)


def plain(text: str) -> str:
    """Return the text without the entities that some pages escape twice, each run of white space as one space."""
    return " ".join(unescape(unescape(text)).split())


def folded(text: str) -> str:
    """Return the letters and digits alone, so that quotes, dashes and case do not tell two titles apart."""
    return _OTHER.sub("", unicodedata.normalize("NFKC", text).casefold())


def _as_headed(title: str, headings: Sequence[str]) -> str:
    """Return the heading that the title begins or ends with, or else the title."""
    whole = folded(title)
    for heading in headings:
        part = folded(heading)
        if len(part) >= LEAST and (whole.startswith(part) or whole.endswith(part)):
            return title if part == whole else heading
    return title


def _without_site(title: str, names: set[str]) -> str:
    for mark in SEPARATOR.finditer(title):
        before, after = title[: mark.start()], title[mark.end() :]
        if before and folded(after) in names:
            return before
        if after and folded(before) in names:
            return after
    return title

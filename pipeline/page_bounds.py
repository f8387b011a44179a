"""Bounds of what the HTML parser and the extractor are given: the bytes of a page in, what is beyond them out.

Both are bounded in time by the number of tags, not by the bytes: a megabyte of paragraphs without text costs more than
ten megabytes of prose. The bounds are several times what the longest of 633 real pages has (2026-11).
"""

from __future__ import annotations

MAX_TAGS = 100_000  # real pages: up to 20,000; at the bound extraction takes two to three seconds
MAX_WORDS = 20_000  # of one tag, which is attributes; real pages: up to 6,000. libxml2 is quadratic in them


def beyond_bounds(body: bytes) -> str:
    """Return which bound a page is beyond, or an empty string."""
    if body.count(b"<") > MAX_TAGS:
        return f"more than {MAX_TAGS} tags"
    for piece in body.split(b"<")[1:]:
        if len(piece) > MAX_WORDS and _words(piece) > MAX_WORDS:
            return f"a tag with more than {MAX_WORDS} attributes"
    return ""


def _words(piece: bytes) -> int:
    """Count what may be attributes: a quoted `>` ends no tag, and an attribute needs no value."""
    return max(piece.count(b"="), len(piece.partition(b">")[0].split()))

"""Names of authors: what a page writes where authors belong in, one name each out. Site names are no authors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.headline import folded, plain

MOST = 20
LONGEST = 80  # characters; what is longer is a sentence
_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af)\s+(?=\S+\s+\S)", re.IGNORECASE)
_BETWEEN = re.compile(
    r"\s*[;\n]\s*|,\s+(?:and|und|et|y)\s+|\s+(?:and|und|et)\s+(?=[A-Z\u00c0-\u00de])|\s*[|]\s*|\s*\u3001\s*"
)
_COMMA = re.compile(r",\s+")
_TITLES = re.compile(r"^(?:ph\.?\s?d|m\.?d|jr|sr|ii|iii|msc|ma|ba)\.?$", re.IGNORECASE)
_ADDRESS = re.compile(r"https?:|www\.|@|\.com\b", re.IGNORECASE)


def names_in(texts: Iterable[str], sites: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names in texts that hold one or several each, without the names of the site, in their order."""
    known = {folded(name) for name in sites if name}
    found = [_name(part) for text in texts for part in _parts(plain(text))]
    people = [name for name in found if name and folded(name) not in known]
    return tuple(dict.fromkeys(people))[:MOST]


def _parts(text: str) -> list[str]:
    """Part a list of names; a comma parts only where both sides look like whole names."""
    parts = []
    for part in _BETWEEN.split(text):
        pieces = _COMMA.split(part)
        whole = all(" " in piece.strip() for piece in pieces) and not any(map(_TITLES.match, pieces))
        parts += pieces if whole else [part]
    return parts


def _name(text: str) -> str:
    name = _BY.sub("", text.strip(" ,;:-\u2013|")).strip()
    return "" if len(name) > LONGEST or _ADDRESS.search(name) or not any(map(str.isalpha, name)) else name

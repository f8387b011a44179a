"""A cheap first stage: a document and the codebook's terms in, may it be relevant out. No model.

A document in which none of the terms occurs leaves before the model reads it. A term in capitals ("AI", "KI") counts in
capitals only and as a whole word; any other in any case, from the beginning of a word ("artificial intelligen"), and
anywhere in scripts that do not part words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# A letter of a script that parts words; Chinese, Japanese and Korean write a term beside the next word.
_LETTER = r"[^\W\d_\u2e80-\ud7ff\uf900-\uffff]"


def may_be_relevant(terms: Sequence[str], title: str, text: str) -> bool:
    """Return whether a term occurs in title or text; without terms every document passes."""
    return not terms or any(pattern.search(part) for pattern in _patterns(tuple(terms)) for part in (title, text))


@lru_cache(maxsize=8)
def _patterns(terms: tuple[str, ...]) -> list[re.Pattern[str]]:
    """Return one pattern for the terms in capitals and one for the others, of those that there are."""
    capitals = [re.escape(term) for term in terms if term.isupper()]
    others = [_begin(term) for term in terms if not term.isupper()]
    found = []
    if capitals:
        found.append(re.compile(rf"(?<!{_LETTER})(?:{'|'.join(capitals)})(?!{_LETTER})"))
    if others:
        found.append(re.compile("|".join(others), re.IGNORECASE))
    return found


def _begin(term: str) -> str:
    """Match a term from the beginning of a word, or anywhere where its script has no spaces."""
    spaced = term[0] < "\u2e80" or term[0] > "\ud7ff"
    return (rf"(?<!{_LETTER})" if spaced else "") + re.escape(term)

"""How near an extracted page is to its gold: two texts, titles, dates or lists of authors in, a number from 0 to 1 out.

Texts are compared as bags of shingles, four tokens each. A token is a run of letters, digits and marks, after NFKC and
in lower case; in scripts that write no spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) every character is a token,
so a shingle is four characters there. Korean parts its words and counts like English. A text of fewer than four tokens
is one shingle.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

SHINGLE = 4
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09bc-\u09cd"
TOKEN = re.compile(rf"[{UNSPACED}]|(?:[^\W_{UNSPACED}]|[{MARKS}])+")


def tokens(text: str) -> list[str]:
    """Return the tokens of a text."""
    return TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Return the bag of shingles of a text."""
    found = tokens(text)
    return (
        Counter(tuple(found[n : n + SHINGLE]) for n in range(max(1, len(found) - SHINGLE + 1))) if found else Counter()
    )


def shingle_f1(gold: str, found: str) -> float:
    """Return the F1 of the shingles found against those of the gold."""
    wanted, given = shingles(gold), shingles(found)
    both = (wanted & given).total()
    return 2 * both / (wanted.total() + given.total()) if both else 0.0


def plain(text: str) -> str:
    """Return the text with each run of white space as one space."""
    return " ".join(text.split())


def segments(found: str, wanted: Iterable[str], unwanted: Iterable[str]) -> tuple[int, int, int]:
    """Count the segments that must be there and are, that must be and are not, that must not be and are."""
    text = plain(found)
    there = [plain(segment) in text for segment in wanted]
    return sum(there), len(there) - sum(there), sum(plain(segment) in text for segment in unwanted)


def same_title(gold: str, found: str) -> bool:
    """Whether the title is the gold's, letter for letter but for white space."""
    return plain(gold) == plain(found)


def same_day(gold: str, found: str) -> bool:
    """Whether the date has the day that the gold writes, each in its own offset."""
    return gold[:10] == found[:10]


def author_f1(gold: Iterable[str], found: Iterable[str]) -> float:
    """Return the F1 of the set of names, case and white space aside."""
    wanted, given = ({plain(name).casefold() for name in names} for names in (gold, found))
    both = len(wanted & given)
    return 2 * both / (len(wanted) + len(given)) if both else 0.0

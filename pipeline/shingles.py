"""Runs of words as numbers: a text in, hashes of its shingles out, the same on every machine and in every version.

A shingle is five words in a row, or ten characters of scripts that do not part words. A sketch keeps the shingles whose
hash divides by `SAMPLE` (Broder, On the resemblance and containment of documents, 1997): of a passage that two texts
share both keep the same ones, however long the rest of each text is.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Shingles = NDArray[np.int64]  # sorted, each once, below 2 ** 63

WORDS = 5
CHARACTERS = 10
SAMPLE = 8  # one shingle in eight: 60 copied words leave seven on average, and none in one of a thousand passages
LONGEST = 200_000  # code points; what follows is not compared
_BARE = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"  # no spaces between words
_UNIT = re.compile(rf"[{_BARE}]|[^\W_{_BARE}]+")
_MIX = np.uint64(0x9E3779B97F4A7C15)


def shingles(text: str) -> Shingles:
    """Return the hashes of all shingles of a text; a text shorter than one shingle has none."""
    units = _UNIT.findall(unicodedata.normalize("NFKC", text[:LONGEST]).casefold())
    bare = sum(len(unit) == 1 and unit > "\u0e00" for unit in units)
    size = CHARACTERS if 2 * bare > len(units) else WORDS
    if len(units) < size:
        return np.empty(0, np.int64)
    numbers = {unit: _number(unit) for unit in set(units)}
    each = np.fromiter((numbers[unit] for unit in units), np.uint64, len(units))
    rows = np.lib.stride_tricks.sliding_window_view(each, size)
    total = np.zeros(len(rows), np.uint64)
    for place in range(size):  # a polynomial over the words: their order counts
        total = _mixed(total * _MIX + rows[:, place])
    return np.unique((total >> np.uint64(1)).astype(np.int64))


def sketch(all_shingles: Shingles) -> Shingles:
    """Return the sample of shingles by which candidates are found."""
    kept: Shingles = all_shingles[all_shingles % SAMPLE == 0]
    return kept


def shared(one: Shingles, other: Shingles) -> int:
    """Return how many shingles two texts have in common."""
    return len(np.intersect1d(one, other, assume_unique=True))


def _number(unit: str) -> int:
    return int.from_bytes(blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread neighbouring values over all bits (the finaliser of MurmurHash3)."""
    for factor in (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)):
        values = (values ^ (values >> np.uint64(33))) * factor
    return values ^ (values >> np.uint64(33))

"""Is one text a translation of another: two outlines in, their agreement out, without a dictionary or a model.

An outline is what survives translation: the lengths of the sentences and the numbers in them, in their order. Sentences are
aligned by length (Gale and Church, A program for aligning sentences in bilingual corpora, 1993) and by number. Reports that
two newsrooms wrote of one event may share numbers, but not their order and the lengths around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import log

from pipeline.sentences import sentences

LONGEST = 20_000  # code points; what follows is not compared
MOST_SENTENCES = 60
MOST_NUMBERS = 100  # of a text that make marks: a table of prices has thousands
NEAR = 3  # numbers with at most so many steps between them make a mark
LEAST_MARK = 2.5  # weight of its two numbers: two days of a month, or a day and a year, are too common
SKIP = 0.5  # cost of a sentence that the other text has not
MERGE = 0.35  # cost of two sentences that became one
SPREAD = 0.25  # of the logarithm of the ratio of two lengths that say the same
RATIOS = (1 / 1.18, 1.0, 1.18)  # one language is wordier than another
_NUMBER = re.compile(r"(?<![A-Za-z\d])\d+(?:[.,\u00a0\u202f' ]\d{3})*(?:[.,]\d+)?", re.ASCII)
_GROUPS = re.compile(r"[.,\u00a0\u202f' ](?=\d{3}(?:\D|$))")
_SCALES = tuple(
    (re.compile(rf"\s?(?:{words})", re.IGNORECASE), power)
    for words, power in (
        ("兆", 12),
        ("mil millones|mil milhões|billion|milliard|miliard|bilh|miliar|миллиард|млрд|مليار", 9),
        ("億|亿|억", 8),
        ("million|millón|millones|milion|milhão|milhões|juta|миллион|млн|мільйон|مليون", 6),
        ("万|萬|만", 4),
        ("thousand|mille |mil |tausend|ribu|тысяч|тыс|ألف", 3),
    )
)
_WIDE = (("\u3400", "\u9fff", 3.3), ("\u3040", "\u30ff", 1.9), ("\uac00", "\ud7a3", 2.3))  # Latin letters a character

Part = tuple[float, frozenset[str]]  # a sentence: its width in Latin letters, its numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The sentences of a text in order: width in Latin letters, and the numbers that they name."""

    parts: tuple[Part, ...]

    @property
    def numbers(self) -> frozenset[str]:
        """All numbers of the text."""
        return frozenset().union(*(named for _, named in self.parts))


def outline(text: str) -> Outline:
    """Return the outline of a text."""
    text = text[:LONGEST]
    spans = sentences(text)[:MOST_SENTENCES]
    return Outline(parts=tuple((_width(text[start:end]), frozenset(numbers(text[start:end]))) for start, end in spans))


def numbers(text: str) -> list[str]:
    """Return the numbers of a text in order, spelt alike in all languages: 2.4亿, 240 million and 240.000.000 are one."""
    text = unicodedata.normalize("NFKC", text)
    return [_value(found.group(), text[found.end() : found.end() + 16]) for found in _NUMBER.finditer(text)]


def marks(text: str) -> set[str]:
    """Return pairs of numbers that stand near each other: by them a translation's original is found."""
    named = numbers(text[:LONGEST])[:MOST_NUMBERS]
    near = (pair for n in range(len(named)) for pair in combinations(named[n : n + NEAR + 1], 2))
    return {" ".join(sorted(pair)) for pair in near if pair[0] != pair[1] and weight(pair) >= LEAST_MARK}


def weight(named: Iterable[str]) -> float:
    """Return how much it says that two texts share these numbers."""
    return sum(map(_weight, named))


def agreement(one: Outline, other: Outline) -> float:
    """Return how well the best stretch of two texts aligns: about 1 for each sentence that says the same, more with numbers."""
    return max((_align(one.parts, other.parts, ratio) for ratio in RATIOS), default=0.0)


def _align(one: tuple[Part, ...], other: tuple[Part, ...], ratio: float) -> float:
    """Local alignment (Smith and Waterman, 1981) of sentences, with gaps and two that became one."""
    best = [[0.0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            choices = [0.0, best[i - 1][j] - SKIP, best[i][j - 1] - SKIP]
            choices.append(best[i - 1][j - 1] + _gain(one[i - 1], other[j - 1], ratio))
            if j > 1:
                both = _joined(other[j - 2], other[j - 1])
                choices.append(best[i - 1][j - 2] + _gain(one[i - 1], both, ratio) - MERGE)
            if i > 1:
                both = _joined(one[i - 2], one[i - 1])
                choices.append(best[i - 2][j - 1] + _gain(both, other[j - 1], ratio) - MERGE)
            best[i][j] = max(choices)
    return max(max(row) for row in best)


def _joined(first: Part, second: Part) -> Part:
    return first[0] + second[0], first[1] | second[1]


def _gain(one: Part, other: Part, ratio: float) -> float:
    """Return what it is worth that two sentences stand for each other: by length, by shared and by contradicting numbers."""
    off = min((log(one[0] * ratio / other[0]) / SPREAD) ** 2 / 2, 2.0)
    if not (one[1] or other[1]):
        return 1.0 - off
    return 1.0 - off + 0.5 * min(weight(one[1] & other[1]), 3.0) - 0.25 * weight(one[1] ^ other[1])


def _weight(number: str) -> float:
    value = float(number)
    if value < 10:
        return 0.5
    return 1.0 if value <= 31 or 1900 <= value <= 2100 else 2.0


def _value(digits: str, after: str) -> str:
    whole = _GROUPS.sub("", digits).replace(",", ".")
    power = next((power for pattern, power in _SCALES if pattern.match(after)), 0)
    return f"{float(whole) * 10**power:.6g}"


def _width(text: str) -> float:
    return len(text) + sum((factor - 1) * sum(low <= char <= high for char in text) for low, high, factor in _WIDE)

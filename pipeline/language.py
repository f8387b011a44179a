"""The language of a text: text in, ISO 639-1 code out, or None where there is too little text to tell."""

from __future__ import annotations

import re

from py3langid import classify

SAMPLE = 4_000  # code points that are looked at
LEAST = 10  # letters
_SURROGATE = re.compile("[\ud800-\udfff]")


def language_of(text: str) -> str | None:
    """Return the language of the text itself. No page's tag, feed or reader is asked."""
    sample = _SURROGATE.sub("", text[:SAMPLE])
    if sum(char.isalpha() for char in sample) < LEAST:
        return None
    return str(classify(sample)[0])

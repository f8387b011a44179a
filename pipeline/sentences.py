"""Cut a text into sentences: text in, (start, end) code-point offsets out; text[start:end] is the sentence, trimmed.

One rule for all languages: a line break or the full stop of any script ends a sentence. A Latin full stop counts only
before white space, so that numbers and host names stay whole.
"""

from __future__ import annotations

import re

_END = re.compile(r"[\n\r\u2028\u2029]+|[。！？｡؟۔।॥]+[”’」』）\"')\]]*|[.!?…]+[”’\"')\]»]*(?=\s|$)")
_SHORT = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Gen|Sen|Rep|Gov|St|No|Inc|Corp|vs|Nr|Sr|Sra|etc|[A-Z]\.[A-Z]))\.$"
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the sentences of `text`, in order, without empty ones."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match.group() == "." and _SHORT.search(text, max(start, match.end() - 8), match.end()):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    """Add the span without the white space around it, where anything is left."""
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    if left < right:
        spans.append((left, right))

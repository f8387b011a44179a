"""Cut a document into what the encoder reads at once: title and text in, windows of tokens out.

A window holds up to 256 tokens: "query: " and the title, then a part of the text. Training and labelling cut alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.sentences import sentences

WINDOW = 256  # tokens of a window with everything
TITLE = 48  # tokens of the title at most
WINDOWS = 16  # of a document at most; what follows is not read
CHARACTERS = 40_000  # of a text at most: more than 16 windows hold, and a bound on the tokenizer's work
TITLE_CHARACTERS = 1_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One window; `sentence` gives for each token the index of its sentence in the document, -1 for none."""

    ids: list[int]
    sentence: NDArray[np.int64]


def clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer takes, by U+FFFD: the length and all offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def cut(tokenizer: Any, title: str, text: str) -> tuple[list[Cut], tuple[tuple[int, int], ...]]:
    """Return the windows of a document, one or more, and the code-point offsets of its sentences."""
    text = clean(text[:CHARACTERS])
    spans = tuple(sentences(text))
    head = _pieces(tokenizer, "query: " + clean(title[:TITLE_CHARACTERS]))[0][:TITLE]
    ids, offsets = _pieces(tokenizer, text)
    places = _sentence_of(offsets, spans)
    room = WINDOW - len(head) - 2
    none = np.full(1 + len(head), -1, np.int64)
    windows = []
    for start in range(0, max(1, min(len(ids), WINDOWS * room)), room):
        inside = [tokenizer.cls_token_id, *head, *ids[start : start + room], tokenizer.sep_token_id]
        windows.append(Cut(ids=inside, sentence=np.concatenate([none, places[start : start + room], none[:1]])))
    return windows, spans


def _pieces(tokenizer: Any, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Return ids and code-point offsets of the pieces of `text`, without special tokens."""
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return list(found["input_ids"]), list(found["offset_mapping"])


def _sentence_of(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return for each piece the index of the sentence that holds its last code point, or -1."""
    if not spans:
        return np.full(len(offsets), -1, np.int64)
    starts = np.asarray([start for start, _ in spans])
    ends = np.asarray([end for _, end in spans])
    last = np.asarray([max(start, end - 1) for start, end in offsets], np.int64)
    at = np.searchsorted(starts, last, side="right") - 1
    return np.where((at >= 0) & (last < ends[np.maximum(at, 0)]), at, -1).astype(np.int64)

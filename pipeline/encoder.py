"""The transformer: a title and a text in, vectors out, for the document and for each of its sentences.

A text is read in windows of 256 tokens, each behind "query: " and the title. Every window is one call of the session:
no padding, so a document's vectors cannot depend on what shares its batch. onnxruntime and transformers are loaded
with the first `Encoder`, not with this module.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

Vector = NDArray[np.float32]

WINDOW = 256  # tokens of a window with everything
TITLE = 48  # tokens of the title at most
WINDOWS = 16  # of a document at most; what follows is not read
CHARACTERS = 40_000  # of a text at most: more than 16 windows hold, and a bound on the tokenizer's work
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A document as vectors; `sentences` has one row for each of `spans`."""

    document: Vector  # [hidden], the mean of all tokens that were read
    spans: tuple[tuple[int, int], ...]
    sentences: Vector  # [len(spans), hidden]


def clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer takes, by U+FFFD: the length and all offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


class Encoder:
    """Tokenizer, configuration and ONNX session of a model folder."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Load the folder's weights; `threads` is by default the processors of this machine, at most four.

        Raises ConfigError where a file is missing or cannot be loaded.
        """
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ConfigError(f"model folder {folder} lacks {', '.join(missing)}; set STANCEWATCH_MODEL or reinstall")
        try:
            self._load(folder, threads or min(4, os.cpu_count() or 1))
        except Exception as error:  # the libraries raise many kinds; all mean that the folder is no model
            raise ConfigError(f"model folder {folder} cannot be loaded: {error}") from error

    def _load(self, folder: Path, threads: int) -> None:
        import onnxruntime  # noqa: PLC0415 - heavy: loaded with the first model only
        from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415

        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.hidden = int(config.hidden_size)
        if len(self._tokenizer) != config.vocab_size or self._session.get_outputs()[0].shape[-1] != self.hidden:
            raise ValueError("tokenizer, configuration and weights do not fit one another")

    def encode(self, title: str, text: str) -> Encoded:
        """Return the vectors of one document; an empty text gives no sentences and the vector of its title."""
        text = clean(text[:CHARACTERS])
        spans = tuple(sentences(text))
        head = self._pieces("query: " + clean(title[:1000]))[0][:TITLE]
        ids, offsets = self._pieces(text)
        room = WINDOW - len(head) - 2
        total, count = np.zeros(self.hidden, np.float64), 0
        sums, sizes = np.zeros((len(spans), self.hidden), np.float64), np.zeros(len(spans), np.int64)
        for start in range(0, max(1, min(len(ids), WINDOWS * room)), room):
            part = ids[start : start + room]
            states = self._states([*head, *part])
            total += states.sum(axis=0, dtype=np.float64)
            count += len(states)
            place = _sentence_of(offsets[start : start + room], spans)
            body = states[1 + len(head) : 1 + len(head) + len(part)]
            np.add.at(sums, place[place >= 0], body[place >= 0])
            np.add.at(sizes, place[place >= 0], 1)
        means = sums / np.maximum(sizes, 1)[:, None]
        read = sizes > 0
        return Encoded(
            document=(total / count).astype(np.float32),
            spans=tuple(span for span, seen in zip(spans, read, strict=True) if seen),
            sentences=means[read].astype(np.float32),
        )

    def _pieces(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return ids and code-point offsets of the pieces of `text`, without special tokens."""
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return list(found["input_ids"]), list(found["offset_mapping"])

    def _states(self, ids: Sequence[int]) -> Vector:
        """Return the last hidden state [tokens, hidden] of one window, with its start and end tokens."""
        window = [self._tokenizer.cls_token_id, *ids, self._tokenizer.sep_token_id]
        tokens = np.asarray([window], np.int64)
        inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        states: Vector = self._session.run(["last_hidden_state"], inputs)[0][0]
        return states


def _sentence_of(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return for each piece the index of the sentence that holds its last code point, or -1."""
    if not spans:
        return np.full(len(offsets), -1, np.int64)
    starts = np.asarray([start for start, _ in spans])
    ends = np.asarray([end for _, end in spans])
    last = np.asarray([max(start, end - 1) for start, end in offsets], np.int64)
    at = np.searchsorted(starts, last, side="right") - 1
    return np.where((at >= 0) & (last < ends[np.maximum(at, 0)]), at, -1).astype(np.int64)

"""The transformer: a title and a text in, a vector for every token out, with the sentence that it belongs to.

Every window is one call of the session: no padding, so a document's vectors cannot depend on what shares its batch.
onnxruntime and transformers are loaded with the first `Encoder`, not with this module.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.windows import cut

Vector = NDArray[np.float32]
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The tokens of one window as vectors, with its start, title and end tokens."""

    states: Vector  # [tokens, hidden]
    sentence: NDArray[np.int64]  # [tokens]: index of the sentence that a token belongs to, -1 for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A document as vectors: its windows in reading order, one or more, and the offsets of its sentences."""

    windows: tuple[Window, ...]
    spans: tuple[tuple[int, int], ...]


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
        """Return the vectors of one document; an empty text gives no sentences and one window with its title."""
        windows, spans = cut(self._tokenizer, title, text)
        return Encoded(
            windows=tuple(Window(states=self._states(w.ids), sentence=w.sentence) for w in windows), spans=spans
        )

    def _states(self, ids: list[int]) -> Vector:
        """Return the last hidden state [tokens, hidden] of one window, with its start and end tokens."""
        tokens = np.asarray([ids], np.int64)
        inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        states: Vector = self._session.run(["last_hidden_state"], inputs)[0][0]
        return states

"""The transformer: a title and a text in, a vector for every token out, with the sentence that it belongs to.

Every window is one call of the session: no padding, so a document's vectors cannot depend on what shares its batch.
onnxruntime, torch and transformers are loaded with the first `Encoder`, not with this module.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.torch_models import TorchSession
from pipeline.weights import read_config
from pipeline.windows import cut

Vector = NDArray[np.float32]
MOST_THREADS = 4  # one window does not keep more busy
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


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
    """Tokenizer, configuration and session of a model folder: onnxruntime for model.onnx, else torch."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Load the folder's weights. `auto` is onnxruntime where there is a model.onnx; other devices are torch's.

        Raises ConfigError where a file is missing or cannot be loaded.
        """
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ConfigError(f"model folder {folder} lacks {', '.join(missing)}; set STANCEWATCH_MODEL or reinstall")
        read_config(folder)
        try:
            self._load(folder, device)
        except ConfigError:
            raise
        except Exception as error:  # the libraries raise many kinds; all mean that the folder is no model
            raise ConfigError(f"model folder {folder} cannot be loaded: {error}") from error

    def _load(self, folder: Path, device: str) -> None:
        from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415 - heavy: loaded with the first model only

        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        self.hidden = int(config.hidden_size)
        # Some models pad their embedding table: more rows than pieces are no fault, fewer are.
        if len(self._tokenizer) > config.vocab_size:
            raise ValueError("tokenizer, configuration and weights do not fit one another")
        light = device == "auto" and (folder / "model.onnx").is_file()
        session = OnnxSession(folder, self.hidden) if light else TorchSession(folder, device)
        self._states = session.states

    def encode(self, title: str, text: str) -> Encoded:
        """Return the vectors of one document; an empty text gives no sentences and one window with its title."""
        windows, spans = cut(self._tokenizer, title, text)
        return Encoded(
            windows=tuple(Window(states=self._states(w.ids), sentence=w.sentence) for w in windows), spans=spans
        )


class OnnxSession:
    """Last hidden states of one window at a time, by onnxruntime."""

    def __init__(self, folder: Path, hidden: int) -> None:
        """Load model.onnx. Raises ValueError where its vectors are of another size than `hidden`."""
        import onnxruntime  # noqa: PLC0415 - heavy: loaded with the first model only

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(MOST_THREADS, os.cpu_count() or 1)
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        if self._session.get_outputs()[0].shape[-1] != hidden:
            raise ValueError("tokenizer, configuration and weights do not fit one another")

    def states(self, ids: list[int]) -> Vector:
        """Return [tokens, hidden] of one window, with its start and end tokens."""
        tokens = np.asarray([ids], np.int64)
        inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        states: Vector = self._session.run(["last_hidden_state"], inputs)[0][0]
        return states

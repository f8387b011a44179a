"""Transformers by torch, on a processor or a graphics card: model folders in, loaded modules out. Needs the extra `torch`.

Only safetensors are read, and a folder whose weights lack a tensor or bring one too many is refused: transformers alone
would fill the gap with random numbers and say so in the log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

IGNORED = ("pooler.", "position_ids")  # parts that no label is read from


def load(kind: str, folder: Path, device: str = "auto") -> Any:
    """Return `kind` (a class of transformers, as AutoModel) loaded from the folder, in evaluation mode.

    `device` is one of torch's; `auto` is a graphics card where there is one.

    Raises ConfigError where torch is absent or the weights do not fit the class.
    """
    try:
        import torch  # noqa: F401, PLC0415
        import transformers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(f"model {folder} needs torch: pip install 'stancewatch[torch]'") from error
    try:
        model, seen = getattr(transformers, kind).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # the libraries raise many kinds; all mean that the folder is no such model
        raise ConfigError(f"model folder {folder} cannot be loaded: {error}") from error
    wrong = {
        name: sorted(str(key) for key in seen[name] if not any(part in str(key) for part in IGNORED))
        for name in ("missing_keys", "unexpected_keys", "mismatched_keys")
    }
    if bad := {name: keys[:3] for name, keys in wrong.items() if keys}:
        raise ConfigError(f"model folder {folder}: its weights do not fit {kind}: {bad}")
    return model.eval().to(_place(device))


def _of_graph(folder: Path) -> Any:
    """Return a BertModel with the weights of a graph that `pipeline.onnx_graph` wrote."""
    try:
        import torch  # noqa: PLC0415
        from transformers import AutoConfig, BertModel  # noqa: PLC0415

        from pipeline.onnx_graph import restore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(f"model {folder} needs torch and onnx: pip install 'stancewatch[torch]'") from error
    model = BertModel(AutoConfig.from_pretrained(folder, local_files_only=True), add_pooling_layer=False)
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in restore(folder / "model.onnx").items()}
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def _place(device: str) -> str:
    import torch  # noqa: PLC0415

    return device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


class TorchSession:
    """Last hidden states of one window at a time, as the ONNX session gives them."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the encoder of a folder: model.safetensors, or the weights of our own model.onnx."""
        if (folder / "model.safetensors").is_file() or not (folder / "model.onnx").is_file():
            self._model = load("AutoModel", folder, device)
        else:
            self._model = _of_graph(folder).to(_place(device))

    def states(self, ids: list[int]) -> NDArray[np.float32]:
        """Return [tokens, hidden] of one window, with its start and end tokens."""
        import torch  # noqa: PLC0415

        with torch.inference_mode():
            found = self._model(input_ids=torch.tensor([ids], device=self._model.device)).last_hidden_state[0]
        states: NDArray[np.float32] = found.float().cpu().numpy()
        return states

"""From the name of a model to a folder that may be loaded, and to the hash that is stored with its labels.

A model is a folder, a Hugging Face id (`owner/name`, `owner/name@revision`), or nothing: the model of the package. Only
safetensors and ONNX are ever loaded, and no code of a model's own.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

HUB_ID = re.compile(r"^(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?$")
WANTED = ("*.json", "*.safetensors", "model.onnx", "*.model", "vocab.txt", "merges.txt")  # never pickles, never code
WEIGHTS = ("model.onnx", "model.safetensors", "model.safetensors.index.json")


def model_folder(model: str | Path | None) -> Path:
    """Return the folder of `model`. Raises ConfigError with the way out where there is none."""
    if model is None:
        return Path(str(files("pipeline") / "data" / "model"))
    folder = Path(model)
    if folder.is_dir():
        return folder
    if match := HUB_ID.match(str(model)):
        return _from_hub(match["id"], match["revision"])
    raise ConfigError(
        f"model {model} is no folder and no Hugging Face id (owner/name); unset STANCEWATCH_MODEL for the package's model"
    )


def _from_hub(name: str, revision: str | None) -> Path:
    """Return the hub's files of a model in the local cache, fetched where they are not there."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - comes with transformers; only for hub ids

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(WANTED)))
    except Exception as error:  # the hub's client raises many kinds, for many reasons
        raise ConfigError(
            f"model {name} is no folder and could not be had from the hub ({type(error).__name__}); name a folder, or "
            "unset STANCEWATCH_MODEL for the package's model"
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json of a model folder. Raises ConfigError where it cannot be read or there are no safe weights."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"model folder {folder}: config.json cannot be read: {error}") from error
    if "auto_map" in config:
        raise ConfigError(f"model folder {folder} brings code of its own, which is never run")
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ConfigError(f"model folder {folder} has none of {', '.join(WEIGHTS)}; pickled weights are never loaded")
    return config


def revision(folder: Path) -> str:
    """Return 16 hexadecimal digits of SHA-256 over names and contents of the folder's weights and JSON files."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in {".json", ".safetensors", ".onnx", ".model", ".txt"}:
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").digest()
            digest.update(path.name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]

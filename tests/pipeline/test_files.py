"""Model files that are damaged or hostile: each is refused with its folder's name, before anything is labelled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.errors import ConfigError
from pipeline.model import load_classifier
from pipeline.weights import model_folder, revision


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(model_folder(None), tmp_path / "model")


@pytest.mark.parametrize("name", ["model.onnx", "heads.safetensors", "heads.json", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("kept", [0, 1000])
def test_a_cut_file_is_refused_by_name(folder: Path, name: str, kept: int) -> None:
    path = folder / name
    data = path.read_bytes()
    path.write_bytes(data[: min(kept, len(data) // 2)])
    with pytest.raises(ConfigError) as raised:
        load_classifier(folder, load_codebook(None))
    assert str(folder) in str(raised.value)


def test_other_bytes_are_another_revision(folder: Path) -> None:
    before = revision(folder)
    with (folder / "heads.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        (last,) = stream.read(1)
        stream.seek(-1, 2)
        stream.write(bytes([last ^ 1]))
    assert revision(folder) != before

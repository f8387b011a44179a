"""Small models with random weights, in the formats that users bring."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.heads import Scores
from pipeline.weights import model_folder

SIZE = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def _config(**more: Any) -> Any:
    from transformers import BertConfig

    kept = BertConfig.from_pretrained(model_folder(None))
    return BertConfig(**{**kept.to_dict(), **SIZE, **more})


def _tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(model_folder(None) / name, folder / name)


def base_encoder(folder: Path) -> Path:
    """Write a BERT encoder with random weights."""
    import torch
    from transformers import BertModel

    torch.manual_seed(0)
    BertModel(_config(), add_pooling_layer=False).save_pretrained(folder)
    _tokenizer(folder)
    return folder


def sequence_model(folder: Path, names: list[str]) -> Path:
    """Write a BERT sequence classifier with random weights and classes of these names."""
    import torch
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    config = _config(id2label=dict(enumerate(names)), label2id={name: n for n, name in enumerate(names)})
    BertForSequenceClassification(config).save_pretrained(folder)
    _tokenizer(folder)
    return folder


def random_scores(topics: int, targets: int, seed: int) -> Scores:
    """Return random logits of a relevant document of two sentences."""
    rng = np.random.default_rng(seed)
    return Scores(
        relevance=2.0, topics=rng.normal(size=topics), addressed=rng.normal(size=targets),
        stances=rng.normal(size=(targets, 3)), sentences=rng.normal(size=(2, targets, 3)),
    )  # fmt: skip

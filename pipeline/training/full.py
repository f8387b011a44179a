"""Full fine-tuning as `train` sees it: a base folder in, heads and an encoder of our own in ONNX out.

Where two or more folds are measured, the model is the mean of their networks' weights: each row was learnt by all of them
but one, and no further training is needed. Where one is, a second training learns every row. Needs torch and onnx.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from pipeline.codebook import Codebook
from pipeline.encoder import FILES, Encoded, Window
from pipeline.heads import Scores, logits
from pipeline.onnx_graph import export
from pipeline.sentences import sentences
from pipeline.training import data
from pipeline.training.calibrate import apply
from pipeline.training.data import Row
from pipeline.training.finetune import Example, examples, fine_tune, lower
from pipeline.training.learn import Recipe
from pipeline.training.network import Network, check_base, mean
from pipeline.training.train import Trained, cross_validate, save


def train_full(
    rows: Sequence[Row], taught: Sequence[Row], base: Path, out: Path, codebook: Codebook, recipe: Recipe,
    number: int, about: dict[str, Any], measure: int | None = None,
) -> Trained:  # fmt: skip
    """Fine-tune `base`, measure `measure` of the `number` folds (default: all), and write the model folder `out`.

    `taught` is what is learnt: the measured `rows`, mended or not, and then those written for training.
    Raises ConfigError where the base folder is incomplete.
    """
    check_base(base)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    everything = examples(taught, tokenizer, codebook)
    kept = lower(base, everything, codebook, recipe)
    extra = np.arange(len(rows), len(everything))

    networks: list[Network] = []

    def learn(chosen: Sequence[int]) -> Network:
        own = replace(recipe, seed=recipe.seed + len(networks))
        return fine_tune(base, [everything[i] for i in chosen], [kept[i] for i in chosen], codebook, own)

    def fit(train: data.Array) -> Callable[[int], Scores]:
        network = learn(np.concatenate([train, extra]).tolist())
        networks.append(network)
        heads = network.heads()
        return lambda i: logits(heads, _read(network, kept[i], everything[i], rows[i]["text"]))

    by, measured = cross_validate(rows, codebook, number, fit, measure)
    network = mean(networks) if len(networks) > 1 else learn(range(len(everything)))
    trained = Trained(heads=apply(network.heads(), by), calibration=by, figures=measured)
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((base / "config.json").read_text("utf-8"))
    export(dict(network.tensors()), config, out / "model.onnx")
    for name in FILES:
        shutil.copyfile(base / name, out / name)
    save(trained, out, out, codebook, {**about, "recipe": asdict(recipe)})
    return trained


@torch.no_grad()
def _read(network: Network, kept: torch.Tensor, example: Example, text: str) -> Encoded:
    """Return the first window of a row as the trained encoder sees it."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = network.upper(kept[None].float(), torch.ones(1, len(kept)))
    window = Window(states=states[0].numpy(), sentence=example.sentence)
    return Encoded(windows=(window,), spans=tuple(sentences(text)))

"""Minimise a loss over batches: what every training of a `Network` shares. A recipe and a loss in, a trained network out."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from pipeline.training.network import Network

log = logging.getLogger(__name__)
UNKNOWN = -100  # the label of what nobody coded
POOL = 24  # batches that are sorted by length together


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fine-tune; chosen by grouped cross-validation."""

    epochs: int = 5
    batch: int = 16
    frozen: int = 6  # lowest layers that stay as they are
    rate: float = 2e-4  # of the top layer; each layer below has `decay` of the one above
    decay: float = 0.9
    head_rate: float = 2e-3
    warmup: float = 0.08
    irrelevant: int = 800  # rows sampled for each epoch
    written: int = 2000  # of the rows written for training: sampled too, so that coded ones are seen more often
    evidence: float = 0.1  # weight of the attention's part
    sentences: float = 0.5  # weight of the single sentences' part
    seed: int = 0


class Tokens(Protocol):
    """Anything with token ids."""

    @property
    def ids(self) -> list[int]:
        """Token ids of the input."""


def learn(
    network: Network, recipe: Recipe, epoch: Callable[[], list[list[int]]], loss: Callable[[list[int]], Tensor]
) -> Network:
    """Minimise `loss` over the batches of `recipe.epochs` epochs; return the network in evaluation mode."""
    optimiser = torch.optim.AdamW(_rates(network, recipe), weight_decay=0.01)
    first = epoch()
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [g["lr"] for g in optimiser.param_groups], total_steps=recipe.epochs * len(first) + 1,
        pct_start=recipe.warmup, anneal_strategy="linear", cycle_momentum=False, final_div_factor=1e4,
    )  # fmt: skip
    network.train()
    for number in range(recipe.epochs):
        total = 0.0
        order = epoch() if number else first
        for batch in order:
            value = loss(batch)
            optimiser.zero_grad()
            value.backward()
            clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += value.item()
        log.info("epoch %d of %d: loss %.3f", number + 1, recipe.epochs, total / len(order))
    return network.eval()


def _rates(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameter groups: each trained layer with a rate of its own, the heads with theirs."""
    layers = list(network.encoder.encoder.layer)
    groups = [{"params": list(layer.parameters()), "lr": recipe.rate * recipe.decay ** (len(layers) - 1 - i)}
              for i, layer in enumerate(layers) if i >= recipe.frozen]  # fmt: skip
    heads = [p for name, p in network.named_parameters() if not name.startswith("encoder.")]
    return [*groups, {"params": heads, "lr": recipe.head_rate}]


def batches(order: list[int], data: Sequence[Tokens], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Yield shuffled batches of rows of about the same length."""
    rng.shuffle(order)
    found = []
    for start in range(0, len(order), size * POOL):
        pool = sorted(order[start : start + size * POOL], key=lambda i: len(data[i].ids))
        found += [pool[n : n + size] for n in range(0, len(pool), size)]
    rng.shuffle(found)
    yield from found

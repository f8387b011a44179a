"""Fine-tune a base encoder and its heads on coded rows: rows in, a trained `Network` out. Needs torch.

One pass over the data takes every relevant coded row, and fresh samples of irrelevant ones and of those written for
training.
The loss adds relevance, and for relevant rows topics, addressed and stance (rare sides weighted up, at most threefold).
Two parts of it teach from single sentences: each target's attention is drawn to the coders' evidence, and a sentence of
evidence is to show the position when it is read alone, while a sentence of a document that does not address the target is
to show none.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipeline.codebook import Codebook
from pipeline.training.data import Row, labels
from pipeline.training.learn import UNKNOWN, Recipe, batches, learn
from pipeline.training.network import Logits, Network
from pipeline.windows import cut

log = logging.getLogger(__name__)
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Example:
    """One row: its tokens, which of them are evidence for which target [targets, tokens], and its labels."""

    ids: list[int]
    sentence: NDArray[np.int64]  # [tokens]: index of the sentence, -1 for none
    evidence: NDArray[np.float32]
    relevance: bool
    topic: NDArray[Any]
    addressed: NDArray[Any]
    stance: NDArray[Any]
    written: bool  # for training, by the project

    def sides(self, sentences: int) -> NDArray[np.int64]:
        """Return the stance that each sentence shows when read alone [targets, sentences], UNKNOWN where nobody says.

        The coders' evidence shows the document's stance. Where the target is not addressed every sentence is neutral;
        otherwise the others may quote an opponent, or support the position.
        """
        found = np.full((len(self.stance), sentences), UNKNOWN)
        there = self.sentence[self.sentence >= 0]
        for t, stance in enumerate(self.stance):
            if not self.addressed[t]:
                found[t, there] = 0
            elif stance:
                found[t, self.sentence[self.evidence[t] > 0]] = stance
        return found


def examples(rows: Sequence[Row], tokenizer: Any, codebook: Codebook) -> list[Example]:
    """Return the first window of each row with its labels."""
    y = labels(rows, codebook)
    found = []
    for i, row in enumerate(rows):
        windows, spans = cut(tokenizer, row.get("title") or "", row["text"])
        first = windows[0]
        evidence = np.zeros((len(codebook.targets), len(first.ids)), np.float32)
        for t, target in enumerate(codebook.targets):
            marked = (row["gold"].get("evidence") or {}).get(target.id, [])
            inside = [n for n, (s, e) in enumerate(spans) if any(s < end and e > start for start, end in marked)]
            evidence[t] = np.isin(first.sentence, inside)
        found.append(Example(
            first.ids, first.sentence, evidence, bool(y["relevance"][i, 0]), y["topic"][i], y["addressed"][i], y["stance"][i],
            "outlet" not in row,
        ))  # fmt: skip
    return found


def lower(base: Path, data: Sequence[Example], codebook: Codebook, recipe: Recipe) -> list[Tensor]:
    """Return what the layers that stay fixed make of each row: the same for every training on this base."""
    network = Network(base, len(codebook.topics), len(codebook.targets), recipe.frozen)
    log.info("reading %d rows with the %d fixed layers", len(data), recipe.frozen)
    return [network.lower(torch.tensor(example.ids)) for example in data]


def fine_tune(
    base: Path, data: Sequence[Example], kept: Sequence[Tensor], codebook: Codebook, recipe: Recipe
) -> Network:
    """Train on all of `data`, `kept` being their output of `lower`; return the network in evaluation mode."""
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)  # noqa: S311 - shuffles, no secrets
    network = Network(base, len(codebook.topics), len(codebook.targets), recipe.frozen)
    always = [i for i, e in enumerate(data) if e.relevance and not e.written]
    pools = [([i for i, e in enumerate(data) if not e.relevance and not e.written], recipe.irrelevant),
             ([i for i, e in enumerate(data) if e.written], recipe.written)]  # fmt: skip
    weights = _weights(data)

    def epoch() -> list[list[int]]:
        drawn = [i for pool, most in pools for i in rng.sample(pool, min(most, len(pool)))]
        return list(batches(always + drawn, data, recipe.batch, rng))

    def loss(batch: list[int]) -> Tensor:
        states, mask = _pad([kept[i] for i in batch])
        chosen = [data[i] for i in batch]
        written = torch.tensor([float(e.written) for e in chosen])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(states, mask, written, _inside(chosen, mask.shape[1]))
        return _loss(logits, chosen, weights) + _evidence_loss(logits, chosen, recipe)

    return learn(network, recipe, epoch, loss)


def _pad(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, states))
    out = torch.zeros(len(states), longest, states[0].shape[-1])
    mask = torch.zeros(len(states), longest)
    for i, one in enumerate(states):
        out[i, : len(one)] = one
        mask[i, : len(one)] = 1
    return out, mask


def _weights(data: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Return weights for positive topics [topics] and for stances [targets, 3], more for the rare."""
    on = [e for e in data if e.relevance]
    topic = np.stack([e.topic for e in on]).sum(0)
    stance = np.stack([[np.sum([e.stance == k for e in on], axis=0)] for k in range(3)])[:, 0].T
    rare = np.sqrt(len(on) / 3 / np.maximum(stance, 8)).clip(0.5, 3)
    return torch.tensor(np.sqrt((len(on) - topic) / np.maximum(topic, 1))).float(), torch.tensor(rare).float()


def _inside(batch: Sequence[Example], tokens: int) -> Tensor:
    """Return for each sentence which tokens are in it [batch, sentences, tokens]."""
    most = 1 + max(int(e.sentence.max(initial=0)) for e in batch)
    places = torch.full((len(batch), tokens), -1)
    for i, example in enumerate(batch):
        places[i, : len(example.ids)] = torch.from_numpy(example.sentence)
    return (places[:, None, :] == torch.arange(most)[None, :, None]).float()


def _loss(logits: Logits, batch: Sequence[Example], weights: tuple[Tensor, Tensor]) -> Tensor:
    relevant = torch.tensor([float(e.relevance) for e in batch])
    total = functional.binary_cross_entropy_with_logits(logits.relevance, relevant)

    def of_relevant(losses: Tensor) -> Tensor:
        return (losses.mean(1) * relevant).sum() / relevant.sum().clamp(min=1)

    topic, addressed = (torch.tensor(np.stack([getattr(e, n) for e in batch])).float() for n in ("topic", "addressed"))
    stance = torch.tensor(np.stack([e.stance for e in batch]))
    binary = functional.binary_cross_entropy_with_logits
    total = total + 1.5 * of_relevant(binary(logits.topic, topic, reduction="none", pos_weight=weights[0]))
    total = total + of_relevant(binary(logits.addressed, addressed, reduction="none"))
    sides = functional.cross_entropy(logits.stance.flatten(0, 1), stance.flatten(), reduction="none").view(stance.shape)
    return total + 2 * of_relevant(sides * weights[1][torch.arange(stance.shape[1])[None], stance])


def _evidence_loss(logits: Logits, batch: Sequence[Example], recipe: Recipe) -> Tensor:
    """Return what single sentences teach: where to look, and what to find there."""
    most = logits.sentence.shape[2]
    marked = torch.zeros_like(logits.attention)
    label = torch.full(logits.sentence.shape[:3], UNKNOWN)  # [batch, targets, sentences]
    for i, example in enumerate(batch):
        marked[i, :, : len(example.ids)] = torch.from_numpy(example.evidence)
        label[i] = torch.from_numpy(example.sides(most))
    total = torch.zeros(())
    given = marked.sum(-1) > 0
    if given.any():
        mass = torch.logsumexp(logits.attention + torch.log(marked.clamp(min=TINY)), dim=-1)
        total = total - recipe.evidence * mass[given].mean()
    losses = functional.cross_entropy(
        logits.sentence.flatten(0, 2), label.flatten(), reduction="none", ignore_index=UNKNOWN
    ).view(label.shape)
    for group in (label > 0, label == 0):
        if group.any():
            total = total + recipe.sentences * losses[group].mean()
    return total

"""Teach an encoder who is for and against what, from single statements, before it reads documents. Needs torch.

Statements, and the sentences of passages written for training, in; a base folder in transformers' format out, all of whose
layers have learnt. A statement is short, so all layers can be trained on many of them in the time that a few documents
take, and it differs from its neighbours only in what decides. No coded passage takes part: what is measured later on the
coded ones has not been seen here.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.codebook import Codebook
from pipeline.encoder import FILES
from pipeline.errors import ConfigError
from pipeline.sentences import sentences
from pipeline.training.data import Row
from pipeline.training.learn import UNKNOWN, Recipe, batches, learn
from pipeline.training.network import Logits, Network, check_base

log = logging.getLogger(__name__)
RECIPE = Recipe(epochs=4, batch=32)
LONGEST = 128  # tokens
SHORTEST = 15  # code points of a sentence that is taken from a passage
NEUTRAL = 0.5  # weight of neutral beside favor and against


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence or two, with a stance for each target of the codebook (as in STANCES) and whether it is addressed."""

    text: str
    stance: list[int]  # [targets], UNKNOWN where nobody says
    addressed: list[int]


@dataclass(frozen=True, slots=True)
class _Example:
    ids: list[int]
    stance: Tensor
    addressed: Tensor


def read_statements(path: Path, codebook: Codebook) -> list[Statement]:
    """Read JSON lines {text, fav, ag, neu}. Raises ConfigError naming the file, or the line that is wrong."""
    targets = [t.id for t in codebook.targets]
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            sides = {t: k for k, name in enumerate(("neu", "fav", "ag")) for t in row[name]}
            if strange := set(sides) - set(targets):
                raise ValueError(f"no target {', '.join(sorted(strange))}")
            if len(sides) < sum(len(row[name]) for name in ("neu", "fav", "ag")):
                raise ValueError("a target is named twice")
            found.append(Statement(str(row["text"]), [sides.get(t, 0) for t in targets], [t in sides for t in targets]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number}: no statement {{text, fav, ag, neu}}: {error}") from error
    return found


def of_codebook(codebook: Codebook) -> list[Statement]:
    """Return the codebook's own examples; each is taken to address its target alone."""
    number = len(codebook.targets)
    found = []
    for i, target in enumerate(codebook.targets):
        for stance, name in enumerate(("neutral", "favor", "against")):
            for text in getattr(target.examples, name):
                at = [int(i == k) for k in range(number)]
                found.append(Statement(text, [stance * here for here in at], at))
    return found


def of_passages(rows: Sequence[Row], codebook: Codebook, seed: int = 0) -> list[Statement]:
    """Return the sentences of evidence of written passages, and one other sentence of each.

    A sentence of evidence shows its target's position; toward other targets that the passage addresses it is unknown.
    """
    rng = random.Random(seed)  # noqa: S311 - draws, no secrets
    targets = [t.id for t in codebook.targets]
    found = []
    for row in rows:
        gold, text = row["gold"], row["text"]
        sides = {t: k for k, name in enumerate(("neu", "fav", "ag")) for t in gold[name]}
        shown: dict[tuple[int, int], set[str]] = {}
        for target, spans in (gold.get("evidence") or {}).items():
            for start, end in spans:
                shown.setdefault((start, end), set()).add(target)
        others = [
            (s, e) for s, e in sentences(text)
            if e - s > SHORTEST and not any(s < end and start < e for start, end in shown)
        ]  # fmt: skip
        for start, end in [*shown, *rng.sample(others, min(1, len(others)))]:
            here = shown.get((start, end), set())
            unknown = {t: UNKNOWN for t in sides if t not in here}
            found.append(Statement(
                text[start:end], [unknown.get(t, sides.get(t, 0)) for t in targets],
                [unknown.get(t, int(t in here)) for t in targets],
            ))  # fmt: skip
    return found


def teach(base: Path, statements: Sequence[Statement], codebook: Codebook, out: Path, recipe: Recipe = RECIPE) -> Path:
    """Train all layers of the encoder in `base` on statements, write it to the folder `out`, and return that.

    Raises ConfigError where the base folder is incomplete.
    """
    check_base(base)
    from transformers import AutoTokenizer  # noqa: PLC0415 - heavy

    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    data = [_example(statement, tokenizer) for statement in statements]
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)  # noqa: S311 - shuffles, no secrets
    network = Network(base, len(codebook.topics), len(codebook.targets), frozen=0)
    log.info("%d statements for all layers", len(data))

    def epoch() -> list[list[int]]:
        return list(batches(list(range(len(data))), data, recipe.batch, rng))

    learn(network, replace(recipe, frozen=0), epoch, lambda batch: _loss(network, [data[i] for i in batch]))
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", *FILES):
        shutil.copyfile(base / name, out / name)
    network.save(out)
    return out


def _example(statement: Statement, tokenizer: Any) -> _Example:
    ids = tokenizer("query: " + statement.text, truncation=True, max_length=LONGEST)["input_ids"]
    return _Example(list(ids), torch.tensor(statement.stance), torch.tensor(statement.addressed, dtype=torch.long))


def _loss(network: Network, batch: Sequence[_Example]) -> Tensor:
    longest = max(len(e.ids) for e in batch)
    ids = torch.full((len(batch), longest), int(network.encoder.config.pad_token_id))
    mask = torch.zeros(len(batch), longest)
    for i, example in enumerate(batch):
        ids[i, : len(example.ids)] = torch.tensor(example.ids)
        mask[i, : len(example.ids)] = 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            states = network.encoder.embeddings(input_ids=ids)
        logits: Logits = network(states, mask, torch.zeros(len(batch)), mask[:, None, :])
    stance = torch.stack([e.stance for e in batch])
    addressed = torch.stack([e.addressed for e in batch])
    sides = functional.cross_entropy(
        logits.stance.flatten(0, 1), stance.flatten(), weight=torch.tensor([NEUTRAL, 1.0, 1.0]), ignore_index=UNKNOWN
    )
    known = (addressed != UNKNOWN).float()
    there = functional.binary_cross_entropy_with_logits(
        logits.addressed, addressed.clamp(min=0).float(), reduction="none"
    )
    return 2 * sides + (there * known).sum() / known.sum().clamp(min=1)

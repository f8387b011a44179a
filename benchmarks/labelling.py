#!/usr/bin/env python3
"""Documents a second, side by side on the same texts: the labelling of Stancewatch, the same encoder on padded batches in
arrival order, and the zero-shot classification of transformers for the same set of labels.

    pip install -e '.[torch]'
    python benchmarks/labelling.py [--documents 200] [--zero-shot 4]

The texts are made of the project's own passages: articles of 100 to 900 words, one in five of them about AI governance, the
others about something else, as feeds bring them. The zero-shot model is a classifier of the encoder's size with random weights:
right for timing, not for labels. Each contestant works for itself, by turns, three times; printed are the medians of
the ratios within one turn. Numbers of different machines do not compare; ratios do.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from articles import Text, texts
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from pipeline.codebook import load_codebook
from pipeline.encoder import OnnxSession
from pipeline.model import HeadsClassifier
from pipeline.weights import model_folder
from pipeline.windows import cut

WINDOW = 256
BATCH = 8
TURNS = 3


def padded(folder: Path, documents: list[Text]) -> Callable[[], None]:
    """Return the work of the plain way: every window of every document, in batches of eight as they come, padded."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    session: Any = OnnxSession(folder, 384)._session  # the same graph and threads

    def work() -> None:
        queue = [window.ids for title, text, _ in documents for window in cut(tokenizer, title, text)[0]]
        for start in range(0, len(queue), BATCH):
            part = queue[start : start + BATCH]
            longest = max(map(len, part))
            ids = np.array([window + [1] * (longest - len(window)) for window in part], np.int64)
            mask = np.array([[1] * len(window) + [0] * (longest - len(window)) for window in part], np.int64)
            session.run(None, {"input_ids": ids, "attention_mask": mask})

    return work


def zero_shot(folder: Path, labels: list[str], documents: list[Text]) -> Callable[[], None]:
    """Return the work of transformers' zero-shot pipeline with an encoder of the same size."""
    torch.manual_seed(0)
    names = {0: "contradiction", 1: "neutral", 2: "entailment"}
    config = BertConfig.from_pretrained(folder, id2label=names, label2id={v: k for k, v in names.items()})
    model = BertForSequenceClassification(config).eval()
    classify = transformers.pipeline(
        "zero-shot-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(folder)
    )

    def work() -> None:
        for title, text, _ in documents:
            classify(f"{title}\n{text}", labels, multi_label=True)

    return work


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def turns(number: int, asked: int) -> Iterator[dict[str, float]]:
    """Yield documents a second of each contestant, a turn at a time."""
    book, folder, documents = load_codebook(), model_folder(None), texts(number)
    labels = ["governance of AI", *(t.covers for t in book.topics),
              *(f"{side} {t.proposition}" for t in book.targets for side in ("for:", "against:"))]  # fmt: skip
    ours = HeadsClassifier(folder, book)
    plain = padded(folder, documents)
    shot = zero_shot(folder, labels, documents[:asked])
    for _ in range(TURNS):
        yield {
            "stancewatch": number / seconds(lambda: ours.label(documents)),
            "padded batches": number / seconds(plain),
            "zero-shot": asked / seconds(shot),
        }


def main() -> None:
    """Read the arguments, run the turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--zero-shot", type=int, default=4, help="documents for the slow contestant")
    args = parser.parse_args()
    found = list(turns(args.documents, args.zero_shot))
    for name in ("padded batches", "zero-shot"):
        ratio = statistics.median(turn["stancewatch"] / turn[name] for turn in found)
        print(f"stancewatch labels {ratio:.1f} times the documents a second of {name}")


if __name__ == "__main__":
    main()

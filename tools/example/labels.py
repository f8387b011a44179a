"""The labels of the example as they were recorded: a codebook in, a classifier out that answers from a file of JSON lines.

Two machines may differ in the last digits of a probability, and the docs show the same digits everywhere. So the shipped
model labelled the corpus once (`python -m tools.pages --label`), and a test compares what it says today.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.codebook import Codebook, load_codebook
from pipeline.labels import unread
from pipeline.model import Classifier, Texts, load_classifier
from pipeline.records import Evidence, Labels, Stance, Topic, stable_id
from pipeline.sieve import may_be_relevant
from tools.example.corpus import HERE, load_items

FILE = HERE / "labels.jsonl"
EARLIER = {"version": "1.1", "abstain": 0.7}  # a codebook that was stricter, for what a new one changes


def codebook(*, earlier: bool = False) -> Codebook:
    """Return the shipped codebook, or the stricter one that the example began with."""
    shipped = load_codebook(None)
    if not earlier:
        return shipped
    limits = shipped.thresholds.model_copy(update={"abstain": EARLIER["abstain"]})
    return shipped.model_copy(update={"version": EARLIER["version"], "thresholds": limits})


class Recorded:
    """Answers as the model did. Not a record: it is a `Classifier`."""

    def __init__(self, book: Codebook, path: Path = FILE) -> None:
        self.codebook = book
        head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        self.model_id, self.revision = head["model_id"], head["revision"]
        self.calibration: dict[str, Any] | None = None
        self._known: dict[str, dict[str, Any]] = {line["key"]: line["labels"] for line in lines}

    def label(self, docs: Texts) -> list[Labels]:
        """Return the labels of (title, text, language) in order; KeyError for a text that was not recorded."""
        return [self._one(*doc) for doc in docs]

    def _one(self, title: str, text: str, lang: str | None) -> Labels:
        if not may_be_relevant(self.codebook.relevance.terms, title, text):
            return unread(text, self.codebook, lang=lang, known=True)
        said = self._known[stable_id(title, text)]
        topics = tuple(Topic(**topic) for topic in said["topics"])
        return Labels(**{**said, "topics": topics, "stances": tuple(self._stance(one) for one in said["stances"])})

    def _stance(self, said: dict[str, Any]) -> Stance:
        likeliest = max(said[name] for name in ("p_favor", "p_against", "p_neutral"))
        abstain = said["addressed"] and likeliest < self.codebook.thresholds.abstain
        evidence = tuple(Evidence(**one) for one in said["evidence"])
        return Stance(**{**said, "abstain": abstain, "evidence": evidence})


def shipped_model() -> Classifier:
    """Load the model of the package."""
    return load_classifier(None, codebook())


def texts() -> list[tuple[str, str, str | None]]:
    """Return title, text and language of what the model reads: the others have none of the codebook's terms."""
    terms = codebook().relevance.terms
    known = [(item.title, item.text, item.lang) for item in load_items() if item.text]
    return [(title, text, lang) for title, text, lang in known if may_be_relevant(terms, title, text)]


def record(path: Path = FILE) -> int:
    """Let the shipped model label what may be relevant, write the file anew, and return how many texts it has labels of."""
    model, read = shipped_model(), texts()
    found = model.label(read)
    lines: list[dict[str, Any]] = [{"model_id": model.model_id, "revision": model.revision}]
    lines += [{"key": stable_id(*each[:2]), "labels": asdict(said)} for each, said in zip(read, found, strict=True)]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8", newline="\n")
    return len(found)

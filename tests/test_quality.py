"""The quality gate: figures of the package's model on texts that it was not trained on must not fall below their floors.

`tests/data/floors.json` holds the floors; they only rise. The coded passages are third-party text and not in the
repository: STANCEWATCH_CODED names a folder that holds `dev.jsonl`. Nor are the pages of the extraction's gate:
STANCEWATCH_PAGES names a folder for `benchmarks/extraction.py`, by default `shared/data/extraction` beside the repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.codebook import load_codebook
from pipeline.evaluate import evaluate, read_rows
from pipeline.model import Classifier, load_classifier
from tests.support.gate import PAGES

DATA = Path(__file__).parent / "data"
FLOORS = json.loads((DATA / "floors.json").read_text("utf-8"))
CODED = os.environ.get("STANCEWATCH_CODED", "")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(None, load_codebook())


def test_two_targets_in_one_text_keep_their_own_stance(classifier: Classifier) -> None:
    rows = list(read_rows(DATA / "target_swap.jsonl"))
    found = classifier.label([(row["title"], row["text"], row["lang"]) for row in rows])
    right = []
    for row, labels in zip(rows, found, strict=True):
        gold = {**dict.fromkeys(row["gold"]["fav"], "favor"), **dict.fromkeys(row["gold"]["ag"], "against")}
        said = {stance.target: stance.label for stance in labels.stances}
        right.append(all(said[target] == label for target, label in gold.items()))
    assert sum(right) / len(right) >= FLOORS["target_swap"]


@pytest.fixture(scope="module")
def figures(classifier: Classifier) -> dict[str, float]:
    return evaluate(read_rows(Path(CODED) / "dev.jsonl"), classifier)


if CODED:

    @pytest.mark.parametrize("name", sorted(FLOORS["dev"]))
    def test_coded_passages(name: str, figures: dict[str, float]) -> None:
        assert figures[name] >= FLOORS["dev"][name]


if PAGES:

    def test_extraction_keeps_its_floors() -> None:
        benchmark = Path(__file__).parents[1] / "benchmarks" / "extraction.py"
        done = subprocess.run(
            [sys.executable, str(benchmark), "--json", str(PAGES)], capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
        fallen = {
            (where, name): (found[where][name], floor)
            for where, floors in FLOORS["extraction"].items()
            for name, floor in floors.items()
            if (found[where][name] > floor if name == "refused" else found[where][name] < floor)
        }
        assert not fallen

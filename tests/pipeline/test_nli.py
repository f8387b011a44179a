"""Models that users bring: inference and classification by transformers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import ConfigError
from pipeline.model import load_classifier
from pipeline.weights import model_folder
from tests.support.models import base_encoder, sequence_model

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'stancewatch[torch]'")
LAW = "Parliament must pass a law on artificial intelligence. An independent regulator needs power over it."
DOCS = [
    ("A law", LAW, "en"),
    ("", "一部人工智能法律是必要的。监管机构应当有权停止危险的系统。", None),
    ("", LAW * 60, "en"),
    ("", "", None),
]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    book = load_codebook()
    return book.model_copy(update={"topics": book.topics[:2], "targets": book.targets[:2],
                                   "thresholds": book.thresholds.model_copy(update={"relevance": 0.0})})  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        ["entailment", "neutral", "contradiction"],
        ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"],
        ["entailment", "not_entailment"],
    ],
    ids=["three", "other order", "two"],
)
def test_inference_labels_everything_whatever_shares_the_batch(
    tmp_path: Path, codebook: Codebook, names: list[str]
) -> None:
    classifier = load_classifier(sequence_model(tmp_path / "nli", names), codebook)
    together = classifier.label(DOCS)
    assert [classifier.label([doc])[0] for doc in DOCS] == together
    for (_, text, _), labels in zip(DOCS, together, strict=True):
        assert [s.target for s in labels.stances] == [t.id for t in codebook.targets]
        assert [t.topic for t in labels.topics] == [t.id for t in codebook.topics]
        for stance in labels.stances:
            assert stance.p_favor + stance.p_against + stance.p_neutral == pytest.approx(1, abs=3e-6)
            assert bool(stance.evidence) == (stance.label != "neutral")
            assert all(text[e.start : e.end] == e.text for e in stance.evidence)


def test_the_order_of_the_classes_is_read_from_the_configuration(tmp_path: Path, codebook: Codebook) -> None:
    one = sequence_model(tmp_path / "one", ["entailment", "neutral", "contradiction"])
    other = sequence_model(tmp_path / "other", ["contradiction", "neutral", "entailment"])  # the same weights
    (a,), (b,) = (load_classifier(folder, codebook).label(DOCS[:1]) for folder in (one, other))
    for x, y in zip(a.stances, b.stances, strict=True):
        assert (x.p_favor, x.p_against) == (y.p_against, y.p_favor)


def test_classes_with_the_codebooks_names(tmp_path: Path, codebook: Codebook) -> None:
    sides = [f"{t.id}:{side}" for t in codebook.targets for side in ("against", "favor")]
    names = [*sides, *(t.id for t in codebook.topics), "relevance"]
    classifier = load_classifier(sequence_model(tmp_path / "classes", names), codebook)
    assert len(classifier.label(DOCS)) == len(DOCS)
    with pytest.raises(ConfigError, match="no class binding_rules:favor"):
        load_classifier(tmp_path / "classes", load_codebook().model_copy(update={"topics": codebook.topics}))


def test_inference_labels_what_the_heads_do_not_know(tmp_path: Path) -> None:
    source = (model_folder(None).parent / "codebook.toml").read_text("utf-8")
    path = tmp_path / "codebook.toml"
    path.write_text(source + '\n[[targets]]\nid = "moratorium"\nproposition = "A pause is needed."\n', "utf-8")
    book = load_codebook(path)
    nli = sequence_model(tmp_path / "nli", ["entailment", "neutral", "contradiction"])
    classifier = load_classifier(None, book, nli=nli)
    law, cake = classifier.label([("A law", LAW, "en"), ("", "Beat the eggs with sugar until they are pale.", "en")])
    plain = load_classifier(None, load_codebook()).label([("A law", LAW, "en")])[0]
    assert law.stances[:-1] == plain.stances
    assert law.stances[-1].target == "moratorium"
    assert law.stances[-1].p_neutral < 1
    assert (cake.stances[-1].label, cake.stances[-1].p_neutral) == ("neutral", 1.0)
    assert "nli" in classifier.model_id


def test_weights_that_do_not_fit_are_refused(tmp_path: Path, codebook: Codebook) -> None:
    folder = base_encoder(tmp_path / "bare")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"}})
    )
    with pytest.raises(ConfigError, match="classifier"):
        load_classifier(folder, codebook)
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(ConfigError, match="code of its own"):
        load_classifier(folder, codebook)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="pickled"):
        load_classifier(folder, codebook)
    other = sequence_model(tmp_path / "other", ["LABEL_0", "LABEL_1"])
    with pytest.raises(ConfigError, match="no class relevance"):
        load_classifier(other, codebook)

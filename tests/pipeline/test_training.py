"""Training: groups that never straddle a split, calibration that moves no label, heads and fine-tuning end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.codebook import load_codebook
from pipeline.encoder import Encoded, Window
from pipeline.errors import ConfigError
from pipeline.evaluate import read_rows
from pipeline.heads import FILES as HEAD_FILES
from pipeline.heads import logits, probabilities, read_heads
from pipeline.labels import labels as to_labels
from pipeline.metrics import calibration_error
from pipeline.model import load_classifier
from pipeline.training import data
from pipeline.training.calibrate import Calibration, apply, calibrate, move
from pipeline.training.train import save, train_heads
from pipeline.weights import model_folder
from tests.support.models import base_encoder, random_scores

WRITTEN = Path(__file__).parents[2] / "tools" / "passages" / "written"


def passages(number: int) -> list[dict[str, Any]]:
    """Return written passages, relevant and irrelevant by turns, with an outlet for every four."""
    rules, others = (list(read_rows(WRITTEN / f"{name}.jsonl")) for name in ("binding_rules", "relevance"))
    mixed = [row for pair in zip(rules, others, strict=False) for row in pair][:number]
    return [{**row, "outlet": f"outlet {n // 4}", "title": f"{n}"} for n, row in enumerate(mixed)]


def test_an_outlet_and_a_document_never_straddle_a_split() -> None:
    rows = [
        {"outlet": "a", "title": "One [part 1]", "gold": {"rel": 1}},
        {"outlet": "b", "title": "one [part 2]", "gold": {"rel": 0}},
        {"outlet": "b", "title": "Two", "gold": {"rel": 1}},
        {"outlet": "", "title": "Three", "gold": {"rel": 0}},
        {"title": "", "gold": {"rel": 0}},
    ]
    groups = data.group(rows)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3
    many = passages(40)
    number = data.group(many)
    for train, test in data.folds(many, 4):
        assert not set(number[train]) & set(number[test])


def test_corrections_change_what_is_learnt_and_name_strangers(tmp_path: Path) -> None:
    rows = passages(2)
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps({"id": rows[0]["id"], "gold": {"fav": ["us_approach"]}}) + "\n")
    mended = data.corrected(rows, path)
    assert mended[0]["gold"]["fav"] == ["us_approach"]
    assert mended[0]["gold"]["topics"] == rows[0]["gold"]["topics"]
    assert rows[0]["gold"]["fav"] != ["us_approach"]
    assert mended[1] == rows[1]
    path.write_text('{"id": "nobody", "gold": {}}\n')
    with pytest.raises(ConfigError, match="nobody"):
        data.corrected(rows, path)
    path.write_text("{}\n")
    with pytest.raises(ConfigError, match="line 1"):
        data.corrected(rows, path)


def test_calibration_finds_the_shift_and_the_temperature() -> None:
    rng = np.random.default_rng(1)
    true = {"relevance": rng.normal(0, 2, (4000, 1)), "topic": rng.normal(-1, 2, (4000, 3)),
            "addressed": rng.normal(-1, 2, (4000, 2)), "stance": rng.normal(0, 1.5, (4000, 2, 3))}  # fmt: skip
    y: dict[str, Any] = {
        n: rng.random(true[n].shape) < 1 / (1 + np.exp(-true[n])) for n in ("relevance", "topic", "addressed")
    }
    share = np.exp(true["stance"]) / np.exp(true["stance"]).sum(-1, keepdims=True)
    y["stance"] = (rng.random((4000, 2, 1)) > share.cumsum(-1)).sum(-1)
    y["stance"][~y["relevance"][:, 0]] = 0
    z = {name: 3 * values for name, values in true.items()}  # three times too sure
    by = calibrate(z, y)
    assert by.temperature["relevance"] == pytest.approx(3, rel=0.2)
    p = 1 / (1 + np.exp(-(z["relevance"] - by.shift["relevance"]) / by.temperature["relevance"]))
    raw = 1 / (1 + np.exp(-z["relevance"]))
    assert calibration_error(y["relevance"], p) < calibration_error(y["relevance"], raw)


def test_a_temperature_moves_no_label() -> None:
    book = load_codebook()
    z = random_scores(len(book.topics), len(book.targets), seed=3)
    shift = dict.fromkeys(("relevance", "topic", "addressed", "favor", "against"), 0.0)
    cold, warm = (
        move(z, Calibration(shift=shift, temperature=dict.fromkeys(("relevance", "topic", "addressed", "stance"), t)))
        for t in (0.5, 4.0)
    )
    spans, text = [(0, 4), (5, 9)], "One. Two."
    found = [to_labels(probabilities(s), spans, text, book, lang="en") for s in (cold, warm)]
    for side in ("topics", "stances"):
        assert [part.label for part in getattr(found[0], side)] == [part.label for part in getattr(found[1], side)]


def test_calibrated_heads_say_what_moved_logits_say() -> None:
    book = load_codebook()
    heads, _ = read_heads(model_folder(None), book, 384)
    rng = np.random.default_rng(2)
    window = Window(states=rng.normal(size=(9, 384)).astype(np.float32), sentence=np.repeat([-1, 0, 1], 3))
    document = Encoded(windows=(window,), spans=((0, 4), (5, 9)))
    shift = {"relevance": 0.4, "topic": -0.3, "addressed": 0.2, "favor": 1.1, "against": -0.7}
    by = Calibration(shift=shift, temperature={"relevance": 2.0, "topic": 0.5, "addressed": 1.5, "stance": 3.0})
    folded, moved = logits(apply(heads, by), document), move(logits(heads, document), by)
    assert folded.relevance == pytest.approx(moved.relevance)
    for part in ("topics", "addressed", "stances"):
        assert np.allclose(getattr(folded, part), getattr(moved, part))


def test_heads_for_a_codebook_of_ones_own(tmp_path: Path) -> None:
    rows = passages(64)
    for row in rows:
        row["gold"] = {**row["gold"], "topics": ["rules"] if row["gold"]["rel"] else [], "ag": [], "neu": [],
                       "fav": ["law"] if row["gold"]["rel"] else []}  # fmt: skip
    path = tmp_path / "codebook.toml"
    path.write_text(
        'version = "mine"\n[relevance]\ncovers = "law"\n[[topics]]\nid = "rules"\ncovers = "law"\n'
        '[[targets]]\nid = "law"\nproposition = "A law is needed."\n'
    )
    book = load_codebook(path)
    trained = train_heads(rows, rows, model_folder(None), book, 4)
    assert trained.figures["n"] == 64
    assert trained.figures["relevance_f1"] > 0.8
    save(trained, model_folder(None), tmp_path / "model", book, {"model_id": "mine", "languages": ["en"]})
    (labels,) = load_classifier(tmp_path / "model", book).label([("", rows[0]["text"], "en")])
    assert labels.relevant
    assert labels.stances[0].label == "favor"
    assert labels.stances[0].evidence
    about = json.loads((tmp_path / "model" / HEAD_FILES[0]).read_text())
    assert about["codebook_hash"] == book.hash
    assert about["cross_validation"]["interval"]["stance"]


def test_statements_teach_every_layer_and_leave_a_base(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'stancewatch[torch]'")
    from safetensors.torch import load_file

    from pipeline.training.learn import UNKNOWN, Recipe
    from pipeline.training.statements import Statement, of_codebook, of_passages, read_statements, teach

    base, book = base_encoder(tmp_path / "base"), load_codebook()
    lines = [{"text": "Lift the curbs.", "fav": [], "ag": ["restriction"], "neu": ["us_approach"]}]
    path = tmp_path / "statements.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    assert read_statements(path, book) == [Statement("Lift the curbs.", [0, 2, 0, 0, 0], [0, 1, 0, 0, 1])]
    text = "A treaty is overdue. The minister spoke for an hour about chips."
    gold = {
        "rel": 1,
        "topics": [],
        "fav": ["multilateral"],
        "ag": [],
        "neu": ["restriction"],
        "evidence": {"multilateral": [[0, 20]]},
    }
    found = of_passages([{"text": text, "gold": gold}], book)
    assert found == [
        Statement("A treaty is overdue.", [1, UNKNOWN, 0, 0, 0], [1, UNKNOWN, 0, 0, 0]),
        Statement(text[21:], [UNKNOWN, UNKNOWN, 0, 0, 0], [UNKNOWN, UNKNOWN, 0, 0, 0]),
    ]
    shown = of_codebook(book)
    assert len(shown) == sum(len(getattr(t.examples, k)) for t in book.targets for k in ("favor", "against", "neutral"))
    assert all(sum(s.addressed) == 1 and sum(map(bool, s.stance)) <= 1 for s in shown)
    assert {max(s.stance) for s in shown} == {0, 1, 2}
    out = teach(
        base, [*shown[:2], *found, *read_statements(path, book)], book, tmp_path / "out", Recipe(epochs=1, batch=2)
    )
    before, after = (load_file(folder / "model.safetensors") for folder in (base, out))
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert all(any(name.startswith(f"encoder.layer.{n}.") for name in moved) for n in (0, 1))
    assert not any(name.startswith("embeddings") for name in moved)
    path.write_text('{"text": "x", "fav": ["nobody"], "ag": [], "neu": []}\n', "utf-8")
    with pytest.raises(ConfigError, match=r"line 1: .*nobody"):
        read_statements(path, book)
    path.write_text('{"text": "x", "fav": ["restriction"], "ag": ["restriction"], "neu": []}\n', "utf-8")
    with pytest.raises(ConfigError, match=r"line 1: .* named twice"):
        read_statements(path, book)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_statements(tmp_path / "nowhere", book)


def test_what_written_rows_taught_of_frequency_is_not_exported(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'stancewatch[torch]'")
    from pipeline.training.network import Network

    torch.manual_seed(0)
    network = Network(base_encoder(tmp_path / "base"), topics=2, targets=3, frozen=1).eval()
    for parameter in (network.query, network.binary, network.stance, network.written_binary, network.written_stance):
        torch.nn.init.normal_(parameter)
    with torch.no_grad():
        states, mask = network.lower(torch.tensor([0, 5, 6, 2])).float()[None], torch.ones(1, 4)
        real, written = (network(states, mask, torch.tensor([flag]), mask[:, None]) for flag in (0.0, 1.0))
        seen = network.upper(states, mask)[0].numpy()
    read = logits(network.heads(), Encoded(windows=(Window(states=seen, sentence=np.full(4, -1)),), spans=()))
    np.testing.assert_allclose(read.stances, real.stance[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(read.topics, real.topic[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(written.stance - real.stance, network.written_stance.detach()[None], atol=1e-4)


def test_the_model_is_the_mean_of_the_networks_of_the_measured_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'stancewatch[torch]'")
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'stancewatch[torch]'")
    from pipeline.training import finetune, full
    from pipeline.training.learn import Recipe

    made: list[Any] = []
    train = finetune.fine_tune

    def kept(*args: Any) -> Any:
        made.append(train(*args))
        return made[-1]

    monkeypatch.setattr(full, "fine_tune", kept)
    base, book, rows = base_encoder(tmp_path / "base"), load_codebook(), passages(32)
    recipe = Recipe(epochs=1, batch=8, frozen=1, irrelevant=8)
    about = {"model_id": "tiny", "languages": ["en", "zh"]}
    trained = full.train_full(rows, rows, base, tmp_path / "model", book, recipe, 2, about)
    assert len(made) == 2
    assert not np.allclose(made[0].heads().attention, made[1].heads().attention)
    np.testing.assert_allclose(
        trained.heads.attention, (made[0].heads().attention + made[1].heads().attention) / 2, atol=1e-6
    )


def test_fine_tuning_end_to_end_and_torch_says_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'stancewatch[torch]'")
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'stancewatch[torch]'")
    from pipeline.training.full import train_full
    from pipeline.training.learn import Recipe

    base, book, rows = base_encoder(tmp_path / "base"), load_codebook(), passages(32)
    recipe = Recipe(epochs=1, batch=8, frozen=1, irrelevant=8)
    about = {"model_id": "tiny", "languages": ["en", "zh"]}
    trained = train_full(rows, rows, base, tmp_path / "model", book, recipe, 2, about, measure=1)
    assert 0 < trained.figures["n"] < 32
    light = load_classifier(tmp_path / "model", book)
    heavy = load_classifier(tmp_path / "model", book, device="cpu")
    docs = [("", row["text"], None) for row in rows]
    pairs = list(zip(light.label(docs), heavy.label(docs), strict=True))
    same = [
        a.label == b.label for x, y in pairs for a, b in zip(x.stances + x.topics, y.stances + y.topics, strict=True)
    ]
    assert np.mean(same) >= 0.99
    assert max(abs(x.p_relevant - y.p_relevant) for x, y in pairs) < 1e-3
    (base / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"model\.safetensors"):
        train_full(rows, rows, base, tmp_path / "other", book, recipe, 2, about)

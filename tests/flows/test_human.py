"""`stancewatch human`: a coded file into the warehouse, a sample out of it and back."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.commands.human import export
from tests.support.store import Store, stanced
from warehouse.query import run_checks


def human(*arguments: str, store: Store) -> Result:
    return CliRunner().invoke(app, ["human", *arguments, "--warehouse", store.target])


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """Two documents by id and by address; one line is broken, one names an unknown document."""
    lines = [
        {"document_id": "d1", "relevance": True, "stances": {"binding_rules": "favor"}},
        {"document_id": "d1", "stances": {"binding_rules": "sideways"}},
        {"url": "https://x/e4?utm_source=tool", "stances": {"binding_rules": "against"}},
        {"document_id": "d9", "relevance": False},
        {"document_id": "d2", "stances": {"binding_rules": "neutral"}},
        {"document_id": "d2"},
    ]
    path = tmp_path / "coded.jsonl"
    path.write_text("\ufeff" + "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def labels(store: Store) -> list[tuple[object, ...]]:
    sql = "SELECT document_id, coder, target, label FROM current_human_label ORDER BY ALL"
    return [tuple(row.values()) for row in store.rows(sql)]


def test_good_lines_go_in_and_bad_ones_are_named(filled: Store, coded: Path) -> None:
    done = human("import", str(coded), "--coder", "ada", store=filled)
    assert done.exit_code == 1
    assert re.findall(r"coded\.jsonl, line (\d+): ", done.stderr) == ["2", "4", "5"]
    assert "no document d9" in done.stderr
    assert "against in line 3" in done.stderr
    assert "3 labels, 3 of them new" in done.stdout
    expected = [
        ("d1", "ada", "binding_rules", "favor"),
        ("d1", "ada", "relevance", "yes"),
        ("d2", "ada", "binding_rules", "against"),
    ]
    assert labels(filled) == expected
    again = human("import", str(coded), "--coder", "ada", store=filled)
    assert "0 of them new" in again.stdout
    assert labels(filled) == expected
    assert run_checks(filled.target) == {}


def test_a_file_that_is_touched_again_says_the_same(filled: Store, tmp_path: Path) -> None:
    for name, label, second in (("a.csv", "favor", 1_000), ("b.csv", "against", 2_000)):
        (tmp_path / name).write_text(f"document_id,target,label\nd1,binding_rules,{label}\n", encoding="utf-8")
        os.utime(tmp_path / name, (second, second))
    for name in ("a.csv", "b.csv", "a.csv"):
        assert human("import", str(tmp_path / name), "--coder", "ada", store=filled).exit_code == 0
    assert labels(filled) == [("d1", "ada", "binding_rules", "against")]
    os.utime(tmp_path / "b.csv", (3_000, 3_000))
    assert "0 of them new" in human("import", str(tmp_path / "b.csv"), "--coder", "ada", store=filled).stdout


def test_what_is_no_coded_file_changes_nothing(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(
        "document_id,target,label\nd1,binding_rules,favor\nd\xe9,x,y\n".encode("latin-1")
    )
    done = human("import", str(tmp_path / "latin.csv"), "--coder", "ada", store=filled)
    assert done.exit_code == 1
    assert "line 3: not UTF-8" in done.stderr
    assert human("import", str(tmp_path / "none.csv"), store=filled).exit_code == 1
    assert labels(filled) == []


def test_a_sample_comes_back_with_its_weights(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stanced(store, {"a": "favor", "b": "neutral", "c": "neutral"})
    with pytest.raises(typer.Exit):
        export(size=1, warehouse=store.target)
    assert "2 kinds of labels" in capfd.readouterr().err
    export(size=2, warehouse=store.target)
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {row["id"]: row["weight"] for row in rows} in ({"a": 1.0, "b": 2.0}, {"a": 1.0, "c": 2.0})
    assert all(set(row) == {"id", "title", "text", "url", "lang", "weight"} for row in rows)
    (tmp_path / "back.jsonl").write_text(
        "".join(json.dumps({**row, "stances": {"binding_rules": "favor"}}) + "\n" for row in rows)
    )
    assert human("import", str(tmp_path / "back.jsonl"), "--coder", "ada", store=store).exit_code == 0
    assert [row["weight"] for row in store.rows("SELECT weight FROM human_label ORDER BY weight")] == [1.0, 2.0]

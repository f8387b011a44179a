"""`stancewatch query` as something to cite: formats, files, the row hash, and asking a kept result again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from tests.support.store import Store, document_rows, done, entry, poll
from warehouse.compact import compact
from warehouse.query import list_queries
from warehouse.result import answer
from warehouse.retention import erase

ASKED = ("query", "strongest_sentences", "--param", "target=binding_rules", "--param", "label=favor")


def stancewatch(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def kept(filled: Store, tmp_path: Path) -> dict[str, Path]:
    """The same result in every format, and a load after it."""
    files = {form: tmp_path / f"result.{form}" for form in ("csv", "json", "parquet", "table")}
    for form, path in files.items():
        done_ = stancewatch(*ASKED, "--warehouse", filled.target, "--format", form, "--out", str(path))
        assert (done_.exit_code, done_.stdout) == (0, ""), done_.output
    filled.load("poll", poll=[poll("p9", "f1", offered=1)], entry=[entry("e9")])
    filled.load("documents", entry=[done("e9", "d9")], **document_rows("d9", "e9"))
    return files


def test_every_format_says_the_same_of_itself(filled: Store, kept: dict[str, Path]) -> None:
    (described,) = duckdb.sql(f"SELECT decode(value) FROM parquet_kv_metadata('{kept['parquet']}')").fetchone() or ("",)
    said = json.loads(described)
    assert said == {name: json.loads(kept["json"].read_text())[name] for name in said}
    beside = json.loads(kept["csv"].with_name("result.csv.meta.json").read_text())
    assert beside == {**said, "format": "csv"}
    assert said["row_hash"] == hashlib.sha256(kept["csv"].read_bytes()).hexdigest()
    assert said["params"] == {"target": "binding_rules", "label": "favor", "voice": None, "bloc": None, "most": "20"}
    assert [run["label_run_id"] for run in said["label_runs"]] == ["m1"]
    for word in (said["snapshot"]["load_id"], said["row_hash"], "m1 (tiny abc)"):
        assert word in kept["table"].read_text()


def test_as_of_its_snapshot_it_is_the_same_bytes(filled: Store, kept: dict[str, Path]) -> None:
    load_id = json.loads(kept["json"].read_text())["snapshot"]["load_id"]
    for form, path in kept.items():
        again = stancewatch(*ASKED, "--warehouse", filled.target, "--format", form, "--as-of", load_id)
        assert again.stdout_bytes == path.read_bytes(), form
        assert stancewatch(*ASKED, "--warehouse", filled.target, "--format", form).stdout_bytes != path.read_bytes()


def test_a_kept_result_is_verified_and_a_changed_one_found(filled: Store, kept: dict[str, Path]) -> None:
    compact(filled.target)
    for path in kept.values():
        done_ = stancewatch("query", "--verify", str(path), "--warehouse", filled.target)
        assert (done_.exit_code, "is the same" in done_.stdout) == (0, True), done_.output
    for form in ("csv", "json"):
        kept[form].write_text(kept[form].read_text().replace("XX", "YY"))
        done_ = stancewatch("query", "--verify", str(kept[form]), "--warehouse", filled.target)
        assert (done_.exit_code, "the file was changed" in done_.stderr) == (1, True)
    erase(filled.target, "d1", "asked for")
    done_ = stancewatch("query", "--verify", str(kept["parquet"]), "--warehouse", filled.target)
    assert done_.exit_code == 1
    assert "answers differently now" in done_.stderr
    assert "removed since by erasure: 1 of document" in done_.stderr
    other = kept["json"].with_name("other.json")
    other.write_text('{"rows": []}')
    assert "is no result of" in stancewatch("query", "--verify", str(other), "--warehouse", filled.target).stderr


def test_csv_stays_clean_and_its_description_is_beside_it(filled: Store) -> None:
    done_ = stancewatch("query", "outcomes", "--warehouse", filled.target, "--format", "csv")
    assert done_.stdout.startswith("run_id,first_poll_at,")
    assert json.loads(done_.stderr)["row_hash"] == hashlib.sha256(done_.stdout_bytes).hexdigest()


def test_the_row_hash_of_every_query_survives_every_format(filled: Store, tmp_path: Path) -> None:
    for name, _ in list_queries():
        for form in ("json", "parquet"):
            path = tmp_path / f"{name}.{form}"
            stancewatch("query", name, "--warehouse", filled.target, "--format", form, "--out", str(path))
            done_ = stancewatch("query", "--verify", str(path), "--warehouse", filled.target)
            assert done_.exit_code == 0, f"{name} as {form}: {done_.output}"


def test_a_snapshot_that_is_none_is_said(filled: Store) -> None:
    done_ = stancewatch("query", "outcomes", "--warehouse", filled.target, "--as-of", "last week")
    assert (done_.exit_code, "no load of this id here" in done_.stderr) == (1, True)
    assert answer(filled.target, "outcomes", {}).snapshot.newest

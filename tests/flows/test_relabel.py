"""Relabelling: every stored document once a run, whatever is killed; labels of other runs never move."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from flows.rows import label_run_id
from flows.stages import CODE_VERSION, classifier_for
from pipeline.settings import load_settings
from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.query import run_checks, run_query
from warehouse.spool import deal, new_id, ready_loads, write_load
from warehouse.state import stored_documents, unlabelled

DOCUMENTS = 25  # a killer that comes late still comes before the last
LABELS = {
    "relevance": "SELECT document_id, label_run_id, p, label, abstain, input_hash FROM relevance_label ORDER BY ALL",
    "topics": "SELECT document_id, label_run_id, topic, p, label FROM topic_label ORDER BY ALL",
    "stances": "SELECT * EXCLUDE (load_id) FROM stance_label ORDER BY ALL",
    "evidence": "SELECT * EXCLUDE (load_id) FROM evidence ORDER BY ALL",
}
TREATY = "The United Nations should adopt a treaty on artificial intelligence, article {} says, that is open to all countries."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Documents with labels of a run m1; one has no title, one no language."""
    store = Store(tmp_path)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    names = [f"d{n:02}" for n in range(DOCUMENTS)]
    store.load("poll", poll=[poll("p1", "f1", offered=len(names))], entry=[entry(f"e-{name}") for name in names])
    rows = merged(*(document_rows(name, f"e-{name}", lang="en") for name in names))
    for n, text in enumerate(rows["document_text"]):
        text["text"] = TREATY.format(n) + "\u2028" + "\U0001f916 " * n
    rows["document"][0]["title"] = None
    rows["document"][1]["lang"] = None
    rows["evidence"].clear()
    store.load("documents", entry=[done(f"e-{name}", name) for name in names], **rows)
    return store


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A codebook that abstains more often than the one of the package."""
    text = (files("pipeline") / "data" / "codebook.toml").read_text(encoding="utf-8")
    path = tmp_path / "strict.toml"
    path.write_text(re.sub("\nabstain = .*", "\nabstain = 0.9999", text), encoding="utf-8")
    return path


class Bench:
    """Runs of the command in processes of their own, a document a batch."""

    def __init__(self, api: str, store: Store) -> None:
        self.store = store
        self.environment = {
            **os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(Path(store.target).parent / "home"),
            "STANCEWATCH_BATCH_SIZE": "1", "STANCEWATCH_WAREHOUSE": store.target,
        }  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "flows.cli", "relabel", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def kill_after(self, labelled: int, run: str, *arguments: str) -> None:
        """Kill a run once so many documents have labels of it."""
        process = self.start(*arguments)
        while len(self.labelled(run)) < labelled and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.communicate()

    def labelled(self, run: str) -> set[str]:
        rows = self.store.rows("SELECT document_id FROM relevance_label WHERE label_run_id = $run", run=run)
        return {row["document_id"] for row in rows}

    def labels(self) -> dict[str, list[dict[str, Any]]]:
        return {name: self.store.rows(sql) for name, sql in LABELS.items()}


def run_of(book: Path | None) -> str:
    return label_run_id(*classifier_for(load_settings(codebook=book)), CODE_VERSION)


def test_killed_and_repeated_it_goes_on_and_labels_nothing_twice(api: str, store: Store, book: Path) -> None:
    bench, run = Bench(api, store), run_of(book)
    before = bench.labels()
    data = Path(store.target).parent
    held = write_load(deal(data), new_id(), "poll", {"poll": [poll("p9", "f1")], "entry": []})  # of a killed pass
    for labelled in (1, 5):
        bench.kill_after(labelled, run, "--codebook", str(book))
        left = bench.labelled(run)
        assert labelled <= len(left) < DOCUMENTS
    assert not held.exists()
    assert store.rows("SELECT count(*) AS n FROM poll WHERE poll_id = 'p9'") == [{"n": 1}]
    output = bench.run("--codebook", str(book))
    assert "Changes against the newest other run" in output
    assert ready_loads(data) == []
    after = bench.labels()
    for name, rows in before.items():
        assert [row for row in after[name] if row["label_run_id"] == "m1"] == rows, name
    assert len(bench.labelled(run)) == DOCUMENTS
    assert {row["input_hash"] for row in after["relevance"] if row["label_run_id"] == run}.isdisjoint({"h", None})
    (kept,) = store.rows("SELECT calibration FROM label_run WHERE label_run_id = $run", run=run)
    assert json.loads(kept["calibration"])["measured"]["language"]["en"]["n"] > 0
    assert run_checks(store.target) == {}
    assert "0 documents labelled" in bench.run("--codebook", str(book))
    assert bench.labels() == after
    with_limit = bench.run("--limit", "2")
    assert "2 documents labelled" in with_limit
    other = run_of(None)
    assert len(bench.labelled(other)) == 2
    _, found = run_query(store.target, "label_changes", {"target": "relevance"})
    assert {(row[0], row[2]) for row in found} == {("en", 1), ("?", 1)}, "what both runs labelled, by language"


def test_what_waits_is_what_this_run_has_not_labelled(store: Store) -> None:
    assert unlabelled(store.target, "m1") == []
    assert unlabelled(store.target, "m2") == [f"d{n:02}" for n in range(DOCUMENTS)]
    assert unlabelled(store.target, "m2", 2) == ["d00", "d01"]
    documents = stored_documents(store.target, ["d01", "d00", "nobody"])
    assert [(row["document_id"], row["title"], row["lang"]) for row in documents] == [
        ("d00", "", "en"),
        ("d01", "d01", None),
    ]


def test_without_a_warehouse_it_says_so_and_leaves_nothing(api: str, tmp_path: Path) -> None:
    place = tmp_path / "none" / "w.duckdb"
    bench = Bench(api, Store(tmp_path))
    process = bench.start("--warehouse", str(place))
    output, _ = process.communicate()
    assert process.returncode == 1
    assert "no warehouse at" in output
    assert not place.parent.exists()

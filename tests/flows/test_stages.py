"""Stages as plain functions: what a killed pass leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from flows.stages import load_leftovers
from warehouse.spool import deal, new_id, ready_loads, work_folder, write_load


def test_a_broken_load_is_set_aside_and_stops_nobody(tmp_path: Path) -> None:
    work_folder(tmp_path)
    bad = write_load(deal(tmp_path), new_id(), "documents", {"entry": [{"entry_id": "e", "no_such_column": 1}]})
    good = write_load(deal(tmp_path), new_id(), "feeds", {"outlet": [], "feed": []})
    assert load_leftovers(str(tmp_path / "w.duckdb"), tmp_path) == 2
    assert ready_loads(tmp_path) == []
    assert not good.exists()
    assert (tmp_path / "spool-quarantine" / bad.name / "entry.jsonl").exists()
    assert load_leftovers(str(tmp_path / "w.duckdb"), tmp_path) == 0


def test_a_draft_of_a_killed_pass_is_dropped(tmp_path: Path) -> None:
    work = work_folder(tmp_path)
    (work / "half").mkdir()
    (work / "half" / "load.json").write_text("{}")
    assert ready_loads(tmp_path) == []
    assert list(work_folder(tmp_path).iterdir()) == []


def test_a_load_that_came_before_its_turn_is_dropped(tmp_path: Path) -> None:
    first, second, third = (deal(tmp_path) for _ in range(3))
    loads = [write_load(work, new_id(), "feeds", {"outlet": [], "feed": []}) for work in (first, third)]
    assert load_leftovers(str(tmp_path / "w.duckdb"), tmp_path) == 1
    assert not any(folder.exists() for folder in loads)
    assert second.exists()
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        assert con.execute("SELECT load_id FROM load").fetchall() == [(first.name,)]


def test_a_stored_load_whose_work_folder_stayed_behind_is_no_gap_for_earlier_ones(tmp_path: Path) -> None:
    first, second = deal(tmp_path), deal(tmp_path)
    write_load(first, new_id(), "feeds", {"outlet": [], "feed": []})
    assert load_leftovers(str(tmp_path / "w.duckdb"), tmp_path) == 1
    assert not first.exists()
    assert second.exists()


def test_threads_that_ask_for_the_model_at_once_get_the_same_one() -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor; from flows.stages import classifier_for\n"
        "from pipeline.settings import Settings\n"
        "with ThreadPoolExecutor(4) as pool: found = list(pool.map(classifier_for, [Settings()] * 4))\n"
        "assert len({id(classifier) for classifier, _ in found}) == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

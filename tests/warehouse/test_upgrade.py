"""The way from the release before: its warehouse, as `stancewatch demo` of 0.1.0 left it, under this version.

After a release, the demo of that version makes the next file here (docs/upgrading.md).
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.health import examine
from pipeline.errors import WarehouseError
from pipeline.settings import Settings
from tests.support.store import Store, entry, outlet, poll
from warehouse.backup import backup
from warehouse.load import finish_run
from warehouse.publish import publish
from warehouse.query import list_queries, run_checks, run_query
from warehouse.restore import restore
from warehouse.result import answer, row_hash

RELEASE = Path(__file__).parents[1] / "data" / "release-0.1.0.duckdb.gz"
COUNTS = "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM entry), (SELECT count(*) FROM stance_label), (SELECT count(*) FROM evidence)"


@pytest.fixture
def old(tmp_path: Path) -> Store:
    (tmp_path / "w.duckdb").write_bytes(gzip.decompress(RELEASE.read_bytes()))
    return Store(tmp_path)


def ask(path: str | Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_pass_brings_it_to_this_version_and_loses_nothing(old: Store) -> None:
    before = ask(old.target, COUNTS)
    assert before[0][0] >= 40, "else there is nothing to lose"
    stances = ask(old.target, "SELECT * FROM current_stance ORDER BY ALL")
    newest = str(ask(old.target, "SELECT arg_max(load_id, loaded_at) FROM load")[0][0])
    was = answer(old.target, "outcomes", {}, newest)
    old.load("feeds", "run-new", outlet=[outlet("new")], feed=[])
    old.load("poll", "run-new", poll=[poll("p", "f", offered=1)], entry=[entry("fresh", 0, "f", "new")])
    finish_run(old.target, "run-new", datetime.now(UTC), {}, memory=1)
    publish(old.target)
    ((documents, entries, *labels),) = before
    assert ask(old.target, COUNTS) == [(documents, entries + 1, *labels)]
    assert ask(old.target, "SELECT * FROM current_stance ORDER BY ALL") == stances
    for name, _ in list_queries():
        run_query(old.target, name)
    assert examine(Settings(warehouse=old.target)).vitals["passes"][0]["run_id"] == "run-new"
    now = answer(old.target, "outcomes", {}, newest)
    assert row_hash(now.columns, now.rows) == row_hash(was.columns, was.rows), "as of a load of the old version"


def test_the_rules_hold_over_it(old: Store) -> None:
    publish(old.target)
    assert run_checks(old.target) == {}


def test_before_the_first_pass_it_says_what_to_do(old: Store) -> None:
    with pytest.raises(WarehouseError, match="run a pass or publish"):
        examine(Settings(warehouse=old.target))


def test_a_backup_of_it_is_restored_by_this_version(old: Store, tmp_path: Path) -> None:
    backup(old.target, tmp_path, tmp_path / "backup", spool=False, warc=False, force=False)
    goal = tmp_path / "new" / "w.duckdb"
    restore(tmp_path / "backup", str(goal), goal.parent, force=False)
    assert ask(goal, COUNTS) == ask(old.target, COUNTS)

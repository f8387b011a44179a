"""Whether something needs a person: one case for each reason, over a real warehouse, and the command as a health check."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import namedtuple
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.health import REASONS, examine, readings
from flows.telemetry import GAUGES
from pipeline.errors import WarehouseError
from pipeline.settings import Settings
from tests.support.store import Store, document_rows, done, entry, feed, outlet, poll
from warehouse.connect import connect
from warehouse.health import record_checks
from warehouse.kept import rebuild
from warehouse.load import finish_run
from warehouse.publish import publish

ELSEWHERE = "import sys, time; from warehouse.lock import pass_lock\nwith pass_lock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of three outlets, with an entry that is due, and a pass that ended now."""
    store = Store(tmp_path_factory.mktemp("made"))
    store.load("feeds", outlet=[outlet(f"o{n}") for n in (1, 2, 3)], feed=[feed(f"f{n}", f"o{n}") for n in (1, 2, 3)])
    store.load("poll", poll=[poll("p1", "f1", offered=2)], entry=[entry("e1", 0), entry("e2", 1)])
    store.load("documents", entry=[done("e1", "d1")], **document_rows("d1", "e1"))
    took = {"stage": "fetch", "batches": 2, "seconds": 3.0, "slowest": 2.0}
    finish_run(store.target, "run-1", datetime.now(UTC), {}, stages=[took], memory=5)
    change(
        store,
        "UPDATE entry SET next_attempt_at = now() WHERE outcome = 'pending'; UPDATE feed SET next_poll_at = now()",
    )
    publish(store.target)
    return Path(store.target)


@pytest.fixture
def well(made: Path, tmp_path: Path) -> Store:
    for name in ("w.duckdb", "w.published.duckdb"):
        shutil.copy(made.with_name(name), tmp_path)
    return Store(tmp_path)


def change(store: Store, sql: str) -> None:
    con = connect(store.target)
    con.execute(sql)
    rebuild(con)
    con.close()


def status(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["status", "--warehouse", store.target, *arguments])


def found(store: Store, **settings: float) -> list[str]:
    publish(store.target)
    return [each.reason for each in examine(Settings(warehouse=store.target, **settings)).reasons]  # type: ignore[arg-type]


BROKEN = {
    "pass_overdue": "UPDATE run SET finished_at = now() - INTERVAL 4 HOUR",
    "pending_old": "UPDATE entry SET next_attempt_at = now() - INTERVAL 49 HOUR WHERE entry_id = (SELECT min(entry_id) FROM entry WHERE outcome = 'pending')",
    "quarantine_growing": "INSERT INTO entry BY NAME SELECT 'q' || n AS entry_id, 'f1' AS feed_id, 'pending' AS outcome, now() AS quarantined_at FROM range(20) AS t(n)",
    "feeds_failing": "UPDATE feed SET failures = 1",
    "sources_dark": "UPDATE outlet_day SET n_seen = 0; INSERT INTO outlet_day BY NAME SELECT 'o3' AS outlet_id, today() AS day, 5 AS polls, 0 AS failed_polls, now() AS computed_at; UPDATE load SET loaded_at = loaded_at - INTERVAL 8 DAY",
    "maintenance_overdue": "UPDATE load SET loaded_at = loaded_at - INTERVAL 16 DAY",
}


@pytest.mark.parametrize("reason", BROKEN)
def test_each_reason_has_its_sign_in_the_warehouse(well: Store, reason: str) -> None:
    assert found(well) == []
    change(well, BROKEN[reason])
    assert found(well) == [reason]


def test_rules_that_maintenance_found_broken_are_told_until_it_finds_them_whole(well: Store) -> None:
    record_checks(well.target, {"stories": 2, "duplicate_keys": 0})
    assert found(well) == ["checks_failing"]
    record_checks(well.target, {"stories": 0, "duplicate_keys": 0})
    assert found(well) == []


def test_a_disk_that_takes_no_copy_and_a_load_set_aside(well: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(well.target).parent / "spool-quarantine" / "x").mkdir(parents=True)
    assert found(well) == ["loads_set_aside"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 1 << 30))
    assert found(well) == ["disk_low", "loads_set_aside"]


def test_a_pass_at_work_is_not_overdue_and_one_that_stands_still_is_stuck(well: Store) -> None:
    change(well, BROKEN["pass_overdue"])
    publish(well.target)
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, well.target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert found(well) == []
        (stuck,) = examine(Settings(warehouse=well.target, pass_within=1e-6)).reasons
        assert stuck.reason == "pass_stuck"
        assert f"kill {other.pid}" in stuck.way_out
        other.stdin.close()
    assert found(well) == ["pass_overdue"]


def test_every_reason_is_tried_here() -> None:
    assert {*BROKEN, "checks_failing", "disk_low", "loads_set_aside", "pass_stuck"} == set(REASONS)


def test_the_command_is_a_health_check_also_while_somebody_writes(well: Store) -> None:
    with duckdb.connect(well.target):  # nobody else gets in
        done = status(well, "--brief")
    assert (done.exit_code, done.stdout) == (0, "nothing needs a person\n")
    shown = json.loads(status(well, "--json").stdout)
    assert (shown["healthy"], shown["reasons"]) == (True, [])
    assert shown["vitals"]["stages"] == [{"stage": "fetch", "batches": 2, "mean": 1.5, "slowest": 2.0, "seconds": 3.0}]
    assert shown["vitals"]["passes"][0]["memory"] == 5
    tables = status(well).stdout
    assert all(name in tables for name in ("entries", "stages", "queues", "disk_free", "source_health"))
    change(well, BROKEN["pass_overdue"])
    publish(well.target)
    done = status(well, "--brief")
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "pass_overdue: the newest pass ended 4.0 hours ago, and none is at work. Way out: see whether"
    )
    shown = json.loads(status(well, "--json").stdout)
    assert (shown["healthy"], [each["reason"] for each in shown["reasons"]]) == (False, ["pass_overdue"])


def test_the_readings_fit_the_gauges(well: Store) -> None:
    told = list(readings(examine(Settings(warehouse=well.target))))
    assert {name for name, _, _ in told} <= set(GAUGES)
    entries = {said["outcome"]: value for name, value, said in told if name == "stancewatch.entries"}
    assert entries == {
        row["outcome"]: row["n"] for row in well.rows("SELECT outcome, count(*) AS n FROM entry GROUP BY outcome")
    }


def test_where_there_is_no_warehouse_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no warehouse at"):
        examine(Settings(warehouse=str(tmp_path / "w.duckdb")))
    assert list(tmp_path.iterdir()) == []

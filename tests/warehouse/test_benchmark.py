"""The benchmark of speed at a small size: it generates, asks, compares and loads, so that it does not rot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.generated_warehouse import generate
from benchmarks.loading import OTHER_SEED, loaded_a_second
from benchmarks.plain_tables import NAMES, in_postgres, in_sqlite
from benchmarks.queries import bytes_beside_text
from benchmarks.timing import ask
from tests.support.postgres import Postgres
from warehouse.connect import reading
from warehouse.kept import strayed
from warehouse.query import list_queries

SILENT = {
    "burst_days",
    "drift",
    "event_shift",
    "label_changes",
    "net_stance",
    "over_coverage",
    "telling_words",
}  # may need more


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("generated") / "w.duckdb"
    generate(target, 600, outlets=12, days=60)
    return target


def test_every_query_is_timed_and_finds_something(generated: Path) -> None:
    for name, _ in list_queries():
        times = ask(generated, name)
        assert times.rows or name in SILENT, name
        assert times.cold > 0
    assert bytes_beside_text(generated) > 0


def test_the_same_seed_is_the_same_warehouse(generated: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.duckdb", tmp_path / "other.duckdb"
    generate(again, 600, outlets=12, days=60)
    generate(other, 600, seed=2, outlets=12, days=60)
    answers = [ask(each, "amplification").answer for each in (generated, again, other)]
    assert answers[0] == answers[1] != answers[2]


def test_plain_tables_say_the_same(generated: Path, tmp_path: Path, postgres: Postgres) -> None:
    assert set(in_sqlite(generated, tmp_path)) == set(in_postgres(generated, postgres.new_database())) == set(NAMES)


def test_what_is_loaded_is_kept_up_to_date(generated: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "source.duckdb", tmp_path / "w.duckdb"
    generate(source, 60, OTHER_SEED, outlets=3, days=20)
    shutil.copy(generated, target)
    assert loaded_a_second(source, target, 20, 3)[0] > 0
    with reading(str(target)) as con:
        assert con.execute("SELECT count(*) FROM kept_document").fetchone() == (660,)
        assert strayed(con) == []

"""A warehouse file from anywhere: damaged, of something else, or with views and macros of its own that reach for more."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import WarehouseError
from tests.support.store import Store
from warehouse.connect import connect, reading
from warehouse.query import run_query
from warehouse.result import as_parquet


def test_a_view_that_reads_files_reads_none(filled: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nopen-sesame\n", encoding="utf-8")
    for source in (f"read_text('{secret}')", f"read_csv('{secret}')", f"glob('{tmp_path}/*')"):
        with duckdb.connect(filled.target) as con:
            con.execute(f"CREATE OR REPLACE VIEW outcome_by_run AS SELECT * FROM {source}")
        with pytest.raises((duckdb.Error, WarehouseError), match=r"disabled|needs") as raised:
            run_query(filled.target, "outcomes")
        assert "open-sesame" not in str(raised.value)


def test_a_session_over_it_writes_nothing_and_cannot_be_let_out(filled: Store, tmp_path: Path) -> None:
    with reading(filled.target) as con, reading(filled.target):  # a second one in the same process is as confined
        for bad in (
            f"COPY entry TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.duckdb'",
            "LOAD httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error, match=r"disabled|Cannot enable"):
                con.execute(bad)
    assert not (tmp_path / "out.csv").exists()
    assert as_parquet(filled.target, "outcomes", {})[1].startswith(b"PAR1"), "a result may leave"


@pytest.mark.parametrize("kept", [0, 100, 5000, 300_000])
def test_a_file_that_was_cut_is_refused_with_its_name(filled: Store, kept: int) -> None:
    path = Path(filled.target)
    data = path.read_bytes()
    path.write_bytes(data[:kept])
    if kept == 0:  # what DuckDB takes for a new database has none of our tables
        with pytest.raises((WarehouseError, duckdb.Error)):
            run_query(filled.target, "outcomes")
        return
    with pytest.raises(WarehouseError, match=r"w\.duckdb cannot be opened"):
        connect(filled.target, wait=0)
    with pytest.raises(WarehouseError, match=r"w\.duckdb"):
        run_query(filled.target, "outcomes")


def test_a_file_with_other_bytes_in_its_blocks_is_refused(filled: Store) -> None:
    path = Path(filled.target)
    data = bytearray(path.read_bytes())
    for at in range(12288, len(data), 4096):
        data[at : at + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(WarehouseError, match=r"w\.duckdb"):
        connect(filled.target, wait=0)

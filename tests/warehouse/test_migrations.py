"""Migrations: everything is described, nothing needs what DuckLake lacks, an applied file never changes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigError, WarehouseError
from tests.support.store import Store
from warehouse.connect import connect, published_path
from warehouse.kept import rebuild
from warehouse.load import STEPS
from warehouse.migrate import MIGRATIONS, VIEWS, migrate


def test_every_table_column_and_view_has_a_comment(store: Store) -> None:
    bare = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL AND table_name IN (SELECT table_name FROM duckdb_tables())"
    assert store.rows(bare) == []
    assert store.rows("SELECT table_name FROM duckdb_tables() WHERE comment IS NULL") == []
    assert store.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL") == []


def test_no_keys_indexes_or_sequences(store: Store) -> None:
    assert store.rows("SELECT * FROM duckdb_constraints()") == []
    assert store.rows("SELECT * FROM duckdb_indexes()") == []
    assert store.rows("SELECT * FROM duckdb_sequences()") == []


def test_times_have_a_zone_and_every_table_a_load(store: Store) -> None:
    times = (
        "SELECT DISTINCT data_type FROM duckdb_columns() WHERE NOT internal AND column_name LIKE '%\\_at' ESCAPE '\\'"
    )
    assert store.rows(times) == [{"data_type": "TIMESTAMP WITH TIME ZONE"}]
    sql = "SELECT table_name FROM duckdb_tables() WHERE table_name NOT IN (SELECT table_name FROM duckdb_columns() WHERE column_name = 'load_id')"
    assert {row["table_name"] for row in store.rows(sql)} == {"migration", "view_source", "kept_document"}


def test_views_are_the_files(store: Store) -> None:
    names = {row["view_name"] for row in store.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal")}
    assert names == {path.stem for path in VIEWS.glob("*.sql")}


def test_views_keep_the_columns_that_analysts_use(store: Store) -> None:
    """Views are the public interface: a column that is gone, renamed or of another type breaks what people wrote.

    A new column goes into `tests/data/views.json` with the change that brings it.
    """
    sql = """
        SELECT table_name AS view, column_name AS name, data_type AS type FROM duckdb_columns()
        WHERE NOT internal AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)
        ORDER BY table_name, column_index
    """
    found: dict[str, dict[str, str]] = {}
    for row in store.rows(sql):
        found.setdefault(row["view"], {})[row["name"]] = row["type"]
    assert found == json.loads((Path(__file__).parents[1] / "data" / "views.json").read_text("utf-8"))


OLD_VIEWS = {  # as the versions before revisions had them
    "current_label_run": "CREATE VIEW current_label_run AS SELECT document_id, label_run.* FROM relevance_label JOIN label_run USING (label_run_id);",
    "current_evidence": "CREATE VIEW current_evidence AS SELECT evidence.* FROM evidence JOIN current_label_run USING (document_id, label_run_id);",
}


@pytest.mark.parametrize("version", [path.name[:4] for path in sorted(MIGRATIONS.glob("*.sql"))[1:-1]])
def test_an_older_warehouse_moves_forward_with_its_rows(tmp_path: Path, version: str) -> None:
    files = tmp_path / "migrations"
    files.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name[:4] <= version:
            shutil.copy(path, files)
    views = tmp_path / "views"
    views.mkdir()
    for name, text in OLD_VIEWS.items():
        (views / f"{name}.sql").write_text(text, encoding="utf-8")
    target = str(tmp_path / "w.duckdb")
    con = duckdb.connect(target)
    migrate(con, files, views)
    con.execute("INSERT INTO label_run (label_run_id, model_id, created_at, load_id) VALUES ('m', 'old', now(), 'l')")
    con.execute(
        "INSERT INTO relevance_label (document_id, label_run_id, p, label, load_id) VALUES ('d', 'm', 1, true, 'l')"
    )
    con.execute("INSERT INTO document (document_id, load_id) VALUES ('d', 'l')")
    con.execute(
        "INSERT INTO evidence (document_id, label_run_id, target, rank, text, load_id) VALUES ('d', 'm', 't', 1, 'x', 'l')"
    )
    if version >= "0008":
        rebuild(con)  # what a load does
    con.close()
    con = connect(target)
    assert migrate(con) == len(list(MIGRATIONS.glob("*.sql"))) - len(list(files.glob("*.sql")))
    assert con.execute("SELECT text, voice, speaker FROM current_evidence").fetchall() == [("x", None, None)]
    assert con.execute("SELECT model_id, calibration FROM label_run").fetchall() == [("old", None)]
    for view in VIEWS.glob("*.sql"):
        con.execute(f"SELECT * FROM {view.stem}").fetchall()
    con.close()


def test_a_second_time_applies_nothing(store: Store) -> None:
    con = connect(store.target)
    assert migrate(con) == 0
    con.close()


def test_a_changed_migration_is_refused(tmp_path: Path) -> None:
    files = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    con = duckdb.connect(str(tmp_path / "w.duckdb"))
    assert migrate(con, files) == len(list(files.glob("*.sql")))
    last = max(files.glob("*.sql"))
    last.write_text(last.read_text(encoding="utf-8") + "-- a word more\n", encoding="utf-8")
    with pytest.raises(WarehouseError, match=f"{last.name} was changed after it was applied"):
        migrate(con, files)
    last.unlink()
    with pytest.raises(WarehouseError, match="applied but unknown"):
        migrate(con, files)
    con.close()


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    files = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (files / "9999_bad.sql").write_text("CREATE TABLE half (x INTEGER); SELECT * FROM nowhere;", encoding="utf-8")
    con = duckdb.connect()
    with pytest.raises(WarehouseError, match=r"9999_bad\.sql failed"):
        migrate(con, files)
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchone() == (0,)
    (files / "9999_bad.sql").write_text("CREATE TABLE half (x INTEGER);", encoding="utf-8")
    assert migrate(con, files) == 1
    con.close()


def test_views_follow_their_text(tmp_path: Path) -> None:
    views = shutil.copytree(VIEWS, tmp_path / "views")
    con = duckdb.connect()
    migrate(con, views=views)
    (views / "outcome_by_run.sql").unlink()
    (views / "aa_first.sql").write_text(
        "CREATE VIEW aa_first AS SELECT count(*) AS n FROM document_current;", encoding="utf-8"
    )
    migrate(con, views=views)
    names = {row[0] for row in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
    assert names == {path.stem for path in views.glob("*.sql")}
    con.close()


def test_ddl_has_no_word_that_ducklake_refuses() -> None:
    for path in [*MIGRATIONS.glob("*.sql"), *VIEWS.glob("*.sql")]:
        code = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\b(PRIMARY|FOREIGN|UNIQUE|REFERENCES|INDEX|SEQUENCE|CHECK)\b", code, re.IGNORECASE), (
            path.name
        )


def test_a_merge_updates_in_one_branch_as_ducklake_wants_it() -> None:
    for path in STEPS.glob("*.sql"):
        for statement in re.sub(r"--.*", "", path.read_text(encoding="utf-8")).split(";"):
            assert len(re.findall(r"WHEN MATCHED", statement)) <= 1, path.name


def test_targets(tmp_path: Path) -> None:
    assert published_path("a/x.duckdb") == Path("a/x.published.duckdb")
    with pytest.raises(ConfigError, match="only PostgreSQL is supported"):
        connect("ducklake:sqlite:x")
    with pytest.raises(ConfigError, match="in memory"):
        connect(":memory:")
    with pytest.raises(WarehouseError, match="no warehouse at"):
        connect(tmp_path / "none.duckdb", read_only=True)
    (tmp_path / "text.duckdb").write_text("this is no database", encoding="utf-8")
    with pytest.raises(WarehouseError, match="cannot be opened"):
        connect(tmp_path / "text.duckdb", wait=0)

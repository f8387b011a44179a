"""A named query's result that can be cited: its rows with query, parameters, snapshot, label runs and row hash, as file bytes.

The row hash is the SHA-256 of the rows as CSV: UTF-8, the columns' names first, each line ended by a newline alone, a value
quoted where it has a comma, a quotation mark or a line end, NULL empty. So `stancewatch query NAME --format csv | sha256sum` is it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.connect import Connection, Target, reading, results_folder
from warehouse.query import Query, fitting, load_query, readers_path, typed_sql
from warehouse.snapshot import Snapshot, find_snapshot, missing_from, travel

_LABEL_RUNS = "SELECT DISTINCT label_run_id, model_id, revision, codebook_version FROM current_label_run ORDER BY ALL"
KEY = "stancewatch"  # of the description among the metadata of a Parquet file
ENDING = ".meta.json"  # of the file beside a CSV or table that holds the description
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a named query answered, and all that is needed to ask it again."""

    query: str
    params: dict[str, str | None]  # as a person would write them, defaults included
    snapshot: Snapshot
    label_runs: tuple[dict[str, str | None], ...]  # those that count for at least one document of the snapshot
    missing: tuple[str, ...]  # what of the snapshot cannot be had any more, in words
    columns: list[str]
    rows: Rows

    def describe(self) -> dict[str, Any]:
        """Return everything beside the rows."""
        return {
            "query": self.query,
            "params": self.params,
            "snapshot": {"load_id": self.snapshot.load_id, "loaded_at": self.snapshot.at.isoformat()},
            "label_runs": list(self.label_runs),
            "missing": list(self.missing),
            "row_hash": row_hash(self.columns, self.rows),
        }

    def as_json(self) -> str:
        """Return the description with `columns` and `rows`, a row an object."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        described = {**self.describe(), "columns": self.columns, "rows": rows}
        return json.dumps(described, ensure_ascii=False, default=str, indent=1) + "\n"


def as_csv(columns: list[str], rows: Rows) -> str:
    """Return the rows in the form that the row hash is of."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def row_hash(columns: list[str], rows: Rows) -> str:
    """Return the SHA-256 of the rows as CSV."""
    return hashlib.sha256(as_csv(columns, rows).encode()).hexdigest()


def answer(target: Target, name: str, given: Mapping[str, str], as_of: str | None = None) -> Result:
    """Run a named query over a snapshot, the newest where none is asked for."""
    with reading(readers_path(target)) as con, fitting(name):
        return _ask(con, load_query(name), given, as_of)


def as_parquet(target: Target, name: str, given: Mapping[str, str], as_of: str | None = None) -> tuple[Result, bytes]:
    """Run a named query over a snapshot; return its result and the Parquet file, with DuckDB's types and the description."""
    with (
        tempfile.TemporaryDirectory(dir=results_folder()) as folder,
        reading(readers_path(target)) as con,
        fitting(name),
    ):
        result = _ask(con, load_query(name), given, as_of)
        path = Path(folder) / "result.parquet"
        said = json.dumps(result.describe(), ensure_ascii=False).replace("'", "''")
        con.execute(f"COPY temp.answer TO '{path}' (FORMAT parquet, KV_METADATA {{{KEY}: '{said}'}})")
        return result, path.read_bytes()


def _ask(con: Connection, query: Query, given: Mapping[str, str], as_of: str | None) -> Result:
    """Answer into the temporary table `answer`, so that a file and the row hash are of one answer."""
    values = query.values(given)
    snapshot = find_snapshot(con, as_of)
    missing = [] if snapshot.newest else missing_from(con, snapshot)
    if not snapshot.newest:
        travel(con, snapshot)
    columns = ("label_run_id", "model_id", "revision", "codebook_version")
    runs = [dict(zip(columns, row, strict=True)) for row in con.execute(_LABEL_RUNS).fetchall()]
    con.execute(f"CREATE TEMP TABLE answer AS {typed_sql(query)}", query.bound(values, snapshot.at))
    found = con.table("temp.answer")
    return Result(
        query=query.name,
        params={param.name: given.get(param.name, param.default) for param in query.params},
        snapshot=snapshot,
        label_runs=tuple(runs),
        missing=tuple(missing),
        columns=found.columns,
        rows=found.fetchall(),
    )

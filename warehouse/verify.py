"""Verify a result that was kept: a file of `stancewatch query --out` in, what of it still holds out."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import ConfigError
from warehouse.connect import Target
from warehouse.result import ENDING, KEY, Result, answer, row_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What holds: `intact` is None where the file has no rows that a program can read (a table for people)."""

    stated: str  # row hash that the file states
    intact: bool | None  # the file's rows are those it was written with
    now: Result  # the query of the file, asked again as of its snapshot

    @property
    def same(self) -> bool:
        """The warehouse answers as it did then."""
        return row_hash(self.now.columns, self.now.rows) == self.stated


def verify(target: Target, path: Path) -> Verdict:
    """Hash the file's rows again, and ask its query again as of its snapshot."""
    try:
        said, found = _read(path)
        given = {name: value for name, value in said["params"].items() if value is not None}
        name, snapshot, stated = said["query"], said["snapshot"]["load_id"], said["row_hash"]
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration, duckdb.Error) as error:
        raise ConfigError(
            f"{path} is no result of `stancewatch query --out`, or its {ENDING} is not beside it: {error!r}"
        ) from error
    intact = None if found is None else found == stated
    return Verdict(stated=stated, intact=intact, now=answer(target, name, given, snapshot))


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    """Return what a file says of itself, and the hash of the rows that are in it."""
    data = path.read_bytes()
    if data.startswith(b"PAR1"):
        return _read_parquet(path)
    side = path.with_name(path.name + ENDING)
    if side.exists():
        said = json.loads(side.read_text("utf-8"))
        columns, *rows = csv.reader(io.StringIO(data.decode(), newline="")) if said["format"] == "csv" else [[]]
        return said, row_hash(columns, [tuple(row) for row in rows]) if said["format"] == "csv" else None
    said = json.loads(data)
    return said, row_hash(said["columns"], [tuple(row[name] for name in said["columns"]) for row in said["rows"]])


def _read_parquet(path: Path) -> tuple[dict[str, Any], str]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        described = con.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?", [str(path), KEY]
        ).fetchone()
        found = con.read_parquet(str(path))
        return json.loads((described or ("",))[0]), row_hash(found.columns, found.fetchall())

"""A named query as a Parquet file, with DuckDB's own types."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from warehouse.connect import Target, reading
from warehouse.query import load_query, readers_path, typed_sql


def query_as_parquet(target: Target, name: str, params: Mapping[str, str]) -> bytes:
    """Run a named query over the published copy and return the Parquet file's bytes."""
    query = load_query(name)
    with (
        tempfile.TemporaryDirectory() as folder,
        reading(readers_path(target)) as con,
    ):
        path = Path(folder) / "result.parquet"
        con.sql(typed_sql(query), params=query.values(params)).write_parquet(str(path))
        return path.read_bytes()

"""A named query as a Parquet file, with DuckDB's own types."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from warehouse.connect import Target, published_path, reading, warehouse_path
from warehouse.query import load_query, typed_sql


def query_as_parquet(target: Target, name: str, params: Mapping[str, str]) -> bytes:
    """Run a named query over the published copy and return the Parquet file's bytes."""
    query = load_query(name)
    copy = published_path(target)
    with (
        tempfile.TemporaryDirectory() as folder,
        reading(copy if copy.exists() else warehouse_path(target)) as con,
    ):
        path = Path(folder) / "result.parquet"
        con.sql(typed_sql(query), params=query.values(params)).write_parquet(str(path))
        return path.read_bytes()

"""Named queries: a name and parameters in, columns and rows out, read from the published copy where there is one.

A query is a file `queries/NAME.sql`. Its head says `-- help: one line` and, for each `$parameter`,
`-- param: name type default description` with type text, int, float, date or bool; the default `null` means no value.
`$now` is there without being declared. No query asks the clock: the same snapshot gives the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import ConfigError, WarehouseError
from warehouse.connect import Target, published_path, reading, warehouse_path
from warehouse.ducklake import is_lake
from warehouse.kept import strayed
from warehouse.snapshot import find_snapshot

QUERIES = Path(__file__).parent / "queries"
CHECKS = Path(__file__).parent / "checks"
_HELP = re.compile(r"^-- help: (.+)$", re.MULTILINE)
_PARAM = re.compile(r"^-- param: (\w+) (\w+) (\S+) (.+)$", re.MULTILINE)


def _bool(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words[text.lower()]


_READ: dict[str, Callable[[str], Any]] = {
    "text": str,
    "int": int,
    "float": float,
    "date": date.fromisoformat,
    "bool": _bool,
}
_SQL_TYPE = {"text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "date": "DATE", "bool": "BOOLEAN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter of a named query."""

    name: str
    type: str
    default: str | None
    description: str

    def read(self, text: str | None) -> Any:
        """Turn what a person wrote into a value; ConfigError where it is none of this type."""
        if text is None:
            return None
        try:
            return _READ[self.type](text)
        except (ValueError, KeyError) as error:
            raise ConfigError(
                f"parameter {self.name}: {text!r} is not of type {self.type} ({self.description})"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A named query: its help line, its parameters and its SQL."""

    name: str
    help: str
    params: tuple[Param, ...]
    sql: str

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return a value for each parameter: what is given, else the default."""
        unknown = set(given) - {param.name for param in self.params}
        if unknown:
            known = ", ".join(param.name for param in self.params) or "none"
            raise ConfigError(f"query {self.name} has no parameter {', '.join(sorted(unknown))}; it has: {known}")
        return {param.name: param.read(given.get(param.name, param.default)) for param in self.params}

    def bound(self, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Return the values with `$now`, which every query may name: the time of the snapshot, as time stands still in it."""
        return {**values, "now": now} if re.search(r"\$now\b", self.sql) else dict(values)


def load_query(name: str) -> Query:
    """Return a named query; ConfigError with the list of names where there is none of that name."""
    known = {path.stem: path for path in QUERIES.glob("*.sql")}
    if name not in known:
        raise ConfigError(f"no query {name!r}; there are: {', '.join(sorted(known))}")
    text = known[name].read_text(encoding="utf-8")
    found = _HELP.search(text)
    params = tuple(
        Param(name=who, type=kind, default=None if default == "null" else default, description=words)
        for who, kind, default, words in _PARAM.findall(text)
    )
    return Query(name=name, help=found.group(1) if found else "", params=params, sql=text)


def list_queries() -> list[tuple[str, str]]:
    """Return (name, help line) of every named query, by name."""
    return [(path.stem, load_query(path.stem).help) for path in sorted(QUERIES.glob("*.sql"))]


def typed_sql(query: Query) -> str:
    """Give each parameter its SQL type: DuckDB cannot tell what a bare NULL is."""
    sql = re.sub(r"^--.*\n", "", query.sql, flags=re.MULTILINE)
    for param in query.params:
        sql = re.sub(rf"\${param.name}\b", f"CAST(${param.name} AS {_SQL_TYPE[param.type]})", sql)
    return re.sub(r"\$now\b", "CAST($now AS TIMESTAMPTZ)", sql)


def run_query(
    target: Target, name: str, params: Mapping[str, str] | None = None, *, wait: float = 60
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run a named query read-only over the newest state and return (columns, rows).

    Reads the published copy of `target`, the warehouse itself where nothing was published yet.
    """
    query = load_query(name)
    values = query.values(params or {})
    with reading(readers_path(target), wait=wait) as con, fitting(name):
        done = con.execute(typed_sql(query), query.bound(values, find_snapshot(con).at))
        return [column[0] for column in done.description or []], done.fetchall()


@contextmanager
def fitting(name: str) -> Iterator[None]:
    """Say what to do where the file is of an older version than the query."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise WarehouseError(
            f"the warehouse has not the form that query {name} needs; run a pass or publish: {error}"
        ) from error


def readers_path(target: Target) -> Target:
    """Return what readers open: the published copy, the warehouse itself where nothing was published yet or it is a lake."""
    if is_lake(target):
        return target
    copy = published_path(target)
    return copy if copy.exists() else warehouse_path(target)


def run_checks(target: Target, *, wait: float = 60) -> dict[str, list[tuple[Any, ...]]]:
    """Return what each file of checks/ finds wrong in a warehouse: {} where all is well."""
    with reading(target, wait=wait) as con:
        found = {
            path.stem: con.execute(path.read_text(encoding="utf-8")).fetchall() for path in sorted(CHECKS.glob("*.sql"))
        }
        found["kept_results"] = strayed(con)
    return {name: rows for name, rows in found.items() if rows}

"""Bring a warehouse to the newest form: `migrations/*.sql` once each, `views/*.sql` whenever a text changes.

A migration and its record are one transaction. An applied migration whose file has changed, or one that this version
does not know, is a WarehouseError: nothing is written then.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from warehouse.kept import definition, kept_tables, rebuild

HERE = Path(__file__).parent
MIGRATIONS = HERE / "migrations"
VIEWS = HERE / "views"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One SQL file: its name, its text and the SHA-256 of the text."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash over the text; line ends of a checkout do not matter, reading makes them one newline."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_sources(folder: Path) -> list[Source]:
    """Return the SQL files of a folder in the order of their names."""
    return [Source(name=path.name, text=path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]


def _applied(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    known = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'migration'").fetchone()
    if not known or not known[0]:
        return {}
    return dict(con.execute("SELECT number, sha256 FROM migration").fetchall())


def _missing(applied: dict[int, str], sources: list[Source]) -> list[tuple[int, Source]]:
    """Decide what is to be applied; refuse a warehouse that does not fit the files."""
    numbered = {int(source.name[:4]): source for source in sources}
    for number, sha256 in sorted(applied.items()):
        if number not in numbered:
            raise WarehouseError(f"migration {number:04} is applied but unknown: update stancewatch, it is too old")
        if numbered[number].sha256 != sha256:
            name = numbered[number].name
            raise WarehouseError(f"migration {name} was changed after it was applied: restore it and add a new one")
    return [(number, source) for number, source in sorted(numbered.items()) if number not in applied]


def in_order(sources: list[Source]) -> list[Source]:
    """Order views so that each comes after the views that its text names."""
    views = {source.name.removesuffix(".sql"): source for source in sources}
    needs = {
        name: {other for other in views if other != name and re.search(rf"\b{other}\b", _code(source.text))}
        for name, source in views.items()
    }
    return [views[name] for name in TopologicalSorter(needs).static_order()]


def _code(text: str) -> str:
    return re.sub(r"--.*|'[^']*'", "", text)


def _refresh_views(con: duckdb.DuckDBPyConnection, sources: list[Source], *, anew: bool) -> None:
    wanted = {source.name.removesuffix(".sql"): source.sha256 for source in sources}
    present = dict(con.execute("SELECT name, sha256 FROM view_source WHERE NOT starts_with(name, 'kept_')").fetchall())
    if present == wanted and not anew:
        return
    for name in present:
        con.execute(f'DROP VIEW IF EXISTS "{name}"')
    con.execute("DELETE FROM view_source WHERE NOT starts_with(name, 'kept_')")
    for source in in_order(sources):
        con.execute(source.text)
        con.execute("INSERT INTO view_source VALUES (?, ?, now())", [source.name.removesuffix(".sql"), source.sha256])


def _refresh_kept(con: duckdb.DuckDBPyConnection) -> None:
    """Make those kept tables anew whose text is another one than that of their rows."""
    known = dict(con.execute("SELECT name, sha256 FROM view_source WHERE starts_with(name, 'kept_')").fetchall())
    there = "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ?"
    for table in kept_tables():
        sha256 = Source(name=table, text=definition(table)).sha256
        if known.get(table) == sha256 or con.execute(there, [table]).fetchone() == (0,):  # of an older form: not yet
            continue
        rebuild(con, table)
        con.execute("DELETE FROM view_source WHERE name = ?", [table])
        con.execute("INSERT INTO view_source VALUES (?, ?, now())", [table, sha256])


def migrate(con: duckdb.DuckDBPyConnection, migrations: Path = MIGRATIONS, views: Path = VIEWS) -> int:
    """Apply what is missing and return how many migrations that was."""
    missing = _missing(_applied(con), read_sources(migrations))
    for number, source in missing:
        con.execute("BEGIN")
        try:
            con.execute(source.text)
            con.execute("INSERT INTO migration VALUES (?, ?, ?, now())", [number, source.name, source.sha256])
        except duckdb.Error as error:
            con.execute("ROLLBACK")
            raise WarehouseError(f"migration {source.name} failed: {error}") from error
        con.execute("COMMIT")
    con.execute("BEGIN")
    try:
        _refresh_kept(con)
        _refresh_views(con, read_sources(views), anew=bool(missing))  # a view over changed tables is made again
    except duckdb.Error as error:
        con.execute("ROLLBACK")
        raise WarehouseError(f"a view or kept table could not be made: {error}") from error
    con.execute("COMMIT")
    return len(missing)

"""A warehouse in DuckLake: its catalogue is a PostgreSQL database, its rows are Parquet files in a folder or bucket.

A target `ducklake:postgres:<connection string>` in, a connection to the lake out. The connection string is libpq's
(`dbname=watch host=db.example`, or a `postgresql://` address) without a password: that comes from `PGPASSWORD` or
`~/.pgpass`, the keys of a bucket from `AWS_*`. Extensions are loaded by path from their wheels (extra `scale`), never installed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import duckdb

from pipeline.errors import ConfigError, WarehouseError
from pipeline.settings import LAKE, load_settings
from warehouse.advisory import connection_fields, database_lock

SNAPSHOT = "_snapshot"  # ends the name of the database in memory that an earlier state is read through

_names = itertools.count(1)  # a name for each attachment: threads share one DuckDB in memory


class LakeMissing(WarehouseError):
    """The server is there, and the lake is not."""


def is_lake(target: str | Path) -> bool:
    """Say whether a target is a lake; everything else is a file."""
    return str(target).startswith("ducklake:")


def connection_string(target: str | Path) -> str:
    """Return what libpq needs; ConfigError where it is none, or where it holds a password, which is not repeated."""
    text = str(target)
    if not text.startswith(LAKE):
        raise ConfigError(f"warehouse: of DuckLake's catalogues only PostgreSQL is supported: {LAKE}dbname=...")
    connection_fields(text.removeprefix(LAKE))
    return text.removeprefix(LAKE)


def lake_name(target: str | Path) -> str:
    """Return a short name for people and logs: database and host."""
    fields = connection_fields(connection_string(target))
    return f"lake {fields.get('dbname', '')} at {fields.get('host', 'this machine')}"


@contextmanager
def attached(target: str | Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection whose current database is the lake; one that may write creates a lake where there is none."""
    con, name = _memory().cursor(), f"lake{next(_names)}"
    try:
        _attach(con, target, name, read_only=read_only)
        con.execute(f"USE {name}")
        yield con
    finally:
        with suppress(duckdb.Error):  # what an exception left open
            con.execute("ROLLBACK")
        with suppress(duckdb.Error):
            con.execute("USE memory")
            con.execute(f"DETACH DATABASE IF EXISTS {name}{SNAPSHOT}")
            con.execute(f"DETACH DATABASE IF EXISTS {name}")
        con.close()


def exists(target: str | Path) -> bool:
    """Say whether there is a lake; raise WarehouseError where its server cannot say."""
    try:
        with attached(target, read_only=True):
            return True
    except LakeMissing:
        return False


def share_turn(con: duckdb.DuckDBPyConnection) -> None:
    """Make the open transaction collide with every other that writes.

    Two that only insert would both be committed, and a row that both found missing would be there twice. Loads go in turn
    (`exclusive`), so this matters only where a lock was lost with its connection: then the second one is tried again.
    """
    con.execute("UPDATE migration SET applied_at = applied_at WHERE number = 0")


def exclusive(target: str | Path, wait: float) -> AbstractContextManager[None]:
    """Hold the turn of writers, on whatever machine they run."""
    return database_lock(connection_string(target), lake_name(target), "write", wait)


def compact(
    target: str | Path, *, keep: timedelta = timedelta(days=7), grace: timedelta = timedelta(hours=1),
    least_deleted: float = 0.95, wait: float = 600,
) -> dict[str, int]:  # fmt: skip
    """Merge small files, drop snapshots older than `keep` and files that have been of no use for `grace`; return counts.

    Files of which more than `least_deleted` of the rows are deleted are written anew without these.

    Waits for the turn of a writer and holds it: files that are merged beside a load could lose what it deletes.
    A reader keeps what it reads as long as that takes less than `grace`. Killed at any moment, it has lost nothing.
    """
    with exclusive(target, wait), attached(target, read_only=False) as con:
        (name,) = con.execute("SELECT current_database()").fetchone() or ("",)
        before = {"keep": keep, "grace": grace, "least_deleted": least_deleted}
        steps = {
            "rewritten": "ducklake_rewrite_data_files($lake, delete_threshold => CAST($least_deleted AS DOUBLE))",
            "merged": "ducklake_merge_adjacent_files($lake)",
            "expired": "ducklake_expire_snapshots($lake, older_than => now() - CAST($keep AS INTERVAL))",
            "deleted": "ducklake_cleanup_old_files($lake, older_than => now() - CAST($grace AS INTERVAL))",
            "orphaned": "ducklake_delete_orphaned_files($lake, older_than => now() - CAST($grace AS INTERVAL))",
        }
        return {what: _count(con, call, {"lake": name, **before}) for what, call in steps.items()}


def _count(con: duckdb.DuckDBPyConnection, call: str, params: dict[str, object]) -> int:
    used = {name: value for name, value in params.items() if f"${name}" in call}
    return len(con.execute(f"FROM {call}", used).fetchall())


@lru_cache(maxsize=1)
def _memory() -> duckdb.DuckDBPyConnection:
    """The process's DuckDB: the extensions are large, and checking their signatures takes longer than attaching a lake."""
    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    for extension in ("ducklake", "postgres_scanner", "httpfs"):  # httpfs takes AWS_* from the environment now
        load_extension(con, extension)
    if os.environ.get("DUCKDB_S3_ENDPOINT"):  # a server of one's own rarely has a host name for each bucket
        con.execute("SET GLOBAL s3_url_style = 'path'")
    return con


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its wheel; ConfigError where it is not installed."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"DuckLake needs DuckDB's extension {name}: pip install 'stancewatch[scale]'")
    path = Path(spec.submodule_search_locations[0]) / "extensions" / f"v{duckdb.__version__}"
    con.load_extension(str(path / f"{name}.duckdb_extension"))


def _attach(con: duckdb.DuckDBPyConnection, target: str | Path, name: str, *, read_only: bool) -> None:
    options = ["READ_ONLY"] if read_only else []
    try:
        _attach_as(con, target, name, [*options, "CREATE_IF_NOT_EXISTS false"])
    except duckdb.InvalidInputException as error:
        if "does not exist" not in str(error):
            raise WarehouseError(f"{lake_name(target)} cannot be opened: {error}") from error
        if read_only:
            raise LakeMissing(f"no warehouse in {lake_name(target)}: a pass (stancewatch run) creates it") from error
        _attach_as(con, target, name, [f"DATA_PATH {_quoted(_new_data_path())}"])


def _attach_as(con: duckdb.DuckDBPyConnection, target: str | Path, name: str, options: list[str]) -> None:
    # No rows in the catalogue itself: beside deletions kept there, merging files brings deleted rows back (DuckLake 1.0, DuckDB 1.5.5).
    listed = ", ".join([*options, "DATA_INLINING_ROW_LIMIT 0"])
    try:
        con.execute(f"ATTACH {_quoted(LAKE + connection_string(target))} AS {name} ({listed})")
    except duckdb.InvalidInputException:
        raise
    except duckdb.Error as error:
        raise WarehouseError(f"{lake_name(target)} cannot be opened: {error}") from error


def _new_data_path() -> str:
    """Return where the files of a new lake go: the setting, else a folder beside the spool. The catalogue keeps it."""
    settings = load_settings()
    if settings.lake_data and "://" in settings.lake_data:
        return settings.lake_data
    whole = settings.model_copy(update={"share": None})  # the spool of each share is apart, the lake is one
    folder = Path(settings.lake_data or whole.data / "lake").absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return str(folder)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

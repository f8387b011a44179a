"""Open the warehouse: a target (path of a DuckDB file, or a lake) in, a connection in UTC out, at the newest migration where it is writable.

DuckDB lets one process write a file or several read it, and never waits. So every connection here is short and is opened in a
loop with jitter; who cannot get in within `wait` seconds gets `WarehouseBusy`. A lake is in `warehouse.ducklake`.
"""

from __future__ import annotations

import atexit
import errno
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import ConfigError, WarehouseBusy, WarehouseConflict, WarehouseError, WarehouseFull
from warehouse import ducklake
from warehouse.ducklake import is_lake, lake_name
from warehouse.migrate import migrate

Target = str | Path
Connection = duckdb.DuckDBPyConnection
Row = dict[str, Any]

# Threads of one process share DuckDB's file lock, and closing any other handle of the file (a copy) would free it for
# other processes: so whatever this process does with a warehouse goes in turn.
in_turn = threading.RLock()


def warehouse_path(target: Target) -> Path:
    """Return the file of a target; ConfigError where it is none."""
    text = str(target)
    if is_lake(target):
        raise ConfigError(f"{lake_name(target)} is no file: that works only for a warehouse in a DuckDB file")
    if not text or text == ":memory:":
        raise ConfigError("warehouse: give the path of a DuckDB file; a warehouse in memory would be lost at once")
    return Path(text)


def published_path(target: Target) -> Path:
    """Return where the readers' copy of a target is: `x.published.duckdb` beside `x.duckdb`."""
    path = warehouse_path(target)
    return path.with_name(f"{path.name.removesuffix('.duckdb')}.published.duckdb")


def target_name(target: Target) -> str:
    """Return what names a target in a message or the name of a run."""
    return lake_name(target) if is_lake(target) else warehouse_path(target).stem


def is_there(target: Target) -> bool:
    """Say whether there is a warehouse."""
    return ducklake.exists(target) if is_lake(target) else warehouse_path(target).exists()


def code_version() -> str:
    """Return the version of the installed package, `unknown` where it runs from a bare folder."""
    try:
        return metadata.version("stancewatch")
    except metadata.PackageNotFoundError:
        return "unknown"


def _is_busy(error: duckdb.Error) -> bool:
    """Another process holds the file, or this one holds it in another mode."""
    text = str(error)
    return "Could not set lock" in text or "different configuration" in text or "being used by another process" in text


def _open(path: Path, *, read_only: bool) -> Connection:
    # Without autoinstall off, a stray call of an extension stalls for seconds on the network (measured, DuckDB 1.5).
    config: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
    con = duckdb.connect(str(path), read_only=read_only, config=config)
    prepare(con)
    return con


def confine(con: Connection) -> None:
    """Let a session read its warehouse alone: views are text of the file, and a file may come from anywhere.

    Files, addresses and extensions are refused then; results may be written to `results_folder`.
    """
    if con.execute("SELECT current_setting('enable_external_access')").fetchone() == (
        True,
    ):  # else another session did
        con.execute(f"SET allowed_directories = ['{results_folder()}']")
        con.execute("SET enable_external_access = false")


@cache
def results_folder() -> str:
    """Return the folder of this process that a confined session may write to; it goes with the process."""
    folder = tempfile.mkdtemp(prefix="stancewatch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def prepare(con: Connection) -> None:
    """Set what every session needs, in a file as in a lake."""
    con.execute("SET TimeZone = 'UTC'")
    # DuckDB 1.5.5 fails with an internal error where a join feeds QUALIFY row_number() = 1; without this rewrite it does not.
    con.execute("SET disabled_optimizers = 'top_n_window_elimination'")


def connect(target: Target, *, read_only: bool = False, wait: float = 60) -> Connection:
    """Open a target, trying for `wait` seconds. The caller closes it soon: nobody else gets in before.

    Raises WarehouseBusy where another process holds it longer, WarehouseError where it is missing or no DuckDB file.
    """
    path = warehouse_path(target)
    if read_only and not path.exists():
        raise WarehouseError(f"no warehouse at {path}: a pass (stancewatch run) creates it")
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    end, pause = time.monotonic() + wait, 0.02
    while True:
        try:
            return _open(path, read_only=read_only)
        except (duckdb.IOException, duckdb.ConnectionException, duckdb.BinderException) as error:
            if not _is_busy(error):
                raise WarehouseError(f"{path} cannot be opened: {error}") from error
            if time.monotonic() >= end:
                raise WarehouseBusy(
                    f"{path} is held by another process for more than {wait:g} s ({error}). Close that session; "
                    f"for reading use {published_path(path).name}, which never blocks anyone. Nothing was lost."
                ) from error
        except duckdb.Error as error:
            raise WarehouseError(f"{path} cannot be opened: {error}") from error
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 1.5, 1.0)


@contextmanager
def writing(target: Target, *, wait: float = 60) -> Iterator[Connection]:
    """Give a migrated connection within one transaction: committed at the end, rolled back by any exception."""
    with exclusive(target, wait), storing(target), opened(target, wait=wait) as con:
        migrate(con)
        con.execute("BEGIN")
        try:
            if is_lake(target):
                ducklake.share_turn(con)
            yield con
            con.execute("COMMIT")
        except BaseException as error:
            with suppress(duckdb.Error):  # a commit that failed has ended the transaction
                con.execute("ROLLBACK")
            if isinstance(error, duckdb.TransactionException) and is_lake(target):
                raise WarehouseConflict(f"another process wrote to {lake_name(target)} first: {error}") from error
            raise


@contextmanager
def exclusive(target: Target, wait: float = 60) -> Iterator[None]:
    """Keep other writers of ours away: also while a file is replaced by a compacted or restored one; of a lake on all machines."""
    from warehouse.lock import file_lock  # noqa: PLC0415 - which needs this module

    with in_turn, ducklake.exclusive(target, wait) if is_lake(target) else file_lock(target, "write", wait):
        yield


@contextmanager
def storing(what: Target) -> Iterator[None]:
    """Name a disk that takes no more: DuckDB says so in errors of several kinds."""
    try:
        yield
    except duckdb.Error as error:
        if "Could not write" not in str(error) and "No space left" not in str(error):
            raise
        raise WarehouseFull(
            f"{what}: the disk takes no more ({error}). What was stored before stays; make room and run again"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        raise WarehouseFull(
            f"{what}: the disk takes no more ({error}). What was there before stays; make room and run again"
        ) from error


def opened(target: Target, *, read_only: bool = False, wait: float = 60) -> AbstractContextManager[Connection]:
    """Give a connection to a file or a lake for a while."""
    if is_lake(target):
        return _lake(target, read_only=read_only)
    return closing(connect(target, read_only=read_only, wait=wait))


@contextmanager
def _lake(target: Target, *, read_only: bool) -> Iterator[Connection]:
    with ducklake.attached(target, read_only=read_only) as con:
        prepare(con)
        yield con


@contextmanager
def reading(target: Target, *, wait: float = 60) -> Iterator[Connection]:
    """Give a short read-only connection: to one state, whatever is loaded meanwhile."""
    with in_turn, opened(target, read_only=True, wait=wait) as con:
        if not is_lake(target):
            confine(con)
        con.execute("BEGIN")  # a lake would show each statement the newest load
        yield con
        con.execute("COMMIT")


def execute_all(con: Connection, sql: str, params: Mapping[str, object]) -> None:
    """Execute the statements of a file one by one, each with those `$parameters` that it names."""
    for statement in con.extract_statements(sql):
        con.execute(statement, {name: params[name] for name in statement.named_parameters})


def fetch_rows(con: Connection, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
    """Return the rows of one statement as dictionaries."""
    done = con.execute(sql, dict(params or {}))
    names = [column[0] for column in done.description or []]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

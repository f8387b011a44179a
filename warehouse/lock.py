"""One ingest pass at a time per warehouse, or share of its feeds: an operating system's lock on `<warehouse>.pass.lock`.

The kernel frees the lock when its process ends, however it ends, so a killed pass blocks nobody. It is a record lock
(fcntl): worker processes that a pass forks do not inherit it. Passes into a lake, which may run on several machines, take an
advisory lock of its database instead (`warehouse.advisory`).
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import WarehouseBusy
from warehouse.advisory import database_lock
from warehouse.connect import Target, warehouse_path
from warehouse.ducklake import connection_string, is_lake, lake_name

_held: set[Path] = set()  # a record lock does not keep out other threads of its own process
_guard = threading.Lock()
FLOCK = "hhqqi0q"  # struct flock of Linux on 64 bits: type, whence, start, length, process; padded to its alignment


@contextmanager
def pass_lock(target: Target, share: str | None = None, wait: float = 0) -> Iterator[None]:
    """Hold the pass lock of a warehouse, or of one share of its feeds.

    Raises WarehouseBusy where another pass holds it for more than `wait` seconds.
    """
    with named_lock(target, _pass_name(share), wait):
        yield


@contextmanager
def named_lock(target: Target, name: str, wait: float = 0) -> Iterator[None]:
    """Hold a lock of a warehouse, of a lake on all machines; raise WarehouseBusy as `pass_lock` does."""
    if is_lake(target):
        with database_lock(connection_string(target), lake_name(target), name, wait):
            yield
    else:
        with file_lock(target, name, wait):
            yield


@contextmanager
def file_lock(target: Target, name: str, wait: float = 0) -> Iterator[Path]:
    """Hold `<warehouse>.<name>.lock`; raise WarehouseBusy where somebody else holds it for more than `wait` seconds."""
    path = warehouse_path(target).resolve()
    path = path.with_name(f"{path.name}.{name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + wait
    while (file := _take(path)) is None:
        if time.monotonic() >= end:
            raise WarehouseBusy(f"{path} is held by {_holder(path)}: wait for it or stop it; nothing was lost")
        time.sleep(0.05)
    try:
        yield path
    finally:
        with _guard:
            _held.discard(path)
            os.close(file)


def holder(target: Target, share: str | None = None) -> tuple[int, float] | None:
    """Return (process, since when) of who holds the pass lock of a warehouse in a file, None where nobody does. Nothing is taken."""
    path = warehouse_path(target).resolve()
    path = path.with_name(f"{path.name}.{_pass_name(share)}.lock")
    with _guard:
        if path in _held:
            return (
                os.getpid(),
                path.stat().st_mtime,
            )  # and the file must not be opened: closing it again would free the lock
        if not path.exists():
            return None
        file = os.open(path, os.O_RDONLY)
        try:
            asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        finally:
            os.close(file)
    return None if kind == fcntl.F_UNLCK else (int(process), path.stat().st_mtime)


def _pass_name(share: str | None) -> str:
    return f"pass-{share.replace('/', '-of-')}" if share else "pass"


def _take(path: Path) -> int | None:
    with _guard:
        if path in _held:  # before the file is opened: closing it again would free the lock
            return None
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        _held.add(path)
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        return file


def _holder(path: Path) -> str:
    with _guard:
        if path in _held:
            return f"this process ({os.getpid()})"
        return f"process {path.read_text(errors='replace').strip() or 'unknown'}"

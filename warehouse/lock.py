"""One ingest pass at a time per warehouse: an operating system's lock on `<warehouse>.pass.lock`.

The kernel frees the lock when its process ends, however it ends, so a killed pass blocks nobody. It is a record lock
(fcntl): worker processes that a pass forks do not inherit it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import WarehouseBusy
from warehouse.connect import Target, warehouse_path

_held: set[Path] = set()  # a record lock does not keep out other threads of its own process
_guard = threading.Lock()


@contextmanager
def pass_lock(target: Target) -> Iterator[Path]:
    """Hold the pass lock of a warehouse; raise WarehouseBusy at once where another pass holds it."""
    path = warehouse_path(target).resolve()
    path = path.with_name(path.name + ".pass.lock")
    with _guard:
        if path in _held:  # before the file is opened: closing it again would free the lock
            raise WarehouseBusy(_message(path, str(os.getpid())))
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode(errors="replace").strip()
            os.close(file)
            raise WarehouseBusy(_message(path, holder)) from error
        _held.add(path)
    try:
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield path
    finally:
        with _guard:
            _held.discard(path)
            os.close(file)


def _message(path: Path, holder: str) -> str:
    return f"another pass (process {holder or 'unknown'}) holds {path}: wait for it or stop it; nothing was lost"

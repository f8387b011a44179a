"""Publish a copy for readers: `x.duckdb` in, `x.published.duckdb` beside it out, swapped in one step.

An open reader keeps the copy that it has; the next one to open gets the new one. The file is copied as it lies on the
disk after a checkpoint, without holding it; a writer who checkpoints meanwhile is noticed, and the copy is made again.
Readers of a lake read the lake itself, each transaction one state of it: there is nothing to copy.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
from contextlib import closing
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseBusy, WarehouseError
from warehouse.connect import (
    Target,
    connect,
    exclusive,
    in_turn,
    opened,
    published_path,
    reading,
    storing,
    target_name,
    warehouse_path,
)
from warehouse.ducklake import is_lake
from warehouse.lock import file_lock
from warehouse.migrate import migrate

TRIES = 20
PIECE = 1 << 30  # bytes of one call: it is not interrupted meanwhile
NO_RANGES = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL)  # an old kernel, or a file system that cannot


def publish(target: Target, wait: float = 60) -> Path:
    """Bring the published copy up to date and return its path; of a lake the views, and return its name.

    Raises WarehouseError where there is no warehouse, WarehouseBusy where writers leave no gap, WarehouseFull where the disk
    takes no more; the old copy stays then.
    """
    if is_lake(target):
        return _renew_views(target, wait)
    source, goal = warehouse_path(target), published_path(target)
    if not source.exists():
        raise WarehouseError(f"no warehouse at {source}: a pass (stancewatch run) creates it")
    with in_turn, file_lock(target, "publish", wait):
        for left in goal.parent.glob(f".{glob.escape(goal.name)}.*.tmp"):  # of a publisher that was killed
            left.unlink(missing_ok=True)
        draft = goal.with_name(f".{goal.name}.{os.getpid()}.tmp")
        try:
            copy_whole(target, draft, wait)
            # texts are their owner's alone; whoever lets others read the copy does so once
            draft.chmod(goal.stat().st_mode & 0o777 if goal.exists() else 0o600)
            with storing(goal):
                _swap_in(draft, goal)
        finally:
            draft.unlink(missing_ok=True)
    return goal


def copy_whole(target: Target, draft: Path, wait: float = 60) -> None:
    """Copy the warehouse as some load left it, without keeping a writer out for longer than a checkpoint."""
    source = warehouse_path(target)
    with in_turn, storing(draft):
        for _ in range(TRIES):
            with exclusive(target, wait):
                checkpoint(target, wait)
            if _copy_undisturbed(source, draft):
                return
    raise WarehouseBusy(f"{source} changed during each of {TRIES} copies; try again later, what was there before stays")


def _renew_views(target: Target, wait: float) -> Path:
    with reading(target):  # a lake that there is not is no lake to be made here
        pass
    with exclusive(target, wait), opened(target, wait=wait) as con:
        migrate(con)
    return Path(target_name(target))


def checkpoint(target: Target, wait: float = 60) -> None:
    """Move what is committed into the one file; migrating here gives the copy the views of this version."""
    with closing(connect(target, wait=wait)) as con:
        migrate(con)
        con.execute("CHECKPOINT")


def _copy_undisturbed(source: Path, draft: Path) -> bool:
    """Copy the file; say no where it changed meanwhile, or where the copy does not open."""
    before = source.stat()
    _copy(source, draft)
    after = source.stat()
    if (before.st_mtime_ns, before.st_size, before.st_ino) != (after.st_mtime_ns, after.st_size, after.st_ino):
        return False
    try:
        with duckdb.connect(str(draft), read_only=True) as con:
            con.execute("SELECT count(*) FROM load").fetchone()
    except duckdb.Error:
        return False
    return True


def _copy(source: Path, draft: Path) -> None:
    """Copy a file within the kernel: a file system that shares blocks (XFS, Btrfs) then copies none, however large it is."""
    with source.open("rb") as old, draft.open("wb") as new:
        try:
            while os.copy_file_range(old.fileno(), new.fileno(), PIECE):
                pass
            return
        except OSError as error:
            if error.errno not in NO_RANGES:
                raise
    shutil.copyfile(source, draft)


def _swap_in(draft: Path, goal: Path) -> None:
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    # A reader who opened the old copy for writing left a log that does not fit the new one: nobody could open it then.
    goal.with_name(goal.name + ".wal").unlink(missing_ok=True)
    draft.replace(goal)

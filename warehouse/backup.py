"""Back a warehouse up: a folder out, with a manifest of what is in it. A pass may run meanwhile.

    warehouse.duckdb    as some load left it
    spool/<load_id>/    loads that were prepared and not stored when it was copied
    spool-quarantine/   loads that were set aside
    warc/               raw pages
    manifest.json       {format, created_at, code_version, load_id, files: {path: {size, sha256}}}

The spool is copied first: a load that is stored meanwhile is then in both, and stored once. Pages come last: a file is in its
place before the load that names it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.errors import ConfigError, WarehouseError
from pipeline.warc.write import APPENDING, note_of
from warehouse.connect import Target, code_version, storing, warehouse_path
from warehouse.publish import copy_whole
from warehouse.snapshot import find_snapshot
from warehouse.spool import in_order

FORMAT = 1
DATABASE = "warehouse.duckdb"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds: {path below it: {size, sha256}}, and the newest load of its warehouse."""

    created_at: str
    load_id: str
    files: dict[str, dict[str, int | str]]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(each["size"]) for each in self.files.values())


def backup(
    target: Target, data: Path, goal: Path, *, spool: bool = True, warc: bool = True, force: bool = False
) -> Manifest:
    """Make a backup in the folder `goal`, which appears when it is whole.

    Raises ConfigError where the folder is there already (with `force`: and is no backup), WarehouseFull where the disk takes no more.
    """
    if not warehouse_path(target).exists():  # a lake is refused: its database and its files have tools of their own
        raise WarehouseError(f"no warehouse at {target}: a pass (stancewatch run) creates it")
    _refuse(goal, force)
    draft = goal.with_name(f".{goal.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)  # of a backup that was killed
    try:
        with storing(goal):
            draft.mkdir(parents=True, mode=0o700)
            made = _fill(target, data, draft, spool=spool, warc=warc)
            _swap_in(draft, goal)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _refuse(goal: Path, force: bool) -> None:
    if goal.exists() and not (force and (goal / MANIFEST).exists()):
        way_out = "it is no backup, so --force does not replace it" if force else "--force replaces a backup"
        raise ConfigError(f"{goal} exists; {way_out}")


def _fill(target: Target, data: Path, draft: Path, *, spool: bool, warc: bool) -> Manifest:
    if spool:
        for folder in (*in_order(data), *(data / "spool-quarantine").glob("*")):
            copy_files(data, draft, folder.rglob("*"))
    (draft / DATABASE).touch(mode=0o600)
    copy_whole(target, draft / DATABASE)
    if warc:
        copy_files(data, draft, (data / "warc").rglob("*"), growing=True)
    files = {str(path.relative_to(draft)): describe(path) for path in sorted(draft.rglob("*")) if path.is_file()}
    with duckdb.connect(str(draft / DATABASE), read_only=True) as con:
        load_id = find_snapshot(con).load_id
    made = Manifest(created_at=datetime.now(UTC).isoformat(), load_id=load_id, files=files)
    head = {"format": FORMAT, "created_at": made.created_at, "code_version": code_version(), "load_id": load_id}
    (draft / MANIFEST).touch(mode=0o600)
    with (draft / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump({**head, "files": files}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    return made


def copy_files(source: Path, goal: Path, paths: Iterable[Path], *, growing: bool = False) -> None:
    """Copy files to the same place below another folder, readable by the owner alone; one that vanishes meanwhile is left out.

    `growing`: they are WARC files. One that may have been appended to meanwhile gets a note, by which the first pass after a
    restore takes off what is half a record.
    """
    for path in paths:
        if not path.is_file() or path.name.endswith((".tmp", APPENDING) if growing else ".tmp"):
            continue
        copy = goal / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):  # a load that was stored, a page that retention took
            copy.touch(mode=0o600)
            size = path.stat().st_size
            shutil.copyfile(path, copy)
            if growing and (note_of(path).exists() or path.stat().st_size != size):
                note_of(copy).write_text("0", encoding="ascii")
            os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))  # retention goes by it


def describe(path: Path) -> dict[str, int | str]:
    """Return {size, sha256} of a file, once its bytes are on the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _swap_in(draft: Path, goal: Path) -> None:
    """Give the backup its name; one that is replaced goes only when the new one is there."""
    old = goal.with_name(f".{goal.name}.old.tmp")
    shutil.rmtree(old, ignore_errors=True)
    if goal.exists():
        goal.rename(old)
    draft.rename(goal)
    shutil.rmtree(old, ignore_errors=True)

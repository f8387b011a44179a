"""Restore a backup: its folder in, the warehouse, its spool and its raw pages in their places out."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import closing
from pathlib import Path

from pipeline.errors import ConfigError, WarehouseError
from pipeline.warc.write import note_of
from warehouse.backup import DATABASE, FORMAT, MANIFEST, Manifest, copy_files
from warehouse.connect import Target, connect, exclusive, storing, warehouse_path
from warehouse.lock import pass_lock
from warehouse.migrate import migrate
from warehouse.publish import publish


def restore(source: Path, target: Target, data: Path, *, force: bool = False) -> Manifest:
    """Put a backup in place and publish; nothing is touched before all of it is checked.

    Raises ConfigError where there is a warehouse already and no `force`, WarehouseError where the backup is not what it was.
    """
    made, path = check(source), warehouse_path(target)
    if path.exists() and not force:
        raise ConfigError(f"{path} exists; --force replaces it by the backup, and what it has beyond that is lost")
    path.parent.mkdir(parents=True, exist_ok=True)
    with pass_lock(target), exclusive(target), storing(path):
        _put(source, path)
        for name in made.files:  # what is noted of the files that are replaced
            note_of(data / name).unlink(missing_ok=True)
        copy_files(source, data, [source / name for name in made.files if name != DATABASE])
    publish(target)
    return made


def check(source: Path) -> Manifest:
    """Return the manifest of a backup whose files are all as it says; WarehouseError names those that are not."""
    try:
        said = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source} is no backup: {MANIFEST} cannot be read ({error})") from error
    if said.get("format") != FORMAT:
        raise ConfigError(f"{source} is a backup of form {said.get('format')}, this version reads {FORMAT}")
    bad = [name for name, known in said["files"].items() if not _is_whole(source, name, known["sha256"])]
    if bad or DATABASE not in said["files"]:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise WarehouseError(f"{source}: not as they were backed up: {', '.join(bad[:5])}{more}; nothing was restored")
    return Manifest(created_at=said["created_at"], load_id=said["load_id"], files=said["files"])


def _is_whole(source: Path, name: str, sha256: str) -> bool:
    """The file is there, below the backup, with the bytes that were backed up."""
    path = source / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def _put(source: Path, path: Path) -> None:
    """Bring the copy to the newest form first: one that this version cannot read replaces nothing."""
    draft = path.with_name(f".{path.name}.restore.tmp")
    try:
        shutil.copyfile(source / DATABASE, draft)
        with closing(connect(draft)) as con:
            migrate(con)
            con.execute("CHECKPOINT")
        path.with_name(path.name + ".wal").unlink(missing_ok=True)  # of what is replaced
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(draft.name + ".wal").unlink(missing_ok=True)

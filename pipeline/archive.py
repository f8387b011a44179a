"""The WARC files that are kept below the data folder: which retention takes, and how one record is cut out of a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from pipeline.errors import StancewatchError

Unwanted = Callable[[str, bytes | None], bool]  # address and body of a response; no body for other records


def warc_files(data: Path) -> list[Path]:
    """Return the kept files, the oldest first: by the time at which they were written, which copies keep."""
    files = [path for path in (data / "warc").rglob("*") if path.is_file() and not path.name.endswith(".tmp")]
    return sorted(files, key=lambda path: (path.stat().st_mtime_ns, path))


def expired(files: Iterable[Path], before: datetime | None, most: int) -> list[Path]:
    """Return which files are older than `before`, and the oldest of the others as long as all have more than `most` bytes (0: any)."""
    files = list(files)
    old = [path for path in files if before and datetime.fromtimestamp(path.stat().st_mtime, UTC) < before]
    young = files[len(old) :]
    excess = sum(path.stat().st_size for path in young) - most if most else 0
    for path in young:
        if excess <= 0:
            break
        old.append(path)
        excess -= path.stat().st_size
    return old


def drop(paths: Iterable[Path]) -> None:
    """Delete files, and folders that this empties."""
    for path in paths:
        path.unlink(missing_ok=True)
        for folder in path.parents[:3]:  # day, month and year
            if folder.name == "warc" or not folder.exists() or any(folder.iterdir()):
                break
            folder.rmdir()


def cut(path: Path, unwanted: Unwanted) -> int:
    """Cut the records that are not wanted out of a file and return how many; the bytes of the others stay as they are.

    A record that breaks off at the end of the file is judged like the others. Raises StancewatchError where there is something
    else than records: what cannot be read cannot be said to be gone.
    """
    try:
        keep, gone, end = _parts(path, unwanted)
    except (ArchiveLoadFailed, OSError, EOFError) as error:
        raise StancewatchError(f"{path} cannot be read, so nothing was cut out of it: {error}") from error
    if end != path.stat().st_size:
        raise StancewatchError(f"{path} is no WARC file from byte {end} on, so nothing was cut out of it")
    if gone:
        _rewrite(path, keep)
    return gone


def _parts(path: Path, unwanted: Unwanted) -> tuple[list[tuple[int, int]], int, int]:
    """Return (offset, length) of the records that are wanted, the number of the others, and where the last record ends."""
    keep, gone, end = [], 0, 0
    with path.open("rb") as stream:
        records = ArchiveIterator(stream)
        for record in records:
            body = record.content_stream().read() if record.rec_type == "response" else None
            judged = unwanted(record.rec_headers.get_header("WARC-Target-URI") or "", body)
            place = records.get_record_offset(), records.get_record_length()
            keep += [] if judged else [place]
            gone, end = gone + judged, sum(place)
    return keep, gone, end


def _rewrite(path: Path, keep: list[tuple[int, int]]) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.touch(mode=0o600)
    with path.open("rb") as old, draft.open("wb") as new:
        for offset, length in keep:
            old.seek(offset)
            new.write(old.read(length))
        new.flush()
        os.fsync(new.fileno())
    shutil.copystat(path, draft)
    draft.replace(path)

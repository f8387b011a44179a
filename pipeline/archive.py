"""The WARC files that are kept below the data folder: which retention takes, and how one record is taken out of a file.

Documents name a place in a file (`file#offset`), so a record is not cut out but blanked: an empty record as long as it takes
its place, and every other byte and offset stays. Its room is free when retention takes the file.
"""

from __future__ import annotations

import os
import shutil
import uuid
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from pipeline.errors import StancewatchError
from pipeline.warc.write import APPENDING

Unwanted = Callable[[str, bytes | None], bool]  # address and body of a response; no body for other records
Place = tuple[int, int]  # offset and length of a record
GZIP_WITH_COMMENT = b"\x1f\x8b\x08\x10\0\0\0\0\0\xff"


def warc_files(data: Path) -> list[Path]:
    """Return the kept files, the oldest first: by the time at which they were written, which copies keep."""
    files = [
        path for path in (data / "warc").rglob("*") if path.is_file() and not path.name.endswith((".tmp", APPENDING))
    ]
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


def blank(path: Path, unwanted: Unwanted) -> int:
    """Blank the records that are not wanted in a file of gzipped records, and return how many; all else stays as it is.

    A request goes with its response. A record that breaks off at the end of the file is judged like the others. Raises
    StancewatchError where there is something else than records: what cannot be read cannot be said to be gone.
    """
    try:
        gone, end = _places(path, unwanted)
    except (ArchiveLoadFailed, OSError, EOFError) as error:
        raise StancewatchError(f"{path} cannot be read, so nothing was blanked in it: {error}") from error
    if end != path.stat().st_size:
        raise StancewatchError(f"{path} is no WARC file from byte {end} on, so nothing was blanked in it")
    if gone:
        _rewrite(path, gone)
    return len(gone)


def _places(path: Path, unwanted: Unwanted) -> tuple[list[Place], int]:
    """Return the places of the records that are not wanted, and where the last record ends."""
    gone, answered, end = [], set(), 0
    with path.open("rb") as stream:
        records = ArchiveIterator(stream)
        for record in records:
            head = record.rec_headers.get_header
            body = record.content_stream().read() if record.rec_type == "response" else None
            judged = head("WARC-Concurrent-To") in answered or unwanted(head("WARC-Target-URI") or "", body)
            place = records.get_record_offset(), records.get_record_length()
            end = sum(place)
            if judged:
                gone.append(place)
                answered.add(head("WARC-Record-ID"))
    return gone, end


def _rewrite(path: Path, gone: Iterable[Place]) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.touch(mode=0o600)
    shutil.copyfile(path, draft)
    with draft.open("r+b") as new:
        for offset, length in gone:
            new.seek(offset)
            new.write(_empty_record(length))
        new.flush()
        os.fsync(new.fileno())
    shutil.copystat(path, draft)
    draft.replace(path)


def _empty_record(length: int) -> bytes:
    """Return a gzip member of that length with a record that says nothing; the comment of the member fills it up."""
    record = (
        f"WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Date: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    ).encode()
    for content in (record, b""):  # of a record that is shorter than an empty one, nothing is left at all
        packed = zlib.compress(content, 9, -zlib.MAX_WBITS)
        sums = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
        room = length - len(GZIP_WITH_COMMENT) - 1 - len(packed) - len(sums)
        if room >= 0:
            break
    return GZIP_WITH_COMMENT + b" " * room + b"\0" + packed + sums

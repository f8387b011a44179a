"""Pages kept as WARC: response and request records with digests, a gzip member each, in files of bounded size.

`write_pages` makes the records of a batch; `WarcFiles` appends a batch to the newest file and says where its bytes
begin. Before it appends it notes the file's size beside it: what a killed pass left half-written is known by that note
and taken off again, back to the last complete record.
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from urllib.parse import urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.records import Page

UNTRUE = ("content-encoding", "transfer-encoding", "content-length")  # of a body that is stored unpacked
PIECE = 1_048_576
PACKING = 6
APPENDING = ".appending"  # ends the name of the note beside a file that is appended to


def write_pages(path: Path, pages: Sequence[Page]) -> list[int]:
    """Write a response record a page and a request record where it is known, readable by the owner alone; return the offsets of the responses."""
    path.touch(mode=0o600)
    offsets = []
    with path.open("wb") as stream:
        writer = _Members(stream)
        for page in pages:
            offsets.append(stream.tell())
            dated = {"WARC-Date": page.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
            response = writer.create_warc_record(
                page.url,
                "response",
                payload=BytesIO(page.body),
                http_headers=_response_head(page),
                warc_headers_dict=dated,
            )
            writer.write_record(response)
            if page.asked:  # of a page out of another archive the request is not known
                related = {**dated, "WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID")}
                head = _request_head(page)
                writer.write_record(
                    writer.create_warc_record(page.url, "request", http_headers=head, warc_headers_dict=related)
                )
    return offsets


class _Members(WARCWriter):  # type: ignore[misc]
    """Writes a gzip member a record. The library packs at level 9: twice the time of 6, for a hundredth of the bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(BytesIO(), gzip=False)
        self._stream = stream

    def write_record(self, record: ArcWarcRecord, params: object = None) -> None:
        self.out = BytesIO()
        super().write_record(record, params)
        self._stream.write(gzip.compress(self.out.getvalue(), PACKING, mtime=0))


def _response_head(page: Page) -> StatusAndHeaders:
    """The server's headers. The body is stored unpacked, so what no longer holds is renamed as Common Crawl does."""
    headers = [(f"x-crawl-{k}" if k in UNTRUE else k, v) for k, v in page.headers.items()]
    return StatusAndHeaders(
        f"{page.status} OK", [*headers, ("content-length", str(len(page.body)))], protocol="HTTP/1.1"
    )


def _request_head(page: Page) -> StatusAndHeaders:
    parts = urlsplit(page.url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return StatusAndHeaders(f"GET {target} HTTP/1.1", list(page.asked.items()), is_http_request=True)


class WarcFiles:
    """The WARC files below `data`/warc. One process appends at a time (the pass lock), its threads in turn."""

    def __init__(self, data: Path, most: int) -> None:
        self._data = data
        self._most = most
        self._current: Path | None = None
        self._turn = Lock()

    def keep(self, batch: Path) -> tuple[str, int]:
        """Append a file of records, then remove it; return the file's path below `data` and where the batch begins."""
        with self._turn:
            path = self._open_file()
            begin = path.stat().st_size
            note = note_of(path)
            _write_durably(note, str(begin).encode())
            try:
                with path.open("ab") as stream, batch.open("rb") as records:
                    shutil.copyfileobj(records, stream, PIECE)
                    stream.flush()
                    os.fsync(stream.fileno())
            except OSError:  # a full disk: the next batch must not follow half a record
                os.truncate(path, begin)
                raise
            finally:
                note.unlink()
            batch.unlink()
            return str(path.relative_to(self._data)), begin

    def _open_file(self) -> Path:
        """Return the file to append to: the newest one until it is full or its month is over, since retention takes whole files."""
        now = datetime.now(UTC)
        month = self._data / "warc" / f"{now:%Y/%m}"
        if self._current is None:
            self._current = max(month.glob("stancewatch-*.warc.gz"), default=None)
        if self._current is None or self._current.parent != month or self._current.stat().st_size >= self._most:
            self._current = self._new_file(month / f"stancewatch-{now:%Y%m%dT%H%M%S%f}.warc.gz")
        return self._current

    @staticmethod
    def _new_file(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        with path.open("wb") as stream:
            info = {"software": "Stancewatch", "format": "WARC File Format 1.0"}
            writer = WARCWriter(stream, gzip=True)
            writer.write_record(writer.create_warcinfo_record(path.name, info))
        return path

    def repair(self) -> list[Path]:
        """Take off what a killed pass left half-written at the end of a file; return the files that were mended."""
        notes = sorted((self._data / "warc").glob(f"*/*/*{APPENDING}"))
        mended = []
        for note in notes:
            path = note.with_name(note.name.removesuffix(APPENDING))
            said = note.read_text(encoding="ascii", errors="replace")
            if path.exists() and _cut_back(path, int(said) if said.isdigit() else 0):
                mended.append(path)
            note.unlink()
        return mended


def note_of(path: Path) -> Path:
    """Return where the size of a file before an append is noted."""
    return path.with_name(path.name + APPENDING)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _cut_back(path: Path, begin: int) -> bool:
    """Truncate a file after its last complete gzip member from `begin` on; return whether that changed it."""
    with path.open("r+b") as stream:
        stream.seek(begin)
        end, position, inflate = begin, begin, zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            while piece := stream.read(PIECE):
                position += len(piece)
                while piece:
                    inflate.decompress(piece)
                    piece = inflate.unused_data
                    if inflate.eof:
                        end = position - len(piece)
                        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        except zlib.error:
            pass
        size = stream.seek(0, os.SEEK_END)
        stream.truncate(end)
    return end < size

"""Captured pages out of WARC files, ours and Common Crawl's, without a request and with flat memory.

In: a file, plain or gzipped. Out: a capture for each record that holds a web page, and a reason for each other record
of a type that could. What a record claims is bounded: its headers, its body before and after decoding, its length.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.dates import read_date
from pipeline.errors import ConfigError, Rejected
from pipeline.records import PAGE_TYPES
from pipeline.warc.stream import BEGIN, Broken, WarcStream

MAX_LINE = 16_384  # bytes of one header
MAX_HEADERS = 500  # lines of one head
MAX_SKIP = 64_000_000  # bytes of a record that are unpacked only to come to the next one
LENGTH = re.compile(r"\d{1,15}")
Head = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A page as a WARC file holds it; where `refused` says why it is none, the body is empty."""

    url: str
    offset: int  # of the record, or of the gzip member it is in
    position: int  # bytes of the file that were read so far
    content_type: str = ""
    body: bytes = b""
    captured_at: datetime
    refused: str | None = None


def read_warc(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield (url, content type, body) of each page of a file that we wrote, in order."""
    for capture in captures(path, 2**40):
        if capture.refused:
            raise ConfigError(f"{path}: the record at {capture.offset} is {capture.refused}")
        yield capture.url, capture.content_type, capture.body


def capture_at(path: Path, offset: int, most: int) -> Capture:
    """Return the page of the record at `offset`; raises ConfigError where there is none."""
    with path.open("rb") as file:
        file.seek(offset)
        found = next(_captures(WarcStream(file), most), None)
    if found is None or found.refused:
        raise ConfigError(f"{path} has no page at {offset}{f': {found.refused}' if found else ''}")
    return found


def captures(path: Path, most: int) -> Iterator[Capture]:
    """Yield what a file holds, in order; bodies of more than `most` bytes are refused."""
    with path.open("rb") as file:
        yield from _captures(WarcStream(file), most)


def _captures(stream: WarcStream, most: int) -> Iterator[Capture]:
    while True:
        offset = 0
        try:
            offset = stream.member
            head = _warc_head(stream)
            if head is None:
                return
            found = _record(stream, head, offset, most)
        except Broken:
            found = Capture(
                url="", offset=offset, position=stream.position, captured_at=datetime.now(UTC), refused="broken_record"
            )
            ended = not stream.resume()
        else:
            ended = False
        if found is not None:
            yield found
            ended = ended or (found.refused == "cut_off" and stream.cut)
        if ended:
            return


def _warc_head(stream: WarcStream) -> Head | None:
    for _ in range(MAX_HEADERS):
        line = stream.line(MAX_LINE, within=False)
        if line.strip():
            break
        if not line:
            if stream.cut:
                raise Broken("the file ends within a record")
            return None
    if not line.startswith(BEGIN):
        raise Broken("no record where one should begin")
    return _fields(stream)


def _fields(stream: WarcStream | _Block) -> Head:
    """Read header lines up to the blank one; names in lower case, the first of a name counts."""
    head: Head = {}
    for _ in range(MAX_HEADERS):
        line = stream.line(MAX_LINE)
        if not line.strip():
            return head
        name, _, value = line.decode("utf-8", "replace").partition(":")
        head.setdefault(name.strip().lower(), value.strip())
    raise Broken(f"more than {MAX_HEADERS} headers")


def _record(stream: WarcStream, head: Head, offset: int, most: int) -> Capture | None:
    """Read one record to its end; None where its type never holds a page."""
    if not LENGTH.fullmatch(head.get("content-length", "")):
        raise Broken("no length")
    size, kind = int(head["content-length"]), head.get("warc-type", "")
    block = _Block(stream, size)
    found, why = None, None
    if kind in ("response", "resource"):
        try:
            found = _page(block, head, kind, most)
        except Rejected as error:
            why = error.reason
    elif kind == "revisit":
        why = "revisit"  # the page stands elsewhere: in this file before, or in another one
    if not block.finish():
        why, found = "cut_off", None
    if found is None and why is None:
        return None
    url, kind, body = found or (head.get("warc-target-uri", ""), "", b"")
    when = min(read_date(head.get("warc-date", "")).when or datetime.max.replace(tzinfo=UTC), datetime.now(UTC))
    return Capture(
        url=url, offset=offset, position=stream.position, content_type=kind, body=body, captured_at=when, refused=why
    )


class _Block:
    """The block of one record: no read goes beyond its length."""

    def __init__(self, stream: WarcStream, size: int) -> None:
        self._stream = stream
        self.left = size

    def line(self, most: int) -> bytes:
        found = self._stream.line(min(most, self.left), ends=self.left <= most) if self.left else b""
        self.left -= len(found)
        return found

    def read(self, most: int) -> bytes:
        found = self._stream.read(min(most, self.left))
        self.left -= len(found)
        return found

    def finish(self) -> bool:
        """Go to the next record; return whether the block was whole. Raises Broken where it is too long to be read."""
        if self.left > MAX_SKIP:
            raise Broken("a record that is too long")
        return self._stream.skip(self.left)


def _page(block: _Block, head: Head, kind: str, most: int) -> tuple[str, str, bytes]:
    url = head.get("warc-target-uri", "").strip("<>")
    if not url.lower().startswith(("http://", "https://")):
        raise Rejected("no_link")
    http = {"content-type": head.get("content-type", "")}
    if kind == "response":
        status = block.line(MAX_LINE).split(b" ", 2)
        http = _fields(block)
        if len(status) < 2 or status[1][:3] != b"200":
            code = status[1][:3].strip().decode("ascii", "replace") if len(status) > 1 else "none"
            raise Rejected(f"http_{code}" if code.isdigit() else "no_http")
    content_type = http.get("content-type", "")
    if content_type.split(";", 1)[0].strip().lower() not in PAGE_TYPES:
        raise Rejected("not_html")
    body = block.read(most + 1)
    if len(body) > most:
        raise Rejected("too_large")
    body = decoded(body, http, most)
    if not body.strip():
        raise Rejected("empty_body")
    return url, content_type, body


def decoded(body: bytes, http: Head, most: int) -> bytes:
    """Undo chunks and compression where the body has them: many archives keep the headers of what they have undone."""
    if "chunked" in http.get("transfer-encoding", "").lower():
        body = _unchunked(body)
    encoding = http.get("content-encoding", "").lower().strip()
    if encoding in ("gzip", "x-gzip") and body.startswith(b"\x1f\x8b"):
        return _inflated(body, zlib.MAX_WBITS | 16, most)
    if encoding == "deflate":
        for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
            with suppress(zlib.error):
                return _inflated(body, bits, most)
    if encoding in ("br", "zstd"):
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Rejected("bad_encoding") from error
    return body


def _inflated(body: bytes, bits: int, most: int) -> bytes:
    inflate = zlib.decompressobj(bits)
    try:
        plain = inflate.decompress(body, most + 1)
    except zlib.error as error:
        if bits & 16:
            raise Rejected("bad_encoding") from error
        raise
    if len(plain) > most:
        raise Rejected("too_large")
    return plain  # of a body that was cut off, what is there


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    place = 0
    while (end := body.find(b"\r\n", place, place + 100)) > 0:
        size = body[place:end].split(b";", 1)[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
            return body
        place, length = end + 2, int(size, 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[place : place + length])
        place += length + 2
    return b"".join(parts) if parts and place >= len(body) else body

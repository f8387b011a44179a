"""The bytes of a WARC file as one bounded stream: gzip members or plain in, lines and blocks out.

Memory holds two pieces of 64 KB, whatever the file claims or unpacks to. warcio's reader keeps a whole line or what
a member unpacks to, so a hostile file could fill the memory; this one gives up at a limit and looks for the next record.
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

PIECE = 65_536  # bytes read, and bytes unpacked, at a time
GZIP = b"\x1f\x8b\x08"
BEGIN = b"WARC/"


class Broken(Exception):
    """What follows is no record: see `resume`."""


class WarcStream:
    """Reads forward. `member` is the offset in the file at which the next byte, or the gzip member it is in, begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = file.read(PIECE)
        self._position = len(self._packed)  # in the file, after `_packed`
        self._plain = not self._packed.startswith(GZIP[:2])
        self._inflate: zlib._Decompress | None = None
        self._ready = b""
        self._member = 0

    @property
    def position(self) -> int:
        """Bytes of the file that were worked off."""
        return self._position - len(self._packed)

    @property
    def member(self) -> int:
        """Where the next record begins, as far as the file can be entered there."""
        for _ in range(4):  # the line ends that close the record before
            if self._fill() and self._ready[0] in b"\r\n":
                self._ready = self._ready[1:]
        self._fill()
        return self.position - len(self._ready) if self._plain else self._member

    def read(self, most: int) -> bytes:
        """Return `most` bytes; fewer where the file or the gzip member ends: a record does not go on in the next one."""
        parts, left = [], most
        while left and self._fill(within=True):
            part, self._ready = self._ready[:left], self._ready[left:]
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> bool:
        """Leave bytes of a record out; return whether they were there."""
        while size and (part := self.read(min(size, PIECE))):
            size -= len(part)
        return size == 0

    def line(self, most: int, *, within: bool = True, ends: bool = False) -> bytes:
        """Return the next line; raises Broken where it is longer than `most` bytes, unless these end what is read."""
        found = b""
        while self._fill(within=within or bool(found)):
            end = self._ready.find(b"\n", 0, most) + 1
            part, self._ready = self._ready[: end or most], self._ready[end or most :]
            found += part
            if end or len(found) >= most:
                break
        if len(found) > most or (len(found) == most and not ends and not found.endswith(b"\n")):
            raise Broken(f"a line of more than {most} bytes")
        return found

    def _fill(self, *, within: bool = False) -> bool:
        """Have at least one byte ready, never of two members at once; False at the end (within: of the member)."""
        while not self._ready:
            if within and not self._plain and self._inflate is None:
                return False
            if not self._packed and not self._more():
                return False
            if self._plain:
                self._ready, self._packed = self._packed, b""
            else:
                self._unpack()
        return True

    def _more(self) -> bool:
        self._packed += (piece := self._file.read(PIECE))
        self._position += len(piece)
        return bool(piece)

    def _unpack(self) -> None:
        if self._inflate is None:
            self._member = self.position
            if len(self._packed) < len(GZIP):
                self._more()
            if not self._packed.startswith(GZIP):
                raise Broken("no gzip member where one should begin")
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            self._ready = self._inflate.decompress(self._packed, PIECE)
        except zlib.error as error:
            raise Broken(f"a broken gzip member: {error}") from error
        if self._inflate.eof:
            self._packed, self._inflate = self._inflate.unused_data, None
        else:
            self._packed = self._inflate.unconsumed_tail

    @property
    def cut(self) -> bool:
        """Whether the file ended within a gzip member."""
        return self._inflate is not None and not self._packed and not self._ready

    def resume(self) -> bool:
        """Go to the next place in the file where a record seems to begin; False where there is none.

        The file is searched as it is, without unpacking: a member that unpacks to terabytes costs its packed size.
        """
        if self._plain:
            mark, self._packed = BEGIN, self._ready + self._packed
        else:
            mark, entered = GZIP, self._inflate is not None
            self._packed = self._packed[entered:]  # not the member that has just turned out to be broken
        self._ready, self._inflate = b"", None
        while True:
            place = self._packed.find(mark)
            if place < 0:
                self._packed = self._packed[-len(mark) + 1 :]
                if not self._more():
                    self._packed = b""
                    return False
                continue
            self._packed = self._packed[place:]
            if len(self._packed) < PIECE:
                self._more()
            if self._plain or _begins_record(self._packed):
                return True
            self._packed = self._packed[1:]


def _begins_record(packed: bytes) -> bool:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, len(BEGIN)) == BEGIN
    except zlib.error:
        return False

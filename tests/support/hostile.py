"""What hostile servers send: scripts for `serve_raw`, written for these tests."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import count, repeat

from tests.support.raw import Script, Step, answer

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"
OPEN = HEAD + b"\r\n"  # no length: the body ends with the connection
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


def says(*steps: Step) -> Script:
    return lambda: steps


def forever(first: bytes, piece: bytes) -> Script:
    def steps() -> Iterator[Step]:
        yield first
        yield from repeat(piece)

    return steps


def dripping(first: bytes, piece: bytes = b"x") -> Script:
    """A byte every now and then: every read succeeds, and nothing is ever done."""

    def steps() -> Iterator[Step]:
        yield first
        for _ in repeat(None):
            yield piece
            yield 0.05

    return steps


def redirect(to: str) -> Script:
    return answer(b"", f"location: {to}", status="302 Found")


def silent() -> Iterable[Step]:
    """Take the request and say nothing."""
    return repeat(0.05)


def huge(size: int) -> Script:
    """A body of honest length that is too long."""

    def steps() -> Iterator[Step]:
        yield HEAD + f"content-length: {size}\r\n\r\n".encode()
        yield from repeat(b"<p>more</p>" * 1_000, size // 11_000)

    return steps


def endless_gzip() -> Iterator[Step]:
    """Zeros, compressed as they are sent, without an end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield HEAD + b"content-encoding: gzip\r\n\r\n"
    for _ in count():
        yield packer.compress(b"\0" * 10_000_000) or 0.0


def gzip_bomb(head: bytes = b"", size: int = 100_000_000) -> bytes:
    return gzip.compress(head + b"\0" * size)


def many_chunks() -> Iterator[Step]:
    """One byte a chunk: six on the wire, and some fifty microseconds each to the reader."""
    yield CHUNKED
    yield from repeat(b"1\r\nx\r\n" * 1_000)


def laughs(levels: int = 9) -> str:
    """A document type whose last entity is ten to the power of `levels` times the first."""
    lines = ['<!ENTITY l0 "ha">'] + [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels + 1)]
    return f"<!DOCTYPE rss [{''.join(lines)}]>"

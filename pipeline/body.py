"""Bodies of answers: pieces as they come in, decompressed and bounded pieces out."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from pipeline.errors import Rejected, Transient

MAX_PIECES = 50_000  # an honest server sends kilobytes a piece; one byte a piece costs 50 us each, and others wait


async def bounded(received: AsyncIterator[bytes], encoding: str, limit: int) -> AsyncIterator[bytes]:
    """Yield the decompressed body and stop at `limit` bytes, before as after decompression.

    Only gzip and deflate, once, are undone: it is gzip that we offer. What follows a compressed stream is dropped.
    """
    encoding = encoding.lower().strip()
    if encoding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise Rejected("bad_encoding", f"content-encoding {encoding[:40]} was not asked for")
    inflate = None if encoding in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    raw = out = pieces = 0
    async for piece in received:
        raw += len(piece)
        pieces += 1
        chunk = piece if inflate is None else _inflated(inflate, piece, encoding, limit - out + 1)
        out += len(chunk)
        if raw > limit or out > limit or (inflate is not None and inflate.unconsumed_tail):
            raise Rejected("too_large", f"more than {limit} bytes")
        if pieces > MAX_PIECES:
            raise Rejected("too_large", f"more than {MAX_PIECES} pieces of a body")
        yield chunk
    if inflate is not None and raw and not inflate.eof:
        raise Transient("bad_encoding", f"{encoding} body ends early")


def _inflated(inflate: zlib._Decompress, piece: bytes, encoding: str, most: int) -> bytes:
    if inflate.eof:
        return b""  # zlib would keep what follows, and copy all of it for every further piece
    try:
        return inflate.decompress(piece, most)
    except zlib.error as error:
        raise Transient("bad_encoding", f"broken {encoding} body: {error}") from error

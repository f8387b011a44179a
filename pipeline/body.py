"""Bodies of answers: pieces as they come in, decompressed and bounded pieces out."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from pipeline.errors import Rejected, Transient


async def bounded(
    received: AsyncIterator[bytes], encoding: str, limit: int, *, cut: bool = False
) -> AsyncIterator[bytes]:
    """Yield the decompressed body and stop at `limit` bytes, before as after decompression.

    A longer one is Rejected, or cut off there.
    """
    encoding = encoding.lower().strip()
    if encoding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise Rejected("bad_encoding", f"content-encoding {encoding[:40]} was not asked for")
    inflate = None if encoding in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    raw = out = 0
    async for piece in received:
        raw += len(piece)
        try:
            chunk = piece if inflate is None else inflate.decompress(piece, limit - out + 1)
        except zlib.error as error:
            raise Transient("bad_encoding", f"broken {encoding} body: {error}") from error
        out += len(chunk)
        if raw > limit or out > limit or (inflate is not None and inflate.unconsumed_tail):
            if cut:
                yield chunk[: len(chunk) - max(out - limit, 0)]
                return
            raise Rejected("too_large", f"more than {limit} bytes")
        yield chunk
    if inflate is not None and raw and not inflate.eof:
        raise Transient("bad_encoding", f"{encoding} body ends early")

"""A connection that says enough is enough: a stream of the HTTP library in, the same stream with a limit out."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore


class TooMuch(httpcore.ReadError):
    """A server sent more bytes for one request than any answer that is kept can need."""


class LimitedStream(httpcore.AsyncNetworkStream):
    """Counts what one answer takes on the wire: interim answers, headers, chunk frames and trailers too.

    The body is counted where it is read; this ends what never gets to be a body, such as a flood of `100 Continue`.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream, limit: int) -> None:
        self._inner = inner
        self._limit = limit
        self._taken = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read; TooMuch where this answer is beyond the limit."""
        data = await self._inner.read(max_bytes, timeout)
        self._taken += len(data)
        if self._taken > self._limit:
            raise TooMuch(f"more than {self._limit} bytes on the wire for one answer")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; what comes after it is another answer."""
        self._taken = 0
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Return the encrypted stream, limited too."""
        try:
            encrypted = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:  # a deadline too: the library (1.0.9) leaves a connection open that never shakes hands
            await self._inner.aclose()
            raise
        return LimitedStream(encrypted, self._limit)

    def get_extra_info(self, info: str) -> Any:
        """Say what the stream says."""
        return self._inner.get_extra_info(info)

"""The connections of a client: requests of the HTTP library in, its answers out, over a small pool for each origin.

The library's pool looks at every connection that it holds for each request that comes or goes, several times: with those of
two hundred hosts in one pool that took longer than everything else about a request (httpcore 1.0.9, 2026-11).
"""

from __future__ import annotations

import ssl
from typing import Any

import certifi
import httpcore

HOST_CONNECTIONS = 2
MOST_KEPT = 256  # origins whose connections are kept open: of those in excess the one asked longest ago goes
Pool = httpcore.AsyncConnectionPool


class Connections:
    """A pool of at most two connections for each origin, kept for the next request."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._shared: dict[str, Any] = {"ssl_context": verifying(), "network_backend": backend}
        self._pools: dict[str, Pool] = {}  # the one used longest ago first

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over a connection of its origin."""
        origin = str(request.url.origin)
        pool = self._pools.pop(origin, None) or Pool(max_connections=HOST_CONNECTIONS, **self._shared)
        self._pools[origin] = pool
        if len(self._pools) > MOST_KEPT:
            await self._close_idle()
        return await pool.handle_async_request(request)

    async def _close_idle(self) -> None:
        idle = (key for key, pool in self._pools.items() if all(one.is_idle() for one in pool.connections))
        if (oldest := next(idle, None)) is not None:
            await self._pools.pop(oldest).aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        while self._pools:
            await self._pools.popitem()[1].aclose()


def verifying() -> ssl.SSLContext:
    """Return what certificates are checked with."""
    return ssl.create_default_context(cafile=certifi.where())


def open_connections(
    proxy: str | None, backend: httpcore.AsyncNetworkBackend, most: int
) -> Connections | httpcore.AsyncHTTPProxy:
    """Return the connections of a client; behind a proxy, where there is one, those of the library: at most `most`."""
    if proxy is None:
        return Connections(backend)
    return httpcore.AsyncHTTPProxy(
        proxy, ssl_context=verifying(), max_connections=most, max_keepalive_connections=most, network_backend=backend
    )

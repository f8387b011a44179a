"""The only room that reaches the network: bounded, polite, and deaf to private addresses.

In: a URL. Out: a `Page`, or `Transient` or `Rejected` with its reason. The address check sits where the connection is
made, so that every hop of a redirect and every answer of the name server passes it, and the connection goes to the
address that was checked.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpcore
import httpx

from pipeline.addresses import host_and_port, host_of, is_public
from pipeline.body import bounded
from pipeline.connections import HOST_CONNECTIONS, open_connections
from pipeline.errors import Rejected, Transient
from pipeline.hints import retry_after
from pipeline.http_errors import NoNameServer, Refused, translated
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.settings import Settings
from pipeline.urls import redirect_target
from pipeline.wire import LimitedStream

MAX_REDIRECTS = 8
MAX_CONNECTIONS = 64  # at once, to all hosts
FIRST_BYTE = 15.0  # seconds without a byte: of a connection that is made, of headers, in the middle of a body
MAX_HEADERS = 200  # h11 lets 100 KiB of them pass, which are twenty thousand short ones
WIRE_OVERHEAD = 1_000_000  # bytes above max_body for headers, chunk frames and TLS
SLOW_STATUS = frozenset({403, 429, 503, 529})  # the host, not the page, has enough of us; 403 where it is repeated
RETRY_STATUS = frozenset({403, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name, in its order of preference. Blocking."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks, and connects to the checked address."""

    def __init__(self, allow_hosts: Iterable[str], wire_limit: int) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allowed = frozenset(allow_hosts)
        self._wire_limit = wire_limit
        # the loop's own threads are few, and a name server that never answers would hold the look-ups of all hosts
        self._resolvers = ThreadPoolExecutor(MAX_CONNECTIONS, "resolve")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that may be reached; Refused where the name leads to a private one."""
        failure: Exception = httpcore.ConnectError(f"no address for {host}")
        for address in (await self.addresses(host, port, timeout))[:3]:
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
                return LimitedStream(stream, self._wire_limit)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def addresses(self, host: str, port: int, timeout: float | None = FIRST_BYTE) -> list[str]:
        """Return the addresses of a name; Refused where one of them is private and nobody allowed it."""
        try:
            looked_up = asyncio.get_running_loop().run_in_executor(self._resolvers, resolve, host, port)
            addresses = await asyncio.wait_for(looked_up, timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name server does not answer") from error
        except (OSError, UnicodeError) as error:
            kind = NoNameServer if getattr(error, "errno", None) == socket.EAI_AGAIN else httpcore.ConnectError
            raise kind(f"no address for {host}: {error}") from error
        if f"{host}:{port}" not in self._allowed:
            for address in addresses:
                if not is_public(address):
                    raise Refused(f"{host} leads to {address}, which is not public")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait; asked for by the connection pool's retries."""
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """Let go of the threads; a look-up that hangs ends when the system gives it up."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)


class Client:
    """A bounded HTTP client for one event loop. `get` follows redirects itself, so that each hop is checked."""

    def __init__(self, settings: Settings, pace: Pace) -> None:
        self._settings = settings
        self._pace = pace
        self._turn: dict[str, asyncio.Semaphore] = {}
        self._open = asyncio.Semaphore(MAX_CONNECTIONS)
        proxies = ["{}:{}".format(*host_and_port(settings.proxy))] if settings.proxy else []
        self._backend = GuardedBackend([*settings.allow_hosts, *proxies], settings.max_body + WIRE_OVERHEAD)
        transport = httpx.AsyncHTTPTransport(verify=True)
        # httpx 0.28 has no argument for it (2026-11)
        transport._pool = open_connections(settings.proxy, self._backend, MAX_CONNECTIONS)  # type: ignore[assignment]
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=min(settings.request_timeout, FIRST_BYTE),
            headers={"user-agent": settings.user_agent, "accept-encoding": "gzip"},
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        self._backend.close()

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        allowed: Callable[[str], Awaitable[None]] | None = None,
        cut_at: int | None = None,
    ) -> Page:
        """Fetch one URL. Raises Transient (may work later) or Rejected (never will); 304 is returned as a Page.

        `allowed` is asked before every hop and raises where it is not; a body is cut at `cut_at` bytes.
        """
        asked, permanent, first = dict(headers or {}), True, url
        left = self._settings.request_timeout  # of the servers' time over all hops: a chain of slow ones hangs nobody
        for _ in range(MAX_REDIRECTS + 1):
            if allowed is not None:
                await allowed(url)
            page, took = await self._in_turn(url, asked, left, cut_at)
            left -= took
            if page.status not in (301, 302, 303, 307, 308):
                return replace(page, moved_to=url if permanent and url != first else None)
            permanent = permanent and page.status in (301, 308)
            try:
                url = redirect_target(url, page.headers.get("location", ""))
            except ValueError as error:
                raise Rejected("bad_redirect", str(error)[:200]) from error
        raise Rejected("too_many_redirects", f"more than {MAX_REDIRECTS} redirects")

    async def _in_turn(self, url: str, headers: dict[str, str], left: float, cut_at: int | None) -> tuple[Page, float]:
        """Make one request within `left` seconds; wait first for the host's turn, which is not the server's time.

        Returns the page and the seconds that the server took.
        """
        try:
            host = host_of(url)
        except ValueError as error:
            raise Rejected("bad_url", str(error)) from error
        async with self._turn.setdefault(host, asyncio.Semaphore(HOST_CONNECTIONS)):
            await asyncio.sleep(self._pace.reserve(host))
            try:
                async with self._open, asyncio.timeout(left):  # nor is the wait for a free connection the server's time
                    asked_at = time.monotonic()
                    page = await self._one(url, headers, cut_at)
            except TimeoutError as error:
                # a host that got what slow redirects of others left is not the one to blame
                if left > self._settings.request_timeout / 2:
                    self._pace.failed(host)
                raise Transient("timeout", f"no whole answer in {self._settings.request_timeout:g} s") from error
            except Transient as error:
                if error.reason in ("timeout", "network", "tls"):
                    self._pace.failed(host)
                raise
            took = time.monotonic() - asked_at
            self._pace.answered(host, took)
            return page, took

    async def _one(self, url: str, headers: dict[str, str], cut_at: int | None) -> Page:
        host = host_of(url)
        with translated():
            if self._settings.proxy:  # the proxy makes the connection, so the address is checked before
                await self._backend.addresses(*host_and_port(url))
            async with self._client.stream("GET", url, headers=headers) as response:
                try:
                    self._judge(response, host)
                    body = b"" if response.status_code >= 300 else await self._body(response, cut_at)
                finally:
                    self._pace.spent(host, response.num_bytes_downloaded)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Page(
                    url=url,
                    status=response.status_code,
                    headers=names,
                    body=body,
                    fetched_at=datetime.now(UTC),
                    asked=dict(response.request.headers),
                )

    def _judge(self, response: httpx.Response, host: str) -> None:
        """Raise where the head of an answer is that of a failure."""
        status = response.status_code
        if len(response.headers.raw) > MAX_HEADERS:
            raise Rejected("too_many_headers", f"{len(response.headers.raw)} headers from {host}")
        if status in RETRY_STATUS:
            asked = retry_after(response.headers)
            if status in SLOW_STATUS:
                self._pace.refused(host, status, asked)
            raise Transient(f"http_{status}", f"{status} from {host}", retry_after=asked)
        if status == 206:
            raise Transient("http_206", f"a part that nobody asked for, from {host}")
        if status >= 400 or status < 200:
            raise Rejected(f"http_{status}", f"{status} for {response.url}")

    async def _body(self, response: httpx.Response, cut_at: int | None) -> bytes:
        encoding = response.headers.get("content-encoding", "identity")
        pieces = bounded(response.aiter_raw(), encoding, cut_at or self._settings.max_body, cut=cut_at is not None)
        return b"".join([piece async for piece in pieces])


@asynccontextmanager
async def open_client(settings: Settings, pace: Pace) -> AsyncIterator[Client]:
    """Open a client for one event loop and close it afterwards."""
    client = Client(settings, pace)
    try:
        yield client
    finally:
        await client.aclose()

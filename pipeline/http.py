"""The only room that reaches the network: bounded, polite, and deaf to private addresses.

In: a URL. Out: a `Page`, or `Transient` or `Rejected` with its reason. The address check sits where the connection is
made, so that every hop of a redirect and every answer of the name server passes it, and the connection goes to the
address that was checked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore
import httpx

from pipeline.addresses import host_and_port, host_of, is_public
from pipeline.body import bounded
from pipeline.errors import Rejected, Transient
from pipeline.hints import retry_after
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.settings import Settings

MAX_REDIRECTS = 8
HOST_CONNECTIONS = 2
SLOW_STATUS = frozenset({403, 429, 503, 529})  # the host, not the page, has enough of us; 403 where it is repeated
RETRY_STATUS = frozenset({403, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


class Refused(httpcore.ConnectError):
    """The address is not one that a public page may send us to."""


class NoNameServer(httpcore.ConnectError):
    """The name could not be looked up now; that says nothing of the host."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks, and connects to the checked address."""

    def __init__(self, allow_hosts: Iterable[str]) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allowed = frozenset(allow_hosts)

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
        for address in (await self.resolve(host, port, timeout))[:3]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def resolve(self, host: str, port: int, timeout: float | None = 15.0) -> list[str]:
        """Return the addresses of a name; Refused where one of them is private and nobody allowed it."""
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), timeout
            )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name server does not answer") from error
        except (OSError, UnicodeError) as error:
            kind = NoNameServer if getattr(error, "errno", None) == socket.EAI_AGAIN else httpcore.ConnectError
            raise kind(f"no address for {host}: {error}") from error
        addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
        if f"{host}:{port}" not in self._allowed:
            for address in addresses:
                if not is_public(address):
                    raise Refused(f"{host} leads to {address}, which is not public")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait; asked for by the connection pool's retries."""
        await asyncio.sleep(seconds)


class Client:
    """A bounded HTTP client for one event loop. `get` follows redirects itself, so that each hop is checked."""

    def __init__(self, settings: Settings, pace: Pace) -> None:
        self._settings = settings
        self._pace = pace
        self._turn: dict[str, asyncio.Semaphore] = {}
        proxies = ["{}:{}".format(*host_and_port(settings.proxy))] if settings.proxy else []
        self._guard = GuardedBackend([*settings.allow_hosts, *proxies])
        transport = httpx.AsyncHTTPTransport(verify=True)
        transport._pool = connection_pool(settings.proxy, self._guard)  # httpx 0.28 has no argument for it (2026-11)
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=min(settings.request_timeout, 15.0),
            headers={"user-agent": settings.user_agent, "accept-encoding": "gzip"},
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

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
            target = urljoin(url, page.headers.get("location", ""))
            if urlsplit(target).scheme not in ("http", "https") or "location" not in page.headers:
                raise Rejected("bad_redirect", f"redirects to {target[:200]}")
            url = target.split("#", 1)[0]
        raise Rejected("too_many_redirects", f"more than {MAX_REDIRECTS} redirects")

    async def _in_turn(self, url: str, headers: dict[str, str], left: float, cut_at: int | None) -> tuple[Page, float]:
        """Make one request within `left` seconds; wait first for the host's turn, which is not the server's time.

        Returns the page and the seconds that the server took.
        """
        host = host_of(url)
        async with self._turn.setdefault(host, asyncio.Semaphore(HOST_CONNECTIONS)):
            await asyncio.sleep(self._pace.reserve(host))
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    page = await self._one(url, headers, cut_at)
            except TimeoutError as error:
                # a host that got what slow redirects of others left is not the one to blame
                if left > self._settings.request_timeout / 2:
                    self._pace.failed(host)
                raise Transient("timeout", f"no whole answer in {self._settings.request_timeout:g} s") from error
            except Transient as error:
                if error.reason in ("timeout", "network"):
                    self._pace.failed(host)
                raise
            took = time.monotonic() - asked_at
            self._pace.answered(host, took)
            return page, took

    async def _one(self, url: str, headers: dict[str, str], cut_at: int | None) -> Page:
        host = host_of(url)
        if self._settings.proxy:  # the proxy makes the connection, so the address is checked before
            with translated():
                await self._guard.resolve(*host_and_port(url))
        with translated():
            async with self._client.stream("GET", url, headers=headers) as response:
                try:
                    self._judge(response, host)
                    body = b"" if response.status_code >= 300 else await self._body(response, cut_at)
                finally:
                    self._pace.spent(host, response.num_bytes_downloaded)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Page(
                    url=url, status=response.status_code, headers=names, body=body, fetched_at=datetime.now(UTC)
                )

    def _judge(self, response: httpx.Response, host: str) -> None:
        """Raise where the status is that of a failure."""
        status = response.status_code
        if status in RETRY_STATUS:
            asked = retry_after(response.headers)
            if status in SLOW_STATUS:
                self._pace.refused(host, status, asked)
            raise Transient(f"http_{status}", f"{status} from {host}", retry_after=asked)
        if status >= 400 or status < 200:
            raise Rejected(f"http_{status}", f"{status} for {response.url}")

    async def _body(self, response: httpx.Response, cut_at: int | None) -> bytes:
        encoding = response.headers.get("content-encoding", "identity")
        pieces = bounded(response.aiter_raw(), encoding, cut_at or self._settings.max_body, cut=cut_at is not None)
        return b"".join([piece async for piece in pieces])


class translated:  # noqa: N801 - reads as a verb phrase: with translated():
    """Turn the HTTP library's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(
            error, httpx.RequestError | httpx.InvalidURL | httpcore.ConnectError | httpcore.ConnectTimeout
        ):
            return
        if refused := _cause(error, Refused):
            raise Rejected("private_address", str(refused)) from error
        if lost := _cause(error, NoNameServer):
            raise Transient("name_server", str(lost)) from error
        if isinstance(error, httpx.TimeoutException | httpcore.ConnectTimeout):
            raise Transient("timeout", type(error).__name__) from error
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
            raise Rejected("bad_url", str(error)) from error
        raise Transient("network", f"{type(error).__name__}: {error}"[:300]) from error


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def connection_pool(proxy: str | None, guard: GuardedBackend) -> httpcore.AsyncConnectionPool:
    """Return the one pool of a client, behind a proxy where the settings name one."""
    shared: dict[str, Any] = {
        "ssl_context": ssl.create_default_context(cafile=certifi.where()),
        "max_connections": 64,
        "max_keepalive_connections": 32,
        "network_backend": guard,
    }
    return httpcore.AsyncHTTPProxy(proxy, **shared) if proxy else httpcore.AsyncConnectionPool(**shared)


@asynccontextmanager
async def open_client(settings: Settings, pace: Pace) -> AsyncIterator[Client]:
    """Open a client for one event loop and close it afterwards."""
    client = Client(settings, pace)
    try:
        yield client
    finally:
        await client.aclose()

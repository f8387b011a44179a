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
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import certifi
import httpcore
import httpx

from pipeline.addresses import host_of, is_public
from pipeline.body import bounded
from pipeline.errors import Rejected, Transient
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.settings import Settings
from pipeline.urls import redirect_target
from pipeline.wire import LimitedStream, TooMuch

MAX_REDIRECTS = 8
HOST_CONNECTIONS = 2
MAX_CONNECTIONS = 64  # at once, to all hosts
FIRST_BYTE = 15.0  # seconds without a byte: of a connection that is made, of headers, in the middle of a body
MAX_HEADERS = 200  # h11 lets 100 KiB of them pass, which are twenty thousand short ones
WIRE_OVERHEAD = 1_000_000  # bytes above max_body for headers, chunk frames and TLS
HOST_FAILURES = 3  # in a row; then the host is left alone for the rest of the batch
RETRY_STATUS = frozenset({403, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


class Refused(httpcore.ConnectError):
    """The address is not one that a public page may send us to."""


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
        try:
            looked_up = asyncio.get_running_loop().run_in_executor(self._resolvers, resolve, host, port)
            addresses = await asyncio.wait_for(looked_up, timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name server does not answer") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address for {host}: {error}") from error
        if f"{host}:{port}" not in self._allowed:
            for address in addresses:
                if not is_public(address):
                    raise Refused(f"{host} leads to {address}, which is not public")
        failure: Exception = httpcore.ConnectError(f"no address for {host}")
        for address in addresses[:3]:
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
                return LimitedStream(stream, self._wire_limit)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

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
        self._failures: dict[str, int] = {}
        self._open = asyncio.Semaphore(MAX_CONNECTIONS)
        self._backend = GuardedBackend(settings.allow_hosts, settings.max_body + WIRE_OVERHEAD)
        transport = httpx.AsyncHTTPTransport(verify=True)
        transport._pool = httpcore.AsyncConnectionPool(  # the seam that httpx offers no argument for (0.28, 2026-11)
            ssl_context=ssl.create_default_context(cafile=certifi.where()),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=32,
            network_backend=self._backend,
        )
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

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Page:
        """Fetch one URL. Raises Transient (may work later) or Rejected (never will); 304 is returned as a Page."""
        asked = dict(headers or {})
        left = self._settings.request_timeout  # of the servers' time over all hops: a chain of slow ones hangs nobody
        for _ in range(MAX_REDIRECTS + 1):
            page, took = await self._in_turn(url, asked, left)
            left -= took
            if page.status not in (301, 302, 303, 307, 308):
                return page
            try:
                url = redirect_target(url, page.headers.get("location", ""))
            except ValueError as error:
                raise Rejected("bad_redirect", str(error)[:200]) from error
        raise Rejected("too_many_redirects", f"more than {MAX_REDIRECTS} redirects")

    async def _in_turn(self, url: str, headers: dict[str, str], left: float) -> tuple[Page, float]:
        """Make one request within `left` seconds; wait first for the host's turn, which is not the server's time.

        Returns the page and the seconds that the server took.
        """
        try:
            host = host_of(url)
        except ValueError as error:
            raise Rejected("bad_url", str(error)) from error
        async with self._turn.setdefault(host, asyncio.Semaphore(HOST_CONNECTIONS)):
            if self._failures.get(host, 0) >= HOST_FAILURES:
                raise Transient("host_down", f"{host} failed {HOST_FAILURES} times in a row")
            await asyncio.sleep(self._pace.reserve(host))
            try:
                async with self._open, asyncio.timeout(left):  # nor is the wait for a free connection the server's time
                    asked_at = time.monotonic()
                    page = await self._one(url, headers)
            except TimeoutError as error:
                # a host that got what slow redirects of others left is not the one to blame
                self._failures[host] = self._failures.get(host, 0) + (left > self._settings.request_timeout / 2)
                raise Transient("timeout", f"no whole answer in {self._settings.request_timeout:g} s") from error
            except Transient as error:
                self._failures[host] = self._failures.get(host, 0) + (error.reason in ("timeout", "network", "tls"))
                raise
            self._failures[host] = 0
            return page, time.monotonic() - asked_at

    async def _one(self, url: str, headers: dict[str, str]) -> Page:
        with translated():
            async with self._client.stream("GET", url, headers=headers) as response:
                status = response.status_code
                if len(response.headers.raw) > MAX_HEADERS:
                    raise Rejected("too_many_headers", f"{len(response.headers.raw)} headers from {host_of(url)}")
                if status in RETRY_STATUS:
                    self._pace.slow_down(host_of(url), retry_after(response.headers))
                    raise Transient(f"http_{status}", f"{status} from {host_of(url)}")
                if status == 206:
                    raise Transient("http_206", f"a part that nobody asked for, from {host_of(url)}")
                if status >= 400 or status < 200:
                    raise Rejected(f"http_{status}", f"{status} for {url}")
                body = b"" if status >= 300 else await self._body(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Page(url=url, status=status, headers=names, body=body, fetched_at=datetime.now(UTC))

    async def _body(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "identity")
        pieces = bounded(response.aiter_raw(), encoding, self._settings.max_body)
        return b"".join([piece async for piece in pieces])


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After asks for (a number or a date), between 30 and 3600; 30 without one."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return min(max(float(value[:9]), 30.0), 3600.0)
    try:
        return min(max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 30.0), 3600.0)
    except (ValueError, TypeError):
        return 30.0


class translated:  # noqa: N801 - reads as a verb phrase: with translated():
    """Turn the HTTP library's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.RequestError) and isinstance(_root(error), Refused):
            raise Rejected("private_address", str(_root(error))) from error
        if isinstance(error, httpx.RequestError) and isinstance(_root(error), TooMuch):
            raise Rejected("too_large", str(_root(error))) from error
        if isinstance(error, httpx.RequestError) and isinstance(_root(error).__context__, ssl.SSLError):
            raise Transient("tls", str(error)[:300]) from error
        if isinstance(error, httpx.TimeoutException):
            raise Transient("timeout", type(error).__name__) from error
        if isinstance(error, httpx.RemoteProtocolError) and "location header" in str(error):  # httpx looks ahead
            raise Rejected("bad_redirect", str(error)[:200]) from error
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
            raise Rejected("bad_url", str(error)) from error
        if isinstance(error, httpx.RequestError):
            raise Transient("network", f"{type(error).__name__}: {error}"[:300]) from error


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@asynccontextmanager
async def open_client(settings: Settings, pace: Pace) -> AsyncIterator[Client]:
    """Open a client for one event loop and close it afterwards."""
    client = Client(settings, pace)
    try:
        yield client
    finally:
        await client.aclose()

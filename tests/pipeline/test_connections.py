"""Connections are kept and used again, few to a host, and those that are not needed are closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import pytest

from pipeline import connections
from pipeline.connections import HOST_CONNECTIONS, Connections

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Hosts:
    """Servers on loopback that count: connections that were made, and that are open; `/wait` is answered on `go`."""

    def __init__(self) -> None:
        self.made: Counter[int] = Counter()
        self.open: Counter[int] = Counter()
        self.ports: list[int] = []
        self.waiting = 0
        self.go = asyncio.Event()
        self.closed = asyncio.Condition()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        self.made[port] += 1
        self.open[port] += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET /wait"):
                    self.waiting += 1
                    await self.go.wait()
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()
        async with self.closed:
            self.open[port] -= 1
            self.closed.notify_all()

    async def until_open(self, count: int) -> None:
        async with self.closed:
            await self.closed.wait_for(lambda: sum(self.open.values()) == count)


@asynccontextmanager
async def hosts(number: int) -> AsyncIterator[tuple[Hosts, Connections]]:
    serving, held = Hosts(), Connections(httpcore.AnyIOBackend())
    servers = [await asyncio.start_server(serving.converse, "127.0.0.1", 0) for _ in range(number)]
    serving.ports = [server.sockets[0].getsockname()[1] for server in servers]
    try:
        yield serving, held
    finally:
        serving.go.set()
        await held.aclose()
        await serving.until_open(0)
        for server in servers:
            server.close()


async def ask(held: Connections, port: int, path: str = "/") -> bytes:
    response = await held.handle_async_request(
        httpcore.Request("GET", f"http://127.0.0.1:{port}{path}", headers=[("host", f"127.0.0.1:{port}")])
    )
    try:
        return await response.aread()
    finally:
        await response.aclose()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_KEPT", 2)


def test_a_connection_is_used_again_and_a_host_has_no_more_than_two() -> None:
    async def work() -> None:
        async with hosts(1) as (serving, held):
            [port] = serving.ports
            assert [await ask(held, port) for _ in range(5)] == [b"ok"] * 5
            assert serving.made[port] == 1
            await asyncio.gather(*(ask(held, port) for _ in range(10)))
            assert serving.made[port] <= HOST_CONNECTIONS

    asyncio.run(work())


@pytest.mark.usefixtures("few")
def test_beyond_the_limit_the_host_asked_longest_ago_is_let_go() -> None:
    async def work() -> None:
        async with hosts(3) as (serving, held):
            first, second, third = serving.ports
            for port in (first, second, first, third):
                await ask(held, port)
            await serving.until_open(2)
            assert serving.open == {first: 1, second: 0, third: 1}
            await ask(held, first)
            assert serving.made[first] == 1

    asyncio.run(work())


@pytest.mark.usefixtures("few")
def test_a_connection_that_is_being_used_is_not_closed() -> None:
    async def work() -> None:
        async with hosts(4) as (serving, held):
            slow, *others = serving.ports
            waiting = asyncio.create_task(ask(held, slow, "/wait"))
            while not serving.waiting:
                await asyncio.sleep(0)
            for port in others:
                await ask(held, port)
            serving.go.set()
            assert await waiting == b"ok"
            assert serving.made[slow] == 1

    asyncio.run(work())


def test_all_are_closed_at_the_end() -> None:
    async def work() -> None:
        async with hosts(2) as (serving, held):
            for port in serving.ports:
                await ask(held, port)
            await held.aclose()
            await serving.until_open(0)

    asyncio.run(work())

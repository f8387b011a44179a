"""One event loop with one client for all batches of a pass: feeds and URLs in, polls and pages out.

Whoever asks, from whatever thread, shares the connections, the turns of the hosts and what their owners said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar

from pipeline.errors import ItemError
from pipeline.fetch import Fetcher
from pipeline.http import Client
from pipeline.owners import OwnersFiles
from pipeline.pace import Host, Pace
from pipeline.poll import Poll, poll_feed
from pipeline.records import Feed, Page, Validators
from pipeline.robots import Robots
from pipeline.settings import Settings

T = TypeVar("T")
U = TypeVar("U")


class Session:
    """The network of one pass. Made and closed by `open_session`."""

    def __init__(self, settings: Settings, pace: Pace, loop: asyncio.AbstractEventLoop, kept: Path | None) -> None:
        self.pace = pace
        self._loop = loop
        self._open, self._gate = True, Lock()
        self._client = Client(settings, pace)
        files = OwnersFiles(self._client, kept)
        self._fetcher = Fetcher(self._client, files, Robots(files, pace, settings.user_agent))

    def poll(self, feeds: Sequence[tuple[Feed, Validators]]) -> list[Poll]:
        """Poll feeds side by side, in the order given. Blocking."""
        return self._all(lambda asked: poll_feed(self._client, *asked), feeds)

    def fetch(self, urls: Sequence[str]) -> list[Page | ItemError]:
        """Fetch pages side by side, each host at its pace, in the order given. Blocking. Errors are returned, not raised."""

        async def guarded(url: str) -> Page | ItemError:
            try:
                return await self._fetcher.fetch(url)
            except ItemError as error:
                return error

        return self._all(guarded, urls)

    def _all(self, one: Callable[[T], Awaitable[U]], items: Iterable[T]) -> list[U]:
        async def together() -> list[U]:
            return list(await asyncio.gather(*map(one, items)))

        return self._wait(together())

    def _wait(self, work: Coroutine[Any, Any, U]) -> U:
        with self._gate:  # a loop that is stopped would let its caller, a batch that was still to begin, wait for ever
            if not self._open:
                work.close()
                raise CancelledError("the network of this pass is closed")
            waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        return waiting.result()

    def close(self) -> None:
        """Stop what still runs, after an interrupt, and close the connections."""

        async def finish() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self._client.aclose()
            await self._loop.shutdown_default_executor()

        with self._gate:
            self._open = False
        asyncio.run_coroutine_threadsafe(finish(), self._loop).result()


@contextmanager
def open_session(settings: Settings, known: Iterable[Host] = (), kept: Path | None = None) -> Iterator[Session]:
    """Open the network for one pass. `known` hosts come from earlier ones; `kept` is the folder of owners' files."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="network", daemon=True)
    thread.start()
    try:
        session = Session(settings, Pace(settings, known), loop, kept)
        try:
            yield session
        finally:
            session.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

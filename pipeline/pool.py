"""Extraction in processes of its own: pages in, documents out in the same order, whatever a page does to its process.

A page that crashes its process, hangs in it or wants more memory than a process may take ends as a document with a
rejection; the process is replaced and the others go on. Processes are forked from a small server that has imported
the extractor once, so that a new one costs milliseconds; threads and weights of the caller are not copied.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from pipeline.extract import extract, refused
from pipeline.records import Document

SECONDS = 30.0  # for one page; the slowest of 633 real ones took less than one
MEMORY = 1 << 30  # bytes that a process may take beyond what it has at its start
PAGES = 500  # then the process is replaced: what a parser's heap has gathered goes with it
AHEAD = 4  # pages a process that are handed in before the first of them is awaited


class RawPage(NamedTuple):
    """What an extractor is given."""

    body: bytes
    url: str
    published_at: str | None = None  # the feed's date


Work = Callable[[bytes, str, str | None], Document]


class Extractors:
    """A pool of extracting processes; they start with the first page."""

    def __init__(self, processes: int = 0, *, seconds: float = SECONDS, work: Work = extract) -> None:
        self._processes = processes or len(os.sched_getaffinity(0))
        self._seconds = seconds
        self._work = work
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["pipeline.warm", "pebble.pool.process"])
        self._pool: Any = ProcessPool(self._processes, PAGES, initializer=_bound_memory, context=context)

    def extract(self, pages: Iterable[RawPage]) -> Iterator[Document]:
        """Yield the document of each page, in order; raises nothing for what a page does, ValueError for a bad URL."""
        flying: deque[tuple[str, ProcessFuture]] = deque()
        for page in pages:
            flying.append((page.url, self._pool.schedule(self._work, args=list(page), timeout=self._seconds)))
            if len(flying) >= self._processes * AHEAD:
                yield self._land(*flying.popleft())
        while flying:
            yield self._land(*flying.popleft())

    def _land(self, url: str, future: ProcessFuture) -> Document:
        try:
            document = future.result()
        except FutureTimeoutError:
            return refused(url, "extractor_hung", f"no result within {self._seconds:g} seconds")
        except ProcessExpired as error:
            return refused(url, "extractor_crashed", f"the process ended with status {error.exitcode} over this page")
        except MemoryError:
            return refused(url, "too_much_memory", "the page needs more memory than an extractor may take")
        assert isinstance(document, Document)
        return document

    def close(self) -> None:
        """End the processes; pages that are under way are given up."""
        self._pool.stop()
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bound_memory() -> None:
    """Let the process take MEMORY more than it has; beyond that an allocation fails, here and not for the machine."""
    held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))

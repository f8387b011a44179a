"""A pass without Prefect: the same flow function, its tasks as plain functions on as many threads, no artifacts.

What it leaves in the warehouse is what a pass leaves; the difference in CPU time is Prefect's.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from prefect import Task

import flows.ingest

THREADS = 4  # as the flow's task runner has
LEFT_OUT = ("create_table_artifact", "create_markdown_artifact", "create_progress_artifact", "emit_event")


class Plain:
    """A task as a plain function, with the two ways of calling it that the flows use."""

    def __init__(self, work: Callable[..., Any], threads: ThreadPoolExecutor) -> None:
        self._work = work
        self._threads = threads

    def __call__(self, *given: Any) -> Any:
        """Do the work; a future stands for its result."""
        return self._work(*(one.result() if isinstance(one, Future) else one for one in given))

    def submit(self, *given: Any) -> Future[Any]:
        """Do the work on a thread."""
        return self._threads.submit(self, *given)


@contextmanager
def without_prefect() -> Iterator[Callable[..., Any]]:
    """Yield the ingest flow as a plain function (feeds, warehouse, all_feeds, limit)."""
    with ThreadPoolExecutor(THREADS) as threads, ExitStack() as stack:
        for module in [module for name, module in sys.modules.items() if name.startswith("flows.")]:
            for name, value in _replaced(module, threads):
                stack.enter_context(patch.object(module, name, value))
        yield flows.ingest.ingest.fn


def _replaced(module: ModuleType, threads: ThreadPoolExecutor) -> Iterator[tuple[str, Any]]:
    for name, value in list(vars(module).items()):
        if isinstance(value, Task):
            yield name, Plain(value.fn, threads)
        elif name == "get_run_logger":
            yield name, lambda: logging.getLogger("flows")
        elif name in LEFT_OUT:
            yield name, lambda *_, **__: None

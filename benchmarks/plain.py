"""A pass without Prefect: the same flow function, its tasks as plain functions on as many threads, no artifacts.

What it leaves in the warehouse is what a pass leaves; the difference in CPU time is Prefect's.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, cast
from unittest.mock import patch

from prefect import Task
from prefect.task_runners import TaskRunner

import flows.ingest
from flows.crew import IN_THREADS, Crew
from pipeline.settings import Settings

THREADS = 4  # as the flow's task runner has
LEFT_OUT = ("create_table_artifact", "create_markdown_artifact", "create_progress_artifact", "emit_event")


class Plain:
    """A task as a plain function, with the two ways of calling it that the flows use."""

    def __init__(self, work: Callable[..., Any], threads: ThreadPoolExecutor) -> None:
        self._work = work
        self._threads = threads

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Do the work; a future stands for its result."""
        return self._work(*map(_value, given), **{name: _value(one) for name, one in named.items()})

    def submit(self, *given: Any) -> Future[Any]:
        """Do the work on a thread."""
        return self._threads.submit(self, *given)


class PlainRunner:
    """Threads, called as the flows call the runners of a crew."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def submit(self, task: Plain, parameters: Mapping[str, Any]) -> Future[Any]:
        """Do a task on a thread."""
        return self._threads.submit(task, **parameters)


@contextmanager
def plain_crew(_settings: Settings) -> Iterator[Crew]:
    """Yield the crew of `task_runner=thread`, without Prefect's runners."""
    with ThreadPoolExecutor(IN_THREADS) as threads:
        runner = cast("TaskRunner[Any]", PlainRunner(threads))
        yield Crew(extracting=runner, labelling=runner, ahead=IN_THREADS)


def _value(one: Any) -> Any:
    return one.result() if isinstance(one, Future) else one


@contextmanager
def without_prefect() -> Iterator[Callable[..., Any]]:
    """Yield the ingest flow as a plain function (feeds, warehouse, all_feeds, limit)."""
    with ThreadPoolExecutor(THREADS) as threads, ExitStack() as stack:
        for module in [module for name, module in sys.modules.items() if name.startswith("flows.")]:
            for name, value in _replaced(module, threads):
                stack.enter_context(patch.object(module, name, value))
        stack.enter_context(patch.object(flows.ingest, "crew_of", plain_crew))
        yield flows.ingest.ingest.fn


def _replaced(module: ModuleType, threads: ThreadPoolExecutor) -> Iterator[tuple[str, Any]]:
    for name, value in list(vars(module).items()):
        if isinstance(value, Task):
            yield name, Plain(value.fn, threads)
        elif name == "get_run_logger":
            yield name, lambda: logging.getLogger("flows")
        elif name in LEFT_OUT:
            yield name, lambda *_, **__: None

"""What a pass takes: `measured` around a function measures it, `watching` around a pass gathers that for the run's row.

Each stage is a span of OpenTelemetry too, within one trace a pass, where the setting `telemetry` switches it on
(`flows.telemetry`). A stage that runs in a process of its own is seen by OpenTelemetry alone: the pass cannot see into it.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from flows.health import examine, readings
from flows.telemetry import telemetry
from pipeline.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


class Watch:
    """The seconds that the stages of one pass took. Not a record: threads add to it side by side."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._adding = Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Count one batch of a stage."""
        with self._adding:
            self._seconds[stage].append(seconds)

    def found(self) -> dict[str, Any]:
        """Return what `warehouse.load.finish_run` writes: the stages, and the most memory that this process held."""
        with self._adding:
            stages = [
                {"stage": name, "batches": len(each), "seconds": sum(each), "slowest": max(each)}
                for name, each in self._seconds.items()
            ]
        return {"stages": stages, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)  # tasks in threads run in a copy of the context


@contextmanager
def watching(flow: str, settings: Settings, run_id: str) -> Iterator[Watch]:
    """Watch one pass, as one trace; what a pass ends with is shown to OpenTelemetry."""
    seen, told = Watch(), telemetry(settings)
    token = _watch.set(seen)
    try:
        with told.one_pass(flow, run_id):
            yield seen
    finally:
        _watch.reset(token)
    if told.on:
        told.show(readings(examine(settings)))


def measured(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Measure a function under the name of a stage, also where it fails."""

    def decorate(work: Callable[P, R]) -> Callable[P, R]:
        @wraps(work)
        def run(*given: P.args, **named: P.kwargs) -> R:
            began, seen = time.perf_counter(), _watch.get()
            with telemetry().stage(name):
                try:
                    return work(*given, **named)
                finally:
                    if seen:
                        seen.add(name, time.perf_counter() - began)

        return run

    return decorate

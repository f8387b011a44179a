"""When a task is tried again, by what went wrong, and how long it may take.

What goes wrong with one item is a record and never fails a task. What fails a task is one of two kinds. Transient: another
process holds the warehouse, a connection broke; it is tried three times more, 5, 10 and 20 seconds apart, each up to half as long
again so that two flows do not meet twice. Permanent: a wrong setting, a full disk, a defect; it fails at once, because the
same call would fail again.

Prefect ends a task at its time limit in the main thread alone, so load and publish have one. The stages that run in threads
have limits of their own inside: a request (`request_timeout`), the extraction of a page, a batch. A task that outlived its
limit is not tried again: the pass fails, what it had prepared stays, and the next one takes it over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import httpx
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.task_engine import TaskRunTimeoutError
from prefect.tasks import exponential_backoff

from pipeline.errors import Transient, WarehouseBusy

P = ParamSpec("P")
R = TypeVar("R")
TRANSIENT = (Transient, WarehouseBusy, ConnectionError, TimeoutError, httpx.TransportError)
MINUTE = 60.0


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether what failed a task run may work in a while."""
    return isinstance(state.data, TRANSIENT) and not isinstance(state.data, TaskRunTimeoutError)


def stage(
    function: Callable[P, R], name: str, run_name: str | Callable[[], str] | None = None, minutes: float | None = None
) -> Task[P, R]:
    """Make a task of a stage: what may pass is tried again; called in the main thread, it may take so many minutes."""
    return task(
        name=name,
        task_run_name=run_name,
        cache_policy=NO_CACHE,
        timeout_seconds=minutes and minutes * MINUTE,
        retries=3,
        retry_delay_seconds=exponential_backoff(5),
        retry_jitter_factor=0.5,
        retry_condition_fn=may_pass,
    )(function)

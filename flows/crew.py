"""Who extracts and labels, by the setting `task_runner`: threads of this process, processes beside it, or a Dask cluster.

Settings in, a crew out that takes Prefect tasks. Only these two stages go there, for they need nothing but a batch's
folder and the settings: the network, the WARC files and the loads stay with the process that holds the pass lock, so the
rows do not depend on who worked. Every process loads the model once. What parses pages is in processes of its own in any
case (`pipeline.pool`): with `process`, threads of ours hand pages to these, and the pool beside it labels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from prefect import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows import stages
from flows.environment import prepare
from pipeline.settings import Settings

IN_THREADS = 2  # batches: one is extracted while the model works on the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Started runners of the two stages. `ahead` batches keep all of them busy; more would only wait."""

    extracting: TaskRunner[Any]
    labelling: TaskRunner[Any]
    ahead: int


@contextmanager
def crew_of(settings: Settings) -> Iterator[Crew]:
    """Start the crew of the settings and end it. Raises ConfigError where its Dask cluster is no good."""
    if settings.task_runner == "dask":
        from flows.dask_crew import dask_crew  # noqa: PLC0415 - Dask is in the extra `scale`, and slow to load

        with _same_server(), dask_crew(settings, processes(settings)) as (cluster, working):
            yield Crew(extracting=cluster, labelling=cluster, ahead=working + 1)
        return
    threads: TaskRunner[Any]
    with ThreadPoolTaskRunner(IN_THREADS) as threads:
        if settings.task_runner == "thread":
            yield Crew(extracting=threads, labelling=threads, ahead=IN_THREADS)
            return
        number = processes(settings)
        with _same_server(), ProcessPoolTaskRunner(number, initializer=make_ready, initargs=(settings,)) as pool:
            yield Crew(extracting=threads, labelling=pool, ahead=number + 1)


def _same_server() -> AbstractContextManager[object]:
    """Tell processes that work for this run where Prefect is: each would start a temporary server of its own."""
    with get_client(sync_client=True) as client:
        return temporary_settings({PREFECT_API_URL: str(client.api_url)})


def processes(settings: Settings) -> int:
    """Return how many processes there are to be: the model of each keeps two cores and more busy."""
    return settings.task_workers or max(1, len(os.sched_getaffinity(0)) // 2)


def make_ready(settings: Settings) -> None:
    """What a process of ours begins with: log lines and files like those of the pass, and the model."""
    prepare()
    stages.classifier_for(settings)

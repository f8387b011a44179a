"""A Dask cluster that extracts and labels: one of this machine for the length of a run, or one that is there already.

Dask brings paths and counts about; what is in the files lies in a folder that all machines see under the same path.
Each process is asked first whether it can do the work at all, also one that comes later.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.settings import Settings

try:
    import dask
    from distributed import Worker, WorkerPlugin
    from prefect_dask.task_runners import DaskTaskRunner
except ImportError as error:
    raise ConfigError(f"task_runner dask needs more packages ({error}): pip install 'stancewatch[scale]'") from error

from flows.environment import prepare
from flows.stages import CODE_VERSION

WITHIN = 60  # seconds that a cluster may take to have a process that works
NO_CHILDREN = "its processes may not start others, as extraction does: set DASK_DISTRIBUTED__WORKER__DAEMON=False for `dask worker`"


class Ready(WorkerPlugin):
    """Refuses a process that is of another version, may not start processes, or does not see the folder of the pass."""

    def __init__(self, settings: Settings, sign: Path) -> None:
        self.name = f"stancewatch {settings.data}"
        self._sign = sign
        self._version = CODE_VERSION

    def setup(self, worker: Worker) -> None:
        """Check and prepare one process. Raises ConfigError that says what is wrong with it."""
        who = f"Dask worker {worker.address}"
        if self._version != CODE_VERSION:
            raise ConfigError(f"{who} has Stancewatch {CODE_VERSION}, the pass {self._version}: install the same")
        if multiprocessing.current_process().daemon:
            raise ConfigError(f"{who}: {NO_CHILDREN}")
        if not self._sign.exists():
            raise ConfigError(
                f"{who} does not see {self._sign.parent}: mount the folder there under the same path, or set data_dir"
            )
        prepare()


@contextmanager
def dask_crew(settings: Settings, processes: int) -> Iterator[tuple[DaskTaskRunner, int]]:
    """Yield a started runner and how many threads its cluster has. Raises ConfigError where it cannot be used."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        tempfile.NamedTemporaryFile(dir=settings.data, prefix=".shared-") as sign,
        dask.config.set({"distributed.worker.daemon": False}),
        _runner(settings, processes) as runner,
    ):
        plugin = Ready(settings, Path(sign.name))
        client = _connected(runner, settings)
        try:
            client.wait_for_workers(1, timeout=WITHIN)
            client.register_plugin(plugin)
        except TimeoutError as error:
            raise ConfigError(f"{_name(settings)} has no worker: start some with `dask worker ADDRESS`") from error
        try:
            yield runner, sum(client.nthreads().values())
        finally:
            client.unregister_worker_plugin(plugin.name)


def _runner(settings: Settings, processes: int) -> DaskTaskRunner:
    if settings.dask_address:
        return DaskTaskRunner(address=settings.dask_address)
    local: dict[str, Any] = {"n_workers": processes, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=local)


def _connected(runner: DaskTaskRunner, settings: Settings) -> Any:  # Dask's client is not typed
    try:
        return runner.client
    except OSError as error:
        raise ConfigError(f"{_name(settings)} does not answer ({error}): start one with `dask scheduler`") from error


def _name(settings: Settings) -> str:
    return (
        f"the Dask cluster at {settings.dask_address}" if settings.dask_address else "the Dask cluster of this machine"
    )

"""Progress of long work: bars where standard error is a terminal, and progress artifacts of the Prefect run it belongs to.

A stage has an artifact from its tenth second on, brought up to date at most every ten: a short pass costs the server nothing.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeElapsedColumn

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds that a stage runs, and then between two updates, before the server hears of it


class Bars(Progress):
    """Bars that a Prefect run shows too, where there is one. What has no known end has a bar and no artifact."""

    def __init__(self, *columns: Any, **options: Any) -> None:
        super().__init__(*columns, **options)
        self._shown: dict[TaskID, tuple[UUID, float]] = {}  # artifact, and the time of its last update

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Move a bar on by so many steps."""
        super().advance(task_id, advance)
        self._show(task_id)

    def update(self, task_id: TaskID, **fields: Any) -> None:
        """Change a bar."""
        super().update(task_id, **fields)
        self._show(task_id)

    def close(self) -> None:
        """Bring the artifacts to where the work ended."""
        for task_id in list(self._shown):
            self._show(task_id, last=True)

    def _show(self, task_id: TaskID, *, last: bool = False) -> None:
        bar = self._tasks[task_id]
        artifact, shown_at = self._shown.get(task_id, (None, bar.start_time or 0.0))
        due = last or self.get_time() - shown_at >= PATIENCE
        if due and bar.total is not None and (artifact := _shown_in_run(bar, artifact)):
            self._shown[task_id] = (artifact, self.get_time())


def _shown_in_run(bar: Task, artifact: UUID | None) -> UUID | None:
    """Make or update the artifact of a bar and return it; None where no flow runs here, or its server is away."""
    if "prefect" not in sys.modules:  # a command without flows: Prefect is slow to load
        return None
    import httpx  # noqa: PLC0415
    from prefect.artifacts import create_progress_artifact, update_progress_artifact  # noqa: PLC0415
    from prefect.context import FlowRunContext  # noqa: PLC0415
    from prefect.exceptions import PrefectException  # noqa: PLC0415

    if FlowRunContext.get() is None:
        return None
    said = f"{bar.description}: {bar.completed:.0f} of {bar.total:.0f} after {bar.elapsed or 0:.0f} s"
    try:
        if artifact is None:
            key = re.sub(r"[^a-z0-9]+", "-", f"progress of {bar.description}".lower()).strip("-")
            return UUID(str(create_progress_artifact(progress=bar.percentage, key=key, description=said)))
        update_progress_artifact(artifact_id=artifact, progress=bar.percentage, description=said)
    except (httpx.HTTPError, PrefectException) as error:  # a server that is away must not stop the work
        log.debug("progress is not shown: %s", error)
    return artifact


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a progress display on standard error that the Prefect run shows too."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        try:
            yield bars
        finally:
            bars.close()

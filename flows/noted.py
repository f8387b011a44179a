"""The run at hand, noted in the data folder: who takes over from a pass that was killed closes its run too.

Prefect shows a run whose process was killed as running for ever. Whoever holds the pass lock knows that the pass noted
before is dead, whichever machine it ran on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

log = logging.getLogger(__name__)
NOTE = "pass.run"
WHY = "The process of this run was killed, or its machine stopped; a later pass took over, and nothing was lost."


@contextmanager
def noted_run(data: Path) -> Iterator[None]:
    """Note the run while it lasts. Under the pass lock; a run that was noted before and did not end is set to Crashed."""
    note = data / NOTE
    if note.exists():
        close_dead(note.read_text(encoding="utf-8", errors="replace").strip())
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    note.write_text(str(flow_run.id or ""), encoding="utf-8")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def close_dead(run_id: str) -> None:
    """Set a run that has not ended to Crashed; where Prefect cannot be asked or does not know it, say so and go on."""
    try:
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(UUID(run_id))
            if run.state is None or not run.state.is_final():
                client.set_flow_run_state(run.id, Crashed(message=WHY), force=True)
                log.warning("run %s (%s) was killed and is set to Crashed; its work is taken over", run.name, run_id)
    except (ObjectNotFound, ValueError, httpx.HTTPError) as error:
        log.warning("an earlier pass was killed; its run %s could not be closed: %s", run_id or "without a name", error)

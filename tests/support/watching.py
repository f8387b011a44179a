"""What a worker would do, in a process of its own: judge a troubled warehouse, load, retry, show progress. Prints what came of it."""

from __future__ import annotations

import json
import sys
from typing import Any

from prefect import flow

from flows import progress, signals
from flows.source_health import source_health
from flows.tries import stage
from pipeline.errors import WarehouseBusy, WarehouseFull

tried: dict[str, int] = {"busy": 0, "full": 0}


def busy() -> str:
    """Work the third time."""
    tried["busy"] += 1
    if tried["busy"] < 3:
        raise WarehouseBusy("another process holds it")
    return "stored"


def full() -> None:
    """Never work."""
    tried["full"] += 1
    raise WarehouseFull("no room")


@flow(name="watching")
def watching(warehouse: str) -> dict[str, Any]:
    """Load, retry and show progress."""
    signals.load_finished(warehouse, "ingest", "run-1", 540)
    stored = stage(busy, "load").with_options(retry_delay_seconds=0)()
    state = stage(full, "load").with_options(retry_delay_seconds=0)(return_state=True)
    with progress.progress() as bars:
        bar = bars.add_task("fetching pages", total=4)
        for _ in range(3):
            bars.advance(bar)
        bars.add_task("of unknown length", total=None)
    return {"stored": stored, "full": state.type.value, "tried": tried}


if __name__ == "__main__":
    progress.PATIENCE = 0.0
    print(json.dumps([source_health(sys.argv[1]), watching(sys.argv[1])]))

"""The maintenance flow: retention, compaction and checks of the warehouse, as a run that fails where a check finds something."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from flows.naming import run_name
from flows.upkeep import maintain
from pipeline.settings import load_settings

WAIT = 3600.0  # seconds for a pass that is running: maintenance is rare, so it rather waits than misses its turn


@flow(name="maintenance", flow_run_name=run_name("maintenance of"), validate_parameters=True)
def maintenance(
    warehouse: str | None = None, wait: Annotated[float, Field(ge=0)] = WAIT
) -> dict[str, Any] | State[Any]:
    """Apply retention, compact, publish and check. Returns {removed, compacted, findings}.

    Args:
        warehouse: A DuckDB file or a lake; by default the one of the settings.
        wait: Seconds to wait for a pass that is running.
    """
    done = maintain(load_settings(warehouse=warehouse), wait)
    log = get_run_logger()
    log.info("removed by retention: %s; compacted: %s", done.removed or "nothing", done.compacted)
    for finding in done.findings:
        log.error("%s", finding)
    return Failed(message="; ".join(done.findings)) if done.findings else asdict(done)

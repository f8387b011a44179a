"""Names of runs: what a flow run does and to which warehouse, and what a task run works on."""

from __future__ import annotations

from collections.abc import Callable

from prefect.runtime import flow_run, task_run

from pipeline.settings import load_settings
from warehouse.connect import target_name


def run_name(does: str) -> Callable[[], str]:
    """Return what names the runs of a flow: `ingest into` becomes `ingest into watch`."""

    def name() -> str:
        given = flow_run.parameters.get("warehouse") or load_settings().warehouse
        return f"{does} {target_name(given)}"

    return name


def poll_name() -> str:
    """Name a poll by how many feeds it asks and the first of them."""
    feeds = task_run.parameters["feeds"]
    return f"poll {len(feeds)} feeds, {feeds[0][0].feed_id} first" if len(feeds) > 1 else f"poll {feeds[0][0].feed_id}"


def fetch_name() -> str:
    """Name a fetch by how many entries it asks for, and of how many feeds they are."""
    entries = task_run.parameters["entries"]
    return f"fetch {len(entries)} entries of {len({entry['feed_id'] for entry in entries})} feeds"

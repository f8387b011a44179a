"""What a run leaves for its operator: what became of its items, which sources fail, which are slow, and an event that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_table_artifact

from flows import signals, stages
from warehouse import state
from warehouse.query import run_query

SLOWEST = 10  # hosts
FAILING = 100  # feeds
ABOUT_FAILING = "Feeds in trouble now: where each is asked, why it fails, when it answered last and is asked next."
ABOUT_SLOWEST = "Hosts whose answers took longest in this run: smoothed seconds an answer, good answers alone."


def report(one: stages.Pass, flow: str, counts: Mapping[str, int]) -> bool:
    """Leave the outcomes of the run and its failing and slowest sources; return whether any feed that was asked answered."""
    warehouse = one.settings.warehouse
    found = state.run_outcomes(warehouse, one.run_id)
    table = [{"outcome": name, "items": number} for name, number in counts.items()]
    table += [{"outcome": f"rejected: {why}", "items": n} for why, n in found["reasons"].items()]
    table += [{"outcome": f"{name} (pending before)", "items": n} for name, n in found["carried"].items()]
    create_table_artifact(key="outcomes", table=table, description=f"Outcomes of run {one.run_id}")
    get_run_logger().info("outcomes: %s", ", ".join(f"{n} {name}" for name, n in counts.items()))
    _leave_sources(one)
    answers = state.poll_outcomes(warehouse, one.run_id)
    signals.run_finished(warehouse, flow, one.run_id, counts, answers)
    if brought := counts["loaded"] + found["carried"].get("loaded", 0):
        signals.load_finished(warehouse, flow, one.run_id, brought)
    return not answers or set(answers) != {"error"}


def _leave_sources(one: stages.Pass) -> None:
    columns, rows = run_query(one.settings.warehouse, "feed_health", {})
    failing = [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in rows[:FAILING]]
    said = ABOUT_FAILING if len(rows) <= FAILING else f"{ABOUT_FAILING} The first {FAILING} of {len(rows)}."
    create_table_artifact(key="failing-sources", table=failing, description=said)
    slowest = [{"host": host, "seconds": round(took, 3)} for host, took in one.session.pace.slowest(SLOWEST)]
    create_table_artifact(key="slowest-sources", table=slowest, description=ABOUT_SLOWEST)


def _plain(value: Any) -> Any:
    """Spell what JSON has no type for."""
    return value if isinstance(value, str | int | float | None) else str(value)

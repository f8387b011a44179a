"""The source-health flow: which outlets are dark, low or high, what lies in quarantine, and whether languages or labels shifted.

It reads the published copy, so it never waits for a pass. It leaves tables as artifacts and sends an event for whatever is
new; the automations that `stancewatch bootstrap` makes pass them on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from pydantic import Field

from flows import signals
from flows.naming import run_name
from pipeline.settings import load_settings
from warehouse.query import run_query
from warehouse.spool import loads_set_aside
from warehouse.state import last_polled_day

Trouble = Literal["gone", "dark", "failing", "low", "high"]
Row = dict[str, Any]
MOST = 200  # rows of an artifact; `stancewatch query` shows all
ABOUT = {
    "source-health": "Outlets against their own 28 days before: gone, failing, dark (nothing came), low or high. None is well.",
    "failing-sources": "Feeds in trouble: where each is asked, why it fails, when it answered last and is asked next.",
    "drift": "The last seven whole days against the eight weeks before. `distance` is the share of documents that would have to "
    "change their value to be distributed as before, `bound` what it may be.",
    "quarantine": "Entries whose fetches were given up, by reason: the last 24 hours against a usual day. "
    "`stancewatch replay` tries them again.",
}


@flow(name="source-health", flow_run_name=run_name("source health of"), validate_parameters=True, timeout_seconds=3600)
def source_health(
    warehouse: str | None = None,
    tell: tuple[Trouble, ...] = ("gone", "dark", "failing", "low", "high"),
    days: Annotated[int, Field(ge=1, le=35)] = 1,
) -> dict[str, int]:
    """Judge sources, quarantine and drift; leave artifacts, send events. Returns how many outlets are of each status.

    Args:
        warehouse: A DuckDB file or a lake; by default the one of the settings.
        tell: An event is sent for outlets that come to one of these.
        days: What an outlet was so many days before counts as known; more than 1 where this did not run for some days.
    """
    settings = load_settings(warehouse=warehouse)
    target = settings.warehouse
    outlets = _ask(target, "source_health")
    counts = Counter(row["status"] for row in outlets)
    new = _new(target, outlets, days)
    for status in tell:
        if came := [row for row in new if row["status"] == status]:
            signals.sources(target, status, came, counts[status])
        for row in came:
            get_run_logger().warning(
                "%s (%s) is newly %s, last seen on %s", row["outlet"], row["country"], status, row["last_seen"]
            )
    _leave("source-health", [row for row in outlets if row["status"] not in {"ok", "new"}])
    _leave("failing-sources", _ask(target, "feed_health"))
    _watch_quarantine(target)
    _watch_drift(target)
    if aside := loads_set_aside(settings.data):
        get_run_logger().warning("%d loads broke the contract and are set aside: %s", len(aside), ", ".join(aside))
    return dict(counts)


def _new(target: str, outlets: Sequence[Row], days: int) -> list[Row]:
    """Return the outlets that came to their status within so many days; that a feed is gone has a date of its own."""
    newest = last_polled_day(target)
    if newest is None:
        return []
    start = newest - timedelta(days=days)
    before = {(row["outlet"], row["country"]): row["status"] for row in _ask(target, "source_health", as_of=str(start))}
    return [
        row
        for row in outlets
        if (
            row["gone_since"] > start
            if row["status"] == "gone"
            else before.get((row["outlet"], row["country"])) != row["status"]
        )
    ]


def _watch_quarantine(target: str) -> None:
    found = _ask(target, "quarantine_growth")
    _leave("quarantine", found)
    everything, *reasons = found
    if everything["growing"]:
        signals.quarantine_growing(target, everything, {r["reason"]: r["last_day"] for r in reasons if r["last_day"]})
        get_run_logger().warning("the quarantine grows: %d entries in 24 hours", everything["last_day"])


def _watch_drift(target: str) -> None:
    found = _ask(target, "drift")
    _leave("drift", found)
    for row in found:
        if row["status"] == "shifted":
            signals.shifted(target, row)
            get_run_logger().warning(
                "%s shifted by %s, bound %s: %s", row["measure"], row["distance"], row["bound"], row["moved"]
            )


def _ask(target: str, query: str, **params: str) -> list[Row]:
    columns, rows = run_query(target, query, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _leave(key: str, rows: Sequence[Row]) -> None:
    said = ABOUT[key] if len(rows) <= MOST else f"{ABOUT[key]} The first {MOST} of {len(rows)}."
    shown = [
        {name: value if isinstance(value, int | float | None) else str(value) for name, value in row.items()}
        for row in rows
    ]
    create_table_artifact(key=key, table=shown[:MOST], description=said)

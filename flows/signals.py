"""Events that a run sends to Prefect: what happened, in words and in figures, for automations and for the event feed.

Every event is about a warehouse, `stancewatch.warehouse.NAME`, and its payload has `text`, a sentence for people, and
`warehouse`, the target. Names of outlets come from the feeds file; nothing in a payload comes from a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.events import emit_event

from warehouse.connect import target_name

RUN_FINISHED = "stancewatch.run.finished"
LOAD_FINISHED = "stancewatch.load.finished"
SOURCE = "stancewatch.source."  # and the status of source_health: dark, gone, failing, low or high
QUARANTINE_GROWING = "stancewatch.quarantine.growing"
LANGUAGE_SHIFTED = "stancewatch.language.shifted"
LABELS_DRIFTED = "stancewatch.labels.drifted"
FLOW = "stancewatch.flow"  # label of a resource
MOST = 50  # names in one payload, and related resources of one event


def emit(
    name: str, warehouse: str, text: str, outlets: Sequence[Mapping[str, Any]] = (), *, flow: str = "", **payload: Any
) -> None:
    """Send an event about a warehouse; `outlets` are rows with outlet and country that it concerns, `flow` is a label to match by."""
    called = target_name(warehouse)
    labels = {FLOW: flow} if flow else {}
    emit_event(
        event=name,
        resource={"prefect.resource.id": f"stancewatch.warehouse.{called}", "prefect.resource.name": called, **labels},
        related=[
            {
                "prefect.resource.id": f"stancewatch.outlet.{row['country']}.{row['outlet']}",
                "prefect.resource.role": "outlet",
                "prefect.resource.name": str(row["outlet"]),
            }
            for row in outlets[:MOST]
        ],
        payload={"text": text, "warehouse": warehouse, **payload},
    )


def run_finished(warehouse: str, flow: str, run_id: str, counts: Mapping[str, int], feeds: Mapping[str, int]) -> None:
    """Tell the outcomes of a run, and how many of its feeds answered."""
    said = ", ".join(f"{n} {name}" for name, n in counts.items())
    text = f"{flow} into {target_name(warehouse)}: {said}"
    if feeds:
        text += "; feeds: " + ", ".join(f"{n} {outcome}" for outcome, n in feeds.items())
    emit(RUN_FINISHED, warehouse, text, flow=flow, run_id=run_id, outcomes=dict(counts), feeds=dict(feeds))


def load_finished(warehouse: str, flow: str, run_id: str, documents: int) -> None:
    """Tell that documents or labels came: what is published and reported is behind."""
    text = f"{flow} brought {documents} documents or their labels into {target_name(warehouse)}"
    emit(LOAD_FINISHED, warehouse, text, flow=flow, run_id=run_id, documents=documents)


def sources(warehouse: str, status: str, new: Sequence[Mapping[str, Any]], all_of_them: int) -> None:
    """Tell which outlets came to a status of source_health, and how many are of it."""
    names = ", ".join(f"{row['outlet']} ({row['country']})" for row in new[:MOST])
    more = f" and {len(new) - MOST} more" if len(new) > MOST else ""
    text = f"{len(new)} outlets are newly {status}: {names}{more}; {all_of_them} are {status} in all"
    shown = ("outlet", "country", "seen_a_day", "before_a_day", "polls", "failed_polls", "last_good_poll", "last_seen")
    rows = [{name: _plain(row[name]) for name in shown} for row in new[:MOST]]
    emit(f"{SOURCE}{status}", warehouse, text, new, status=status, new=rows, n=all_of_them)


def quarantine_growing(warehouse: str, row: Mapping[str, Any], reasons: Mapping[str, int]) -> None:
    """Tell that more entries than usual went into quarantine, and why."""
    why = ", ".join(f"{n} {reason}" for reason, n in reasons.items())
    text = f"{row['last_day']} entries went into quarantine in 24 hours, usual are {row['before_a_day']:g} a day: {why}"
    emit(QUARANTINE_GROWING, warehouse, text, **{**row, "reasons": dict(reasons)})


def shifted(warehouse: str, row: Mapping[str, Any]) -> None:
    """Tell that languages or labels are distributed otherwise than in the weeks before."""
    name = LANGUAGE_SHIFTED if row["measure"] == "language" else LABELS_DRIFTED
    text = f"{row['measure']} shifted by {row['distance']:g} (bound {row['bound']:g}) in seven days: {row['moved']}"
    emit(name, warehouse, text, **{name: _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:
    """Spell what JSON has no type for."""
    return value if isinstance(value, str | int | float | None) else str(value)

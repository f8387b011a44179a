"""The figures of the report as artifacts of a Prefect run: the same numbers, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.report.coverage import in_short
from flows.report.make import figures_of
from flows.report.picture import trend
from pipeline.settings import Settings
from warehouse.figures import Figures

DAYS, WEEKS = 14, 4  # the newest, in an artifact


def leave_figures(settings: Settings) -> None:
    """Read the figures and leave them with the run."""
    leave(figures_of(settings, sentences=False))


def leave(figures: Figures) -> None:
    """Leave the trend as a picture, attention, net stance and coverage; each says how much was seen, and of which state of the warehouse it is."""
    state = f"load {figures.snapshot['load_id']}" if figures.snapshot else "an empty warehouse"
    said = f"{in_short(figures)} State: {state}."
    tables = {
        "attention": _attention(figures),
        "net-stance": _net(figures),
        "coverage": _plain(figures.coverage["by_country"]),
    }
    for key, table in tables.items():
        create_table_artifact(key=key, table=table, description=f"{ABOUT[key]} {said}")
    create_markdown_artifact(key="trend", markdown=trend(figures.share_all), description=said)


ABOUT = {
    "attention": f"Share of stories about AI governance, the newest {DAYS} days; `whole` counts only outlets seen whole on the day.",
    "net-stance": f"Net stance by target, bloc and week, the newest {WEEKS} weeks. Targets are not on one scale; small cells have n alone.",
    "coverage": "Feeds by country, and what became of their items.",
}


def _attention(figures: Figures) -> list[dict[str, Any]]:
    whole = {row["day"]: row["pooled_share"] for row in figures.share_whole}
    rows = [{**row, "whole_pooled_share": whole.get(row["day"])} for row in figures.share_all[-DAYS:]]
    return _plain(rows)


def _net(figures: Figures) -> list[dict[str, Any]]:
    """Return the newest weeks; a cell too small for a value has n alone."""
    weeks = sorted({row["week"] for row in figures.net})[-WEEKS:]
    return _plain([row for row in figures.net if row["week"] in weeks])


def _plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Spell what JSON has no type for."""
    return [
        {name: value if isinstance(value, int | float | None) else str(value) for name, value in row.items()}
        for row in rows
    ]

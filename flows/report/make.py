"""Make the report of a warehouse: settings and a path in, the file out; and the same figures as artifacts of a run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flows.report.page import render, write
from pipeline.codebook import load_codebook
from pipeline.events import load_events
from pipeline.settings import Settings
from warehouse.connect import published_path
from warehouse.ducklake import is_lake
from warehouse.figures import LEAST, Figures, gather


def figures_of(settings: Settings, since: date | None = None, least: int = LEAST, *, sentences: bool = True) -> Figures:
    """Read the figures of the warehouse of the settings, with their events."""
    days = [event.day for event in load_events(settings.events)]
    return gather(settings.warehouse, days, since, least, sentences=sentences)


def standing_report(settings: Settings) -> Path:
    """Return where the report lies that goes with the published copy: `x.report.html` beside it; of a lake in the data folder."""
    if is_lake(settings.warehouse):
        return settings.data / "stancewatch.report.html"
    copy = published_path(settings.warehouse)
    return copy.with_name(copy.name.replace(".published.duckdb", ".report.html"))


def make_report(settings: Settings, path: Path, figures: Figures) -> Path:
    """Write the report of figures to a file and return its path."""
    return write(path, render(figures, load_events(settings.events), load_codebook(settings.codebook)))

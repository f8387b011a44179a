"""Make the report of a warehouse: settings and a folder in, the path of the file out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flows.report.page import render, write
from pipeline.codebook import load_codebook
from pipeline.events import load_events
from pipeline.settings import Settings
from warehouse.figures import Figures, gather


def figures_of(settings: Settings, since: date | None = None, least: int = 5) -> Figures:
    """Read the figures of the warehouse of the settings, with their events."""
    return gather(settings.warehouse, [event.day for event in load_events(settings.events)], since, least)


def make_report(settings: Settings, folder: Path, since: date | None = None, least: int = 5) -> Path:
    """Write the report of the published copy into a folder and return its path."""
    events, codebook = load_events(settings.events), load_codebook(settings.codebook)
    return write(folder, render(figures_of(settings, since, least), events, codebook))

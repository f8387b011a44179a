"""The trend as a picture in an artifact: rows of `daily_share` in, Markdown with an SVG inside out. Prefect's UI draws it without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined

from flows.report.axes import Tick
from flows.report.words import short
from warehouse.connect import Row

DAYS = 28
LEFT, RIGHT, TOP, BOTTOM = 48.0, 710.0, 14.0, 214.0  # of the plot, in pixels
LABELS = 7  # days that are written out


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A day: its place, and whether all its outlets were seen whole."""

    x: float
    y: float
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line across at a value."""

    y: float
    label: str


def trend(share_all: Sequence[Row]) -> str:
    """Return the share of AI governance by day, over the newest days, as Markdown with a picture; the numbers are in `attention`."""
    days = share_all[-DAYS:]
    if not days:
        return "No day with documents yet."
    picture = b64encode(draw(days).encode()).decode()
    newest = days[-1]
    said = f"{newest['pooled_share']:.1%} of {newest['seen']} items on {newest['day']}, {newest['stories']} distinct stories"
    return f"Share of items about AI governance by day: {said}. The numbers are in `attention`.\n\n![trend](data:image/svg+xml;base64,{picture})"


def draw(days: Sequence[Row]) -> str:
    """Return the days as SVG: a dot each, at its date, filled where the day was seen whole."""
    first: date = days[0]["day"]
    span: int = max((days[-1]["day"] - first).days, 1)
    top = max(row["pooled_share"] for row in days) or 1.0

    def x(row: Row) -> float:
        since: timedelta = row["day"] - first
        return LEFT + 12 + (RIGHT - LEFT - 24) * since.days / span

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / top

    dots = [Dot(x=x(row), y=y(row["pooled_share"]), whole=row["complete_outlets"] == row["outlets"]) for row in days]
    ticks = [Tick(x=x(row), label=short(row["day"])) for row in days[:: -(-len(days) // LABELS)]]
    rules = [Rule(y=y(top * part), label=f"{top * part:.1%}") for part in (0, 0.5, 1)]
    loader = PackageLoader("flows.report", "templates")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("trend.svg")
    return page.render(points=dots, ticks=ticks, rules=rules)

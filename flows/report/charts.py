"""What the template draws: records of places, labels and the mark that each opens. Per cent along the page, pixels upward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.report.axes import Flag, Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a mark. `kind` is its look: pooled, mean, favor, against or even; `hollow` says that it was not seen whole."""

    y: float
    kind: str
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a reader points at or reaches by key: a step of a chart over time. A cell too small for a value has `count` alone."""

    key: str
    label: str
    x: float
    left: float
    points: Sequence[Point] = ()
    count: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A piece of a line between two neighbours."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One plot over time, `height` pixels high, with its name beside it; `rules` are lines across, each (y, label)."""

    name: str
    note: str
    height: int
    marks: Sequence[Mark]
    lines: Sequence[Line]
    rules: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How much of one step was seen whole, 0 to 1; None where nothing is known of it."""

    left: float
    share: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """Strips that share an axis of days, its ticks and flags, and under them what was seen whole."""

    ticks: Sequence[Tick]
    flags: Sequence[Flag]
    step: float
    strips: Sequence[Strip]
    seen: Sequence[Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list of bars, or of a scale from against to favor.

    `width` is the length of a bar, `inner` that of the part of it that counts once; `x`, `low`, `high` and `before` are places on the scale. `level` 1 is a part of the row above.
    `country` is the code of a country that the browser may write out, `title` what the row is called away from the list. A row
    without a key is the head of a group.
    """

    key: str
    name: str
    value: str = ""
    title: str = ""
    level: int = 0
    country: str = ""
    width: float | None = None
    inner: float | None = None
    x: float | None = None
    low: float | None = None
    high: float | None = None
    before: float | None = None
    kind: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The same numbers as a table. `keys` name the mark that a row opens, empty where there are none; `numeric` the columns to align."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: Sequence[str] = ()
    numeric: int = 1  # columns from this one on hold numbers

"""Axes: days and values in, places out. Along the page in per cent of its width, so that a chart fits every screen; upward in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flows.report.words import short

TICKS = 8  # at most so many labels
APART = 7  # per cent of the width between the flags of one lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A label at a place; a minor one is left out where the page is narrow."""

    x: float
    label: str
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """An event on the axis: its number, and the lane in which it does not cover another one."""

    x: float
    number: int
    lane: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """The days from `since` to `until`, both within; `step` is how many days one mark stands for."""

    since: date
    until: date
    step: int

    @property
    def days(self) -> int:
        """Length of the axis: whole steps."""
        days = (self.until - self.since).days + 1
        return -(-days // self.step) * self.step

    def x(self, day: date, noon: float = 0.0) -> float:
        """Return the place of a day, `noon` days later."""
        return round(100 * ((day - self.since).days + noon) / self.days, 3)

    def middle(self, start: date) -> float:
        """Return the middle of the step that begins on `start`."""
        return self.x(start, self.step / 2)

    @property
    def width(self) -> float:
        """Return how wide one step is."""
        return round(100 * self.step / self.days, 3)

    def starts(self) -> Iterator[date]:
        """Yield the first day of every step."""
        return (self.since + timedelta(days=n) for n in range(0, self.days, self.step))

    def ticks(self) -> list[Tick]:
        """Return labels at the middle of days or at the beginning of months, not too many."""
        if self.days > 7 * TICKS:
            return self._months()
        gap = next(n for n in (1, 2, 7, 14) if self.days / n <= TICKS)
        found = [self.since + timedelta(days=n) for n in range(0, self.days, gap)]
        return [Tick(x=self.x(day, 0.5), label=short(day), minor=n % 2 == 1) for n, day in enumerate(found)]

    def _months(self) -> list[Tick]:
        first = self.since.year * 12 + self.since.month - (self.since.day == 1)
        last = self.until.year * 12 + self.until.month - 1
        gap = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if (last - first) / n < TICKS)
        found = [date(n // 12, n % 12 + 1, 1) for n in range(first, last + 1) if n % gap == 0]
        return [
            Tick(x=self.x(each), label=f"{short(each)[2:]} {each.year}", minor=n % 2 == 1)
            for n, each in enumerate(found)
        ]

    def flags(self, days: Sequence[date]) -> list[Flag]:
        """Return a flag for each event that lies on the axis, numbered as they are given."""
        lanes: list[float] = []
        found = []
        for number, day in sorted(enumerate(days, 1), key=lambda each: (each[1], each[0])):
            if self.since <= day <= self.until:
                x = self.x(day, 0.5)
                lane = next((n for n, taken in enumerate(lanes) if x - taken >= APART), len(lanes))
                lanes[lane : lane + 1] = [x]
                found.append(Flag(x=x, number=number, lane=lane))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Values from `bottom` to `top` over `height` pixels, `margin` of them left free above and below."""

    bottom: float
    top: float
    height: int
    margin: int = 6

    def y(self, value: float) -> float:
        """Return the place of a value; one beyond the axis stays at its end."""
        part = (min(max(value, self.bottom), self.top) - self.bottom) / (self.top - self.bottom)
        return round(self.height - self.margin - part * (self.height - 2 * self.margin), 1)


def round_top(highest: float) -> float:
    """Return the end of an axis of shares: a round number at or above the highest."""
    return next((top for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8) if highest <= top), 1.0)

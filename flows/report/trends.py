"""What is drawn over time: attention, and net stance by bloc. Figures in, charts and their tables out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from flows.report import words
from flows.report.axes import TimeAxis, ValueAxis, round_top
from flows.report.charts import Line, Mark, OverTime, Point, Seen, Strip, Table
from warehouse.figures import Figures

Rows = Sequence[dict[str, Any]]
SHARES = ("pooled", "mean")
TALL, FLAT = 210, 76  # pixels: the one chart of attention, each strip of net stance


def time_axis(figures: Figures, step: int) -> TimeAxis:
    """Return the axis of the period, which is there: an empty warehouse draws nothing."""
    assert figures.since is not None
    assert figures.until is not None
    return TimeAxis(since=figures.since, until=figures.until, step=step)


def by_step(rows: Rows, axis: TimeAxis) -> dict[date, dict[str, Any]]:
    """Add the days of a step up: pooled over all items, and the mean over the days of outlets."""
    steps: dict[date, Rows] = defaultdict(list)
    for row in rows:
        steps[axis.since + timedelta(days=(row["day"] - axis.since).days // axis.step * axis.step)] += (row,)  # type: ignore[operator]
    return {start: _added(found) for start, found in steps.items()}


def _added(rows: Rows) -> dict[str, Any]:
    total = {name: sum(row[name] for row in rows) for name in ("relevant", "seen", "outlets", "complete_outlets")}
    mean = sum(row["outlet_mean_share"] * row["outlets"] for row in rows) / total["outlets"]
    return {**total, "pooled": total["relevant"] / total["seen"], "mean": mean}


def attention(figures: Figures) -> tuple[OverTime, Table]:
    """Draw the share of AI-governance stories; steps of which no outlet was seen whole are hollow."""
    axis = time_axis(figures, 7 if figures.weekly else 1)
    whole, every = by_step(figures.share_whole, axis), by_step(figures.share_all, axis)
    shown = {start: whole.get(start) or every[start] for start in axis.starts() if start in every}
    top = round_top(max((max(row["pooled"], row["mean"]) for row in shown.values()), default=1))
    scale = ValueAxis(bottom=0, top=top, height=TALL)
    marks = [
        Mark(
            key=f"step/{start}",
            label=_said(start, row, every[start], axis, start in whole),
            x=axis.middle(start), left=axis.x(start),
            points=[Point(y=scale.y(row[kind]), kind=kind, hollow=start not in whole) for kind in SHARES],
        )
        for start, row in shown.items()
    ]  # fmt: skip
    rules = [(scale.y(part * top / 4), words.percent(part * top / 4, 0 if top >= 0.04 else 2)) for part in range(5)]
    strip = Strip(name="", note="", height=TALL, marks=marks, lines=list(_lines(marks, axis)), rules=rules)
    return over_time(figures, axis, [strip]), _attention_table(shown, every, whole, axis)


def _said(start: date, row: dict[str, Any], every: dict[str, Any], axis: TimeAxis, whole: bool) -> str:
    seen = f"{every['complete_outlets']} of {every['outlets']} {'outlet days' if axis.step > 1 else 'outlets'}"
    return (
        f"{step_name(start, axis)}: {words.percent(row['pooled'])} pooled, {words.percent(row['mean'])} mean over outlets, "
        f"{row['relevant']} of {row['seen']} items, {seen} seen whole"
        + ("" if whole else "; a gap in collection may be in it")
    )


def step_name(start: date, axis: TimeAxis) -> str:
    """Name a day, or the week that begins on it."""
    return words.day(start) if axis.step == 1 else f"Week of {words.day(start)}"


def _attention_table(shown: dict[date, Any], every: dict[date, Any], whole: dict[date, Any], axis: TimeAxis) -> Table:
    return Table(
        caption="Share of stories about AI governance",
        columns=("Week of" if axis.step > 1 else "Day", "Pooled", "Mean over outlets", "Relevant", "Items", "Seen whole", "Counted over"),
        rows=[
            (
                start.isoformat(), words.percent(row["pooled"], 2), words.percent(row["mean"], 2), words.count(row["relevant"]),
                words.count(row["seen"]), f"{every[start]['complete_outlets']} of {every[start]['outlets']}",
                "what was seen whole" if start in whole else "all, none seen whole",
            )
            for start, row in shown.items()
        ],
        keys=[f"step/{start}" for start in shown],
    )  # fmt: skip


def stance(figures: Figures, target: str) -> tuple[OverTime, Table]:
    """Draw the net stance toward a target, a strip a bloc and a mark a week."""
    axis = time_axis(figures, 7)
    rows = [row for row in figures.net if row["target"] == target]
    blocs = sorted(
        {row["bloc"] for row in rows}, key=lambda bloc: (-sum(r["n"] for r in rows if r["bloc"] == bloc), bloc)
    )
    strips = [_strip([row for row in rows if row["bloc"] == bloc], axis, bloc == blocs[0]) for bloc in blocs]
    return over_time(figures, axis, strips), _stance_table(rows, target)


def _strip(rows: Rows, axis: TimeAxis, first: bool) -> Strip:
    """Draw the weeks of a bloc; only the first strip says what the lines across are, for they are the same in all."""
    scale = ValueAxis(bottom=-1, top=1, height=FLAT)
    marks = [_cell(row, axis, scale) for row in rows]
    rules = [(scale.y(1), "+1" if first else ""), (scale.y(0), "0"), (scale.y(-1), "\N{MINUS SIGN}1" if first else "")]
    total = words.plural(sum(row["n"] for row in rows), "vote")
    name = words.bloc(rows[0]["bloc"])
    return Strip(name=name, note=total, height=FLAT, marks=marks, lines=list(_lines(marks, axis)), rules=rules)


def _cell(row: dict[str, Any], axis: TimeAxis, scale: ValueAxis) -> Mark:
    place: dict[str, Any] = {
        "key": f"net/{row['target']}/{row['bloc']}/{row['week']}",
        "x": axis.middle(row["week"]),
        "left": axis.x(row["week"]),
    }
    where = f"{words.named(row['target'])}, {words.bloc(row['bloc'])}, week of {words.day(row['week'])}"
    if row["net"] is None:
        return Mark(**place, label=f"{where}: n = {row['n']}, too few for a value", count=str(row["n"]))
    low, high = (None if row[end] is None else scale.y(row[end]) for end in ("low", "high"))
    label = f"{where}: net stance {words.signed(row['net'])}, 95 % interval {words.interval(row['low'], row['high'])}, n = {row['n']}"
    point = Point(y=scale.y(row["net"]), kind=side(row), low=low, high=high)
    return Mark(**place, label=label, points=[point])


def side(row: dict[str, Any]) -> str:
    """Say on which side of zero a net stance is; even where its interval holds zero, or where there is none."""
    if row["low"] is None or row["low"] <= 0 <= row["high"]:
        return "even"
    return "favor" if row["net"] > 0 else "against"


def _stance_table(rows: Rows, target: str) -> Table:
    return Table(
        caption=f"{words.named(target)}: net stance by bloc and week",
        columns=("Bloc", "Week of", "n", "Net stance", "95 % interval"),
        rows=[
            (words.bloc(row["bloc"]), row["week"].isoformat(), str(row["n"]))
            + (words.exact(row["net"], row["low"], row["high"]) if row["net"] is not None else ("too few", ""))
            for row in rows
        ],
        keys=[f"net/{row['target']}/{row['bloc']}/{row['week']}" for row in rows],
        numeric=2,
    )  # fmt: skip


def _lines(marks: Sequence[Mark], axis: TimeAxis) -> Iterator[Line]:
    """Join neighbours; a step without a value stays a gap."""
    for one, other in pairwise(marks):
        if other.x - one.x < 1.5 * axis.width:
            for first, second in zip(one.points, other.points, strict=False):
                kind = first.kind if first.kind in SHARES else "path"
                yield Line(x1=one.x, y1=first.y, x2=other.x, y2=second.y, kind=kind)


def over_time(figures: Figures, axis: TimeAxis, strips: Sequence[Strip]) -> OverTime:
    """Put strips on one axis."""
    return OverTime(
        ticks=axis.ticks(), flags=axis.flags(list(figures.shifts)), step=axis.width, strips=strips,
        seen=list(_seen(by_step(figures.share_all, axis), axis)),
    )  # fmt: skip


def _seen(steps: dict[date, dict[str, Any]], axis: TimeAxis) -> Iterable[Seen]:
    for start, row in sorted(steps.items()):
        share = row["complete_outlets"] / row["outlets"]
        yield Seen(
            left=axis.x(start), share=share, label=f"{step_name(start, axis)}: {words.percent(share, 0)} seen whole"
        )

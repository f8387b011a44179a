"""The figures of the report: a warehouse, its events and a few limits in, rows out, all of one state of the published copy.

What a named query answers comes from it, through the same connection; the rest are the files of `report/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import WarehouseError
from warehouse.connect import Connection, Row, Target, fetch_rows, reading
from warehouse.query import QUERIES, load_query, readers_path, typed_sql
from warehouse.snapshot import find_snapshot

REPORT = Path(__file__).parent / "report"
WEEKS = 26  # shown where no first day is given
LEAST = 5  # documents of a cell that is given a value
DAILY = 62  # longer periods show attention by week
WINDOW = 14  # days before and after an event
EXCERPTS = 6  # behind one mark
LONGEST = 320  # characters of an excerpt
COVERAGE = ("by_country", "by_language", "complete_days", "failures", "dates", "abstention", "label_runs")

Rows = list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a report shows; rows are dictionaries with the columns of the query that gave them.

    `snapshot` is the newest load, None in a warehouse without any. `since` and `until` are None where no document is stored.
    `share_whole` counts only outlets seen whole on a day, `share_all` all of them. In `net`, `net_by_place` and `shifts` a cell too
    small for a value has n alone, the votes of stories and countries. `amplification` is None where the package has no
    such query. `marks` are the sentences behind each mark.
    """

    snapshot: Row | None
    since: date | None
    until: date | None
    least: int
    totals: Row
    share_whole: Rows
    share_all: Rows
    net: Rows
    net_by_place: Rows
    places: Rows
    topics: Rows
    shifts: Mapping[date, Rows]
    amplification: Rows | None
    health: Rows
    coverage: Mapping[str, Rows]
    marks: Rows

    @property
    def weekly(self) -> bool:
        """Whether attention is shown by week."""
        return is_weekly(self.since, self.until)


def is_weekly(since: date | None, until: date | None) -> bool:
    """Say whether a period is too long to show its days."""
    return since is not None and until is not None and (until - since).days > DAILY


def gather(
    target: Target,
    events: Sequence[date] = (),
    since: date | None = None,
    least: int = LEAST,
    *,
    sentences: bool = True,
) -> Figures:
    """Read the figures from the published copy of `target`, from the warehouse itself where nothing was published yet.

    events: days that are marked, each compared with the days before it. since: the period begins on the Monday of its week; None: 26
    weeks up to the newest document. least: cells of fewer documents are given as n only. sentences: False leaves `marks` empty.
    """
    source = readers_path(target)
    with reading(source) as con:
        try:
            return _gather(con, events, since, least, sentences)
        except duckdb.CatalogException as error:
            raise WarehouseError(f"{source} has not the form that a report needs; publish it again: {error}") from error


def _gather(con: Connection, events: Sequence[date], since: date | None, least: int, sentences: bool) -> Figures:
    snapshot = next(iter(_file(con, "snapshot", {})), None)
    start, until = _period(con, snapshot, since)
    scope = {"since": start or date.max, "until": until or date.min}
    inside = [day for day in events if start and until and start <= day <= until]
    limits = {"events": inside, "days": WINDOW, "weekly": is_weekly(start, until), "most": EXCERPTS, "longest": LONGEST}
    _file(con, "excerpt", {**scope, **limits})
    return Figures(
        snapshot=snapshot, since=start, until=until, least=least,
        totals=_file(con, "totals", scope)[0],
        share_whole=_share(con, scope, complete=True),
        share_all=_share(con, scope, complete=False),
        net=_net(con, least),
        net_by_place=_file(con, "net_by_place", {"least": least}),
        places=_file(con, "places", scope),
        topics=_file(con, "topics", scope),
        shifts={day: _shift(con, day, events, least) for day in inside},
        amplification=_query(con, "amplification", **scope) if (QUERIES / "amplification.sql").exists() else None,
        health=_query(con, "source_health"),
        coverage={name: _file(con, name, scope) for name in COVERAGE},
        marks=_file(con, "marks", limits) if sentences else [],
    )  # fmt: skip


def _period(con: Connection, snapshot: Row | None, since: date | None) -> tuple[date | None, date | None]:
    """Return the first and the last day: whole weeks back from the newest document, which the newest load bounds."""
    found = _file(con, "period", {"day": snapshot["day"] if snapshot else date.min})[0]
    first, last = found["first_day"], found["last_day"]
    if first is None:
        return None, None
    start = max(first, last - timedelta(weeks=WEEKS - 1)) if since is None else min(since, last)
    return start - timedelta(days=start.weekday()), last


def _share(con: Connection, scope: Mapping[str, date], *, complete: bool) -> Rows:
    rows = _query(con, "daily_share", complete=str(complete), since=scope["since"])
    return [row for row in rows if row["day"] <= scope["until"]]


def _net(con: Connection, least: int) -> Rows:
    """Return every cell of the period; where the query gives no value, n alone: 0 where there are copies of earlier stories only."""
    valued = {(row["target"], row["bloc"], row["week"]): row for row in _query(con, "net_stance", least=least)}
    nothing: Row = dict.fromkeys(("net", "low", "high"))
    return [nothing | cell | valued.get(tuple(cell.values())[:3], {}) for cell in _file(con, "cells", {})]


def _shift(con: Connection, day: date, events: Sequence[date], least: int) -> Rows:
    """Compare the days around an event, over days that were seen whole where they allow it, else over all.

    A bloc with too few outlets has n alone. `other` is the event whose windows share most days with it.
    """
    others = sorted((each for each in events if each != day), key=lambda each: (abs(each - day), each))
    given = {"event": day, "other": others[0] if others else day, "days": WINDOW, "least": least}
    whole = _query(con, "event_shift", **given)
    seen = any(row["shift"] is not None for row in whole)
    return [
        {**row, "whole": seen} for row in (whole if seen else _query(con, "event_shift", **given, complete="false"))
    ]


def _query(con: Connection, name: str, **given: Any) -> Rows:
    query = load_query(name)
    values = query.values({key: str(value) for key, value in given.items()})
    return fetch_rows(con, typed_sql(query), query.bound(values, find_snapshot(con).at))


def _file(con: Connection, name: str, params: Mapping[str, Any]) -> Rows:
    """Run a file of `report/` with those parameters that it names."""
    (statement,) = con.extract_statements((REPORT / f"{name}.sql").read_text(encoding="utf-8"))
    done = con.execute(statement, {each: params[each] for each in statement.named_parameters})
    names = [column[0] for column in done.description or []]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

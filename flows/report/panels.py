"""What is drawn as a list: places, topics, net stance by country, shifts around events, amplification. Figures in, rows and tables out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from flows.report import words
from flows.report.charts import Row, Table
from flows.report.trends import side
from warehouse.figures import WINDOW, Figures

Rows = Sequence[dict[str, Any]]
TOTAL = "(all)"  # the row of all countries together


def scale(value: float | None) -> float | None:
    """Put a net stance on a scale from against (0) to favor (100)."""
    return None if value is None else round(50 + 50 * min(max(value, -1), 1), 2)


def _key(kind: str, row: dict[str, Any]) -> str:
    """Name the mark of a bloc, or of a country in it."""
    return "/".join([kind, row["bloc"], *([row["country"]] if row["country"] else [])])


def places(figures: Figures) -> tuple[list[Row], Table]:
    """Count relevant documents by bloc, and by country within it."""
    highest = max((row["relevant"] for row in figures.places), default=1)
    rows = [
        Row(
            key=_key("bloc", row),
            name=row["country"] or words.bloc(row["bloc"]), country=row["country"] or "", level=int(row["country"] is not None),
            value=words.count(row["relevant"]), width=round(100 * row["relevant"] / highest, 2),
            note=f"{words.percent(row['share'], 0)} of {words.count(row['documents'])} stored",
        )
        for row in _parts(figures.places)
    ]  # fmt: skip
    table = Table(
        caption="Relevant documents by bloc and country",
        columns=("Bloc", "Country", "Relevant", "Stored", "Share", "Outlets"),
        rows=[
            (words.bloc(row["bloc"]), row["country"] or "all", words.count(row["relevant"]), words.count(row["documents"]),
             words.percent(row["share"]), words.count(row["outlets"]))
            for row in figures.places
        ],
        keys=[_key("bloc", row) for row in figures.places], numeric=2,
    )  # fmt: skip
    return rows, table


def topics(figures: Figures) -> tuple[list[Row], Table]:
    """Count relevant documents by topic."""
    rows = [
        Row(
            key=f"topic/{row['topic']}", name=words.named(row["topic"]), value=words.count(row["documents"]),
            width=round(100 * row["share"], 2), note=words.percent(row["share"], 0),
        )
        for row in figures.topics
    ]  # fmt: skip
    table = Table(
        caption="Relevant documents by topic",
        columns=("Topic", "Documents", "Share of relevant documents", "Outlets"),
        rows=[
            (words.named(row["topic"]), words.count(row["documents"]), words.percent(row["share"]), words.count(row["outlets"]))
            for row in figures.topics
        ],
        keys=[row.key for row in rows],
    )  # fmt: skip
    return rows, table


def by_place(figures: Figures, target: str) -> tuple[list[Row], Table]:
    """Show net stance toward a target over the whole period, by bloc and country."""
    found = [row for row in figures.net_by_place if row["target"] == target]
    rows = [_place(row) for row in _parts(found)]
    table = Table(
        caption=f"{words.named(target)}: net stance by bloc and country",
        columns=("Bloc", "Country", "n", "Outlets", "Net stance", "95 % interval"),
        rows=[
            (words.bloc(row["bloc"]), row["country"] or "all", str(row["n"]), str(row["outlets"]))
            + (words.exact(row["net"], row["low"], row["high"]) if row["net"] is not None else ("too few", ""))
            for row in found
        ],
        keys=[_key(f"place/{target}", row) for row in found], numeric=2,
    )  # fmt: skip
    return rows, table


def _place(row: dict[str, Any]) -> Row:
    name: dict[str, Any] = {
        "key": _key(f"place/{row['target']}", row),
        "name": row["country"] or words.bloc(row["bloc"]),
        "country": row["country"] or "",
        "level": int(row["country"] is not None),
    }
    if row["net"] is None:
        return Row(**name, value=f"n = {row['n']}")
    return Row(
        **name, value=words.signed(row["net"]), x=scale(row["net"]), low=scale(row["low"]), high=scale(row["high"]),
        kind=side(row), note=f"n = {row['n']}",
    )  # fmt: skip


def shifts(rows: Rows, day: Any) -> tuple[list[Row], Table]:
    """Show net stance before and after an event, by target and bloc; targets stand apart, for they are not on one scale."""
    drawn = [_moved(row, day) for row in rows]
    table = Table(
        caption=f"Net stance in the {WINDOW} days before and from {words.day(day)} on",
        columns=("Target", "Bloc", "n before", "Before", "n after", "After", "Shift", "95 % interval", "Against other blocs", "95 % interval"),
        rows=[
            (words.named(row["target"]), words.bloc(row["bloc"]), str(row["n_before"]), words.signed(row["net_before"], 3),
             str(row["n_after"]), words.signed(row["net_after"], 3), *words.exact(row["shift"], row["low"], row["high"]),
             *words.exact(row["did"], row["did_low"], row["did_high"]))
            for row in rows
        ],
        keys=[row.key for row in drawn], numeric=2,
    )  # fmt: skip
    return list(_grouped(drawn, rows)), table


def _moved(row: dict[str, Any], day: Any) -> Row:
    name: dict[str, Any] = {
        "key": f"shift/{day}/{row['target']}/{row['bloc']}",
        "name": words.bloc(row["bloc"]),
        "level": 1,
        "title": f"{words.named(row['target'])}, {words.bloc(row['bloc'])}",
    }
    if row["shift"] is None:
        return Row(**name, value=f"n = {row['n_before']} and {row['n_after']}")
    return Row(
        **name, value=words.signed(row["shift"]), before=scale(row["net_before"]), x=scale(row["net_after"]),
        kind=side({**row, "net": row["shift"]}), note=words.interval(row["low"], row["high"]) or "no interval: few outlets",
    )  # fmt: skip


def _grouped(drawn: Sequence[Row], rows: Rows) -> Iterator[Row]:
    """Put the name of each target before its rows."""
    for target, pairs in groupby(zip(rows, drawn, strict=True), key=lambda pair: pair[0]["target"]):
        yield Row(key="", name=words.named(target))
        yield from (row for _, row in pairs)


def _parts(rows: Rows) -> list[dict[str, Any]]:
    """Leave out a country that is all there is of its bloc."""
    countries = Counter(row["bloc"] for row in rows if row["country"])
    return [row for row in rows if not row["country"] or countries[row["bloc"]] > 1]


def amplification(rows: Rows) -> tuple[list[Row], Table]:
    """Show all documents of a country beside the distinct stories that they tell."""
    countries = [row for row in rows if row["place"] != TOTAL]
    highest = max((row["documents"] for row in countries), default=1)
    drawn = [
        Row(
            key=f"country/{row['place']}", name=row["place"], country=row["place"], value=f"×{row['amplification']:.2f}",
            width=round(100 * row["documents"] / highest, 2), inner=round(100 * row["stories"] / highest, 2),
            note=f"{words.plural(row['stories'], 'story', 'stories')} in {words.count(row['documents'])}",
        )
        for row in countries
    ]  # fmt: skip
    columns = list(rows[0]) if rows else ["place"]
    table = Table(
        caption="All documents and distinct stories by country",
        columns=[words.named(column) for column in columns],
        rows=[["" if row[column] is None else str(row[column]) for column in columns] for row in rows],
        keys=["" if row["place"] == TOTAL else f"country/{row['place']}" for row in rows],
    )
    return drawn, table

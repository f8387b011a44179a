"""The table of drills: rows in, Markdown between two markers of docs/reliability.md out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- drills: begin -->", "<!-- drills: end -->"
HEAD = "| drill | fault | outcome | seen | on |\n| --- | --- | --- | --- | --- |"
SURVIVED, FAILED, NOT_RUN = "survived", "FAILED", "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One drill and how it ended."""

    name: str
    fault: str
    outcome: str
    seen: str
    on: str

    @property
    def text(self) -> str:
        """The row in Markdown; its first cell is the name as code."""
        cells = (self.fault, self.outcome, self.seen, self.on)
        return f"| `{self.name}` | " + " | ".join(" ".join(cell.split()).replace("|", "/") for cell in cells) + " |"


def row(drill: Callable[..., Any], outcome: str, seen: str) -> Row:
    """Return the row of a drill; the first paragraph of its docstring is the fault."""
    fault = inspect.cleandoc(drill.__doc__ or "").partition("\n\n")[0]
    return Row(
        name=drill.__name__,
        fault=fault,
        outcome=outcome,
        seen=seen[:300],
        on="" if outcome == NOT_RUN else f"{datetime.now(UTC):%Y-%m-%d}",
    )


def shown(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    return "\n".join(f"{each.name:<34} {each.outcome:<9} {' '.join(each.seen.split())}" for each in rows)


def recorded(text: str) -> dict[str, str]:
    """Return the rows of a page by the names of their drills."""
    part = text.partition(BEGIN)[2].partition(END)[0]
    return {found.group(1): line for line in part.splitlines() if (found := re.match(r"\| `(\w+)` \|", line))}


def write(rows: Sequence[Row], drills: Sequence[Callable[..., Any]], page: Path = PAGE) -> None:
    """Put rows into the page; those of drills that were not run stay, those of drills that there are no more go."""
    text = page.read_text(encoding="utf-8")
    unknown = {drill.__name__: row(drill, NOT_RUN, "").text for drill in drills}
    known = unknown | recorded(text) | {each.name: each.text for each in rows}
    lines = "\n".join([HEAD, *(known[drill.__name__] for drill in drills)])
    before, _, rest = text.partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{lines}\n{END}{rest.partition(END)[2]}", encoding="utf-8")

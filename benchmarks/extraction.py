#!/usr/bin/env python3
"""Extraction side by side on pages with a gold: Stancewatch and the peers that are installed.

    pip install readability-lxml newspaper4k resiliparse goose3    # those of the peers that you want beside ours
    python benchmarks/extraction.py PATH [--half look|held] [--only NAME ...] [--errors]

PATH holds `gold.jsonl`, a page a line: {id, url, set, html, text, title, authors, date, must_contain,
must_not_contain}, and the pages that `html` names, gzipped. Printed for each contestant and set: the mean shingle F1
of the text (extraction_scores.py says how), the F1 of the segments that must and must not be there, the share of
titles that are exact and of dates on the day, the mean F1 of the set of authors, the share of pages that ours
refuses, and pages a second of CPU time, reading and measuring not counted. Every mean is over the pages whose gold has that field.

Pages are parted by publisher (registrable domain): the half `look` is the one to look at, `held` the one to measure
at the end and leave alone. Where PATH has no gold the benchmark skips, and says so.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from extraction_peers import Contestant, Found, contestants
from extraction_scores import author_f1, same_day, same_title, segments, shingle_f1

from pipeline.urls import registrable_domain

COLUMNS = ("text", "segments", "title", "date", "authors", "refused", "pages/s")


def read_gold(folder: Path, half: str | None = None) -> list[dict[str, Any]]:
    """Return the pages of a folder, of one half of the publishers or of all."""
    rows = [json.loads(line) for line in (folder / "gold.jsonl").read_text("utf-8").splitlines()]
    return [row for row in rows if half in (None, half_of(row))]


def half_of(row: dict[str, Any]) -> str:
    """Return the half that a page's publisher falls into."""
    url = row.get("url") or ""
    if "://" not in url:  # a name made of host and word
        url = "https://" + url.removeprefix("hard::").split("-")[0] if url else ""
    owner = registrable_domain(url) if url else row["id"]
    return ("look", "held")[hashlib.sha256(owner.encode()).digest()[-1] % 2]


def body_of(folder: Path, row: dict[str, Any]) -> bytes:
    """Return the bytes of a page."""
    with gzip.open(folder / row["html"]) as stream:
        return stream.read()


def address(row: dict[str, Any]) -> str:
    """Return the page's address, or a stand-in for the few that have none."""
    url = row.get("url") or ""
    return url if url.startswith("http") else f"https://unknown.example/{row['id']}"


def names_of(authors: list[Any]) -> list[str]:
    """Return the names of a gold; some hold a list in a list."""
    return [name for some in authors for name in (some if isinstance(some, list) else [some])]


class Tally:
    """The scores of one contestant on one set."""

    def __init__(self) -> None:
        self.scores: dict[str, list[float]] = defaultdict(list)
        self.segments = [0, 0, 0]

    def add(self, row: dict[str, Any], found: Found) -> None:
        """Count one page."""
        if row.get("text"):
            self.scores["text"].append(shingle_f1(row["text"], found.text))
        if row.get("must_contain"):
            counts = segments(found.text, row["must_contain"], row.get("must_not_contain") or ())
            self.segments = [a + b for a, b in zip(self.segments, counts, strict=True)]
        if row.get("title") and found.title is not None:
            self.scores["title"].append(same_title(row["title"], found.title))
        if row.get("date") and found.date is not None:
            self.scores["date"].append(same_day(row["date"], found.date))
        if row.get("authors") and found.authors is not None:
            self.scores["authors"].append(author_f1(names_of(row["authors"]), found.authors))
        self.scores["refused"].append(bool(found.refused))

    def figures(self) -> dict[str, float]:
        """Return the means."""
        found = {name: sum(values) / len(values) for name, values in self.scores.items() if values}
        right, missed, wrong = self.segments
        if right:
            found["segments"] = 2 * right / (2 * right + missed + wrong)
        return found


def measure(
    folder: Path, rows: Iterable[dict[str, Any]], one: Contestant, errors: bool = False
) -> dict[str, dict[str, float]]:
    """Return the figures of one contestant by set."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    spent: dict[str, float] = defaultdict(float)
    for row in rows:
        body = body_of(folder, row)
        began = time.process_time()
        found = one.extract(body, address(row))
        spent[row["set"]] += time.process_time() - began
        tallies[row["set"]].add(row, found)
        if errors and found.refused:
            print(f"  {one.name} refuses {row['id']}: {found.refused}")
    return {
        name: {**tally.figures(), "pages/s": len(tally.scores["refused"]) / max(spent[name], 1e-9)}
        for name, tally in tallies.items()
    }


def table(name: str, figures: dict[str, dict[str, float]]) -> str:
    """Return the figures as lines."""
    lines = []
    for where, found in sorted(figures.items()):
        cells = [
            f"{found[c]:9.1f}" if c == "pages/s" else f"{found[c]:9.3f}" if c in found else f"{'-':>9}" for c in COLUMNS
        ]
        lines.append(f"{name:22} {where:17} {' '.join(cells)}")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--half", choices=("look", "held"))
    parser.add_argument("--only", nargs="*", help="names of contestants")
    parser.add_argument("--errors", action="store_true", help="name the pages that ours refuses, and why")
    parser.add_argument("--json", action="store_true", help="print our figures alone, as JSON")
    args = parser.parse_args()
    if not (args.path / "gold.jsonl").exists():
        print(f"skipped: {args.path} holds no gold.jsonl")
        return
    rows = read_gold(args.path, args.half)
    if args.json:
        print(json.dumps(measure(args.path, rows, next(contestants()))))
        return
    print(f"{len(rows)} pages\n{'':22} {'set':17} {' '.join(f'{c:>9}' for c in COLUMNS)}")
    for one in contestants():
        if args.only and one.name not in args.only:
            continue
        print(
            table(one.name, measure(args.path, rows, one, args.errors))
            if one.extract
            else f"{one.name:22} skipped: not installed",
            flush=True,
        )


if __name__ == "__main__":
    main()

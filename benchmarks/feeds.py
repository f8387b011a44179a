"""Stored feeds through `read_feed` and through plain feedparser, side by side in one process: what is found, how fast.

PATH is a folder with `gold.jsonl`, {id, file, status, entries: [{title, link, date}]} a line with dates as Unix seconds,
and `snapshots/<name of file>`, gzipped. Agreed entries are those of feeds with status `agreed`; dates before 1995 in the
gold count as none. Speed is feeds a second of processor time, the median of the rounds, taken in turns.

Example: python benchmarks/feeds.py feeds/ --rounds 3
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from pipeline.errors import Rejected
from pipeline.poll import EARLIEST, read_feed
from pipeline.records import Entry
from pipeline.urls import normalise_url

BASE = "https://feeds.invalid/"
Body = tuple[dict[str, Any], bytes]


def bodies_of(folder: Path) -> list[Body]:
    lines = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
    return [(line, gzip.decompress((folder / "snapshots" / Path(line["file"]).name).read_bytes())) for line in lines]


def ours(body: bytes) -> list[Entry]:
    try:
        found, refused = read_feed(body, "", BASE, datetime.now(UTC))
    except Rejected:
        return []
    return [*found, *(entry for entry, _ in refused)]


def plain(body: bytes) -> object:
    return feedparser.parse(body, response_headers={})


def switched_off(body: bytes) -> object:
    return feedparser.parse(body, response_headers={}, sanitize_html=False, resolve_relative_uris=False)


def address(link: str | None) -> str:
    try:
        return normalise_url(link or "", BASE)
    except ValueError:
        return ""


def compare(gold: dict[str, Any], found: list[Entry]) -> Counter[str]:
    """Count agreed entries and dates that were found; an entry without a link is known by its title."""
    counts: Counter[str] = Counter()
    for said in gold["entries"]:
        title = " ".join((said["title"] or "").split())[:500]
        link = address(said["link"])
        same = [entry for entry in found if (entry.url == link if link else entry.title == title)]
        counts["agreed"] += 1
        counts["found"] += bool(same)
        if said["date"] is not None and said["date"] >= EARLIEST.timestamp():
            counts["dated"] += 1
            counts["right"] += any(
                entry.published_at and abs(entry.published_at.timestamp() - said["date"]) < 1.5 for entry in same
            )
    return counts


def speed(read: Callable[[bytes], object], bodies: list[Body]) -> float:
    began = time.process_time()
    for _, body in bodies:
        read(body)
    return len(bodies) / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    bodies = bodies_of(given.path)
    counts: Counter[str] = Counter()
    for gold, body in bodies:
        if gold["status"] == "agreed":
            counts += compare(gold, ours(body))
    readers = {"stancewatch": ours, "feedparser": plain, "feedparser, options off": switched_off}
    speeds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(given.rounds):
        for name, read in readers.items():
            speeds[name].append(speed(read, bodies))
    print(f"{len(bodies)} feeds; found {counts['found']}/{counts['agreed']}, dates {counts['right']}/{counts['dated']}")
    for name, rounds in speeds.items():
        print(f"{name:<26} {statistics.median(rounds):6.1f} feeds/s a core")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What a pass costs before its first request and after its last, with very many feeds: seconds and peak memory of each step.

    python benchmarks/many_feeds.py [--feeds 180000] [--share 1/16] [--entries 30]

Generates a feeds file, one host for each feed and five feeds for each outlet, and a warehouse in which every feed was
polled once and offered `--entries` entries, a fifth of which are pending and the others loaded. Each step runs in a process
of its own, over the same warehouse; the peak memory is that of the process with everything it imports, so the line
`nothing` is what a process has that does nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect.logging import disable_run_logger

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flows import ingest, stages  # noqa: E402
from pipeline.feeds import load_feeds, share_of  # noqa: E402
from pipeline.settings import load_settings  # noqa: E402
from warehouse.connect import fetch_rows, reading, writing  # noqa: E402
from warehouse.load import finish_run, load_folder  # noqa: E402
from warehouse.publish import publish  # noqa: E402
from warehouse.query import run_query  # noqa: E402
from warehouse.spool import deal, new_id, write_load  # noqa: E402
from warehouse.state import known_entries  # noqa: E402

NOW = datetime.now(UTC)
FILL = """
    INSERT INTO poll BY NAME SELECT md5(feed_id) AS poll_id, 'run0' AS run_id, feed_id, now() - INTERVAL 2 HOUR AS polled_at, 200 AS status,
        'ok' AS outcome, $entries AS offered, $entries AS fresh, 0 AS duplicate, md5(url) AS body_hash, 0 AS failures, 'load0' AS load_id FROM feed;
    INSERT INTO feed_schedule BY NAME SELECT feed_id, url, now() - INTERVAL 2 HOUR AS decided_at, 7200.0 AS poll_interval, 0 AS strain,
        '{}' AS wishes, 'load0' AS load_id FROM feed;
    UPDATE feed SET next_poll_at = now() + to_seconds((hash(feed_id) % 7200)::INTEGER - 3600), failures = 0;
    INSERT INTO entry BY NAME SELECT left(md5(feed_id || n), 24) AS entry_id, feed_id, outlet_id, url || '/' || n AS url, 'Title ' || n AS title,
        now() - to_hours((n * 7 % 720)::INTEGER) AS published_at, n AS position, now() - INTERVAL 2 HOUR AS first_seen_at,
        CASE WHEN n % 5 = 0 THEN 'pending' ELSE 'loaded' END AS outcome, 0 AS attempts, 'run0' AS run_id, 'load0' AS load_id
        FROM feed, range($entries) AS place(n);
"""


def listing(path: Path, number: int) -> None:
    """Write the feeds file."""
    with path.open("w", encoding="utf-8") as out:
        for n in range(number):
            out.write(
                f'[[feed]]\nid = "f{n}"\nurl = "https://paper{n}.example/feed.xml"\noutlet = "Paper {n // 5}"\ncountry = "KE"\n'
                'bloc = "global_south"\nlanguage = "en"\nownership = "private"\nkind = "news"\nenabled = true\n\n'
            )


def stored(target: str, data: Path, feeds: Path) -> str:
    """Store the feeds file as the beginning of a pass does."""
    one = stages.Pass(load_settings(warehouse=target, feeds=feeds, data_dir=data), new_id())
    ingest._begin(one, load_feeds(feeds))
    return ""


def due(target: str, feeds: Path, share: str) -> str:
    """Choose the due feeds of a share."""
    mine = share_of(load_feeds(feeds), share)
    return f"{len(ingest._due(target, mine, False))} feeds"


def pending(target: str, feeds: Path, share: str) -> str:
    """List what a share has to fetch first, as a pass does."""
    return f"{len(stages.pending(target, share_of(load_feeds(feeds), share), None, NOW, ingest.SLICE))} entries"


def polled(target: str, data: Path) -> str:
    """Store the answers of 32 feeds that changed nothing."""
    with reading(target) as con:
        rows = fetch_rows(con, "SELECT feed_id, url FROM feed ORDER BY feed_id LIMIT 32")
    shown = datetime.now(UTC).isoformat()
    polls = [{"poll_id": new_id(), "run_id": "run1", "feed_id": row["feed_id"], "polled_at": shown, "status": 304, "outcome": "unchanged",
              "offered": 0, "failures": 0} for row in rows]  # fmt: skip
    load_folder(target, write_load(deal(data), "run1", "poll", {"poll": polls}))
    return ""


def entries_known(target: str, *_: Any) -> str:
    """Ask which of a thousand entries are known."""
    with reading(target) as con:
        ids = [row["entry_id"] for row in fetch_rows(con, "SELECT entry_id FROM entry LIMIT 1000")]
    return f"{len(known_entries(target, ids))} known"


def finished(target: str, *_: Any) -> str:
    """End a pass: the days of all outlets."""
    finish_run(target, new_id(), NOW, {})
    return ""


def asked(name: str) -> Callable[..., str]:
    """Ask a named query."""

    def ask(target: str, *_: Any) -> str:
        return f"{len(run_query(target, name, {})[1])} rows"

    return ask


def measured(step: Callable[..., str], *given: Any) -> tuple[float, float, str]:
    """Return the CPU seconds, the peak memory in MB and the word of a step, in a process of its own."""
    mine, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs, step, given))
    process.start()
    found: tuple[float, float, str] = mine.recv()
    process.join()
    return found


def _work(answer: Any, step: Callable[..., str], given: tuple[Any, ...]) -> None:
    begun = time.process_time()
    with disable_run_logger():
        said = step(*given)
    spent = time.process_time() - begun
    answer.send((spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, said))


def main() -> None:
    """Generate, measure each step and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=180_000)
    parser.add_argument("--entries", type=int, default=30)
    parser.add_argument("--share", default="1/16")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, file = Path(folder), Path(folder) / "feeds.toml"
        target = str(data / "w.duckdb")
        listing(file, given.feeds)
        print(f"{given.feeds} feeds, {given.entries} entries each; CPU seconds, peak MB", flush=True)

        def show(name: str, step: Callable[..., str], *more: Any) -> None:
            seconds, peak, said = measured(step, *more)
            print(f"{name:<34} {seconds:>8.2f} {peak:>7.0f}  {said}", flush=True)

        show("nothing", lambda: "")
        show("read the feeds file", lambda: f"{len(load_feeds(file))} feeds")
        show("read and store it, the first time", stored, target, data, file)
        show("read and store it again", stored, target, data, file)
        show("(fill the tables)", filled, target, given.entries)
        show("due feeds of all", due, target, file, "1/1")
        show(f"due feeds of share {given.share}", due, target, file, given.share)
        show("pending entries of all", pending, target, file, "1/1")
        show(f"pending entries of share {given.share}", pending, target, file, given.share)
        show("store a poll of 32 feeds", polled, target, data)
        show("which of 1000 entries are known", entries_known, target)
        show("end a pass", finished, target)
        show("end the next pass", finished, target)
        show("publish", lambda: str(publish(target).stat().st_size // 2**20) + " MB")
        for name in ("feed_health", "source_health", "pending", "outcomes"):
            show(f"query {name}", asked(name), target)


def filled(target: str, entries: int) -> str:
    """Fill the tables."""
    with writing(target) as con:
        for statement in con.extract_statements(FILL):
            con.execute(statement, {"entries": entries} if statement.named_parameters else {})
    return ""


if __name__ == "__main__":
    main()

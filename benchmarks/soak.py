#!/usr/bin/env python3
"""Many documents through the whole pipeline in one pass by Prefect: do memory, latencies and growth stay as they are?

    python benchmarks/soak.py                                       # 20,000 documents, the model of the package
    python benchmarks/soak.py --pages 200000 --feeds 4000 --hosts 400 --stand-in    # the model replaced by what it said of 60 pages

Printed for each tenth of the documents: memory of the pass and of Prefect's server in MB (what processes share counts once), the
median seconds of a batch in each stage, and how much warehouse, WARC files and Prefect's database grew for each 1,000 documents. Then, for
each of them, the last tenth against the second (the first still warms up), and whether that is flat: at most 1.15.

At the end the runs in Prefect's database are dated back by hand, and its server is started again with the retention that Stancewatch
sets: said is what is left of runs and logs, and how much of the file is free for the next ones.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import stand_in
from prefect_server import Server, prefect_server
from processes import memory_mb
from web_parts import Counted, whole_pass
from web_server import Web, add_shape, served, shape_of

import flows.ingest

STAGES = ("fetch", "extract", "label", "load")
FLAT = 1.15
SECONDS = 2.0  # between two looks
OLD = "update flow_run set end_time = datetime('now', '-60 days')"
Sample = dict[str, float]


def inside(web: Web, folder: Path, server: int) -> None:
    """Make the pass and write samples and latencies to the folder; runs in a process of its own."""
    samples: list[Sample] = []
    latencies: list[tuple[int, str, float]] = []
    with watched(folder, server, samples, latencies):
        figures = whole_pass(web, folder, "prefect")
    (folder / "soak.json").write_text(json.dumps({**figures, "samples": samples, "latencies": latencies}))


@contextmanager
def watched(
    folder: Path, server: int, samples: list[Sample], latencies: list[tuple[int, str, float]]
) -> Iterator[None]:
    """Look at everything every few seconds, and at the clock around each stage."""
    over, counted = threading.Event(), Counted.installed()
    for name in STAGES:
        task = getattr(flows.ingest, name)
        task.fn = _timed(task.fn, lambda took, name=name: latencies.append((counted.documents, name, took)))

    def look() -> None:
        while not over.wait(SECONDS):
            samples.append({"documents": counted.documents, "memory": memory_mb(os.getpid()), "server": memory_mb(server),
                            "warehouse": _megabytes(folder, "*.duckdb*"), "warc": _megabytes(folder, "warc/**/*.gz"),
                            "prefect": _megabytes(Path(os.environ["PREFECT_HOME"]), "prefect.db*")})  # fmt: skip

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _timed(work: Callable[..., Any], tell: Callable[[float], None]) -> Callable[..., Any]:
    @functools.wraps(work)
    def timed(*given: Any) -> Any:
        began = time.monotonic()
        try:
            return work(*given)
        finally:
            tell(time.monotonic() - began)

    return timed


def _megabytes(folder: Path, pattern: str) -> float:
    total = 0
    for path in folder.glob(pattern):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # a log that was merged meanwhile
            continue
    return total / 1_000_000


def tenths(found: dict[str, Any], pages: int) -> list[dict[str, float]]:
    """Return the figures of each tenth of the documents."""
    rows = []
    for n in range(10):
        low, high = n * pages / 10, (n + 1) * pages / 10
        part = [one for one in found["samples"] if low <= one["documents"] < high]
        if len(part) < 2:
            continue
        row = {name: statistics.median(one[name] for one in part) for name in ("memory", "server")}
        for stage in STAGES:
            took = [seconds for at, name, seconds in found["latencies"] if name == stage and low <= at < high]
            row[stage] = statistics.median(took) if took else float("nan")
        grown = max(1, part[-1]["documents"] - part[0]["documents"]) / 1_000
        row |= {name: (part[-1][name] - part[0][name]) / grown for name in ("warehouse", "warc", "prefect")}
        rows.append({"documents": high, **row})
    return rows


def verdicts(rows: list[dict[str, float]]) -> Iterator[str]:
    """Say of each figure whether the last tenth is as the second."""
    for name in rows[0]:
        if name == "documents":
            continue
        ratio = rows[-1][name] / rows[1][name] if rows[1][name] else float("nan")
        yield f"{name:10} last tenth {ratio:.2f} times the second: {'flat' if ratio <= FLAT else 'grows'}"


def forget(home: Path) -> Iterator[str]:
    """Date the runs back, let a server apply its retention, and say what is left."""
    yield "Prefect's database: " + _counts(home)
    with closing(sqlite3.connect(home / "prefect.db")) as con:
        con.execute(OLD)
        con.commit()
    os.environ["PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS"] = "5"
    with prefect_server(home):
        while _left(home, "flow_run") or _left(home, "log"):
            time.sleep(1)
    yield "after its retention: " + _counts(home)


def _left(home: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{home / 'prefect.db'}?mode=ro", uri=True, timeout=60)) as con:
        return int(con.execute(f"select count(*) from {table}").fetchone()[0])


def _counts(home: Path) -> str:
    with closing(sqlite3.connect(home / "prefect.db", timeout=60)) as con:
        pages, free, size = (
            con.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    rows = ", ".join(
        f"{_left(home, table)} of {table}" for table in ("flow_run", "task_run", "log", "artifact", "events")
    )
    return f"{pages * size / 1e6:.1f} MB, of which {free * size / 1e6:.1f} MB free; rows: {rows}"


def run(web: Web, folder: Path, server: Server) -> dict[str, Any]:
    """Run the pass in a process of its own and return what it wrote."""
    said = json.dumps({"shape": asdict(web.shape), "ports": web.ports})
    with (folder / "soak.log").open("w+") as log:
        command = [sys.executable, __file__, "--inside", str(folder), "--server", str(server.pid)]
        done = subprocess.run(
            command, input=said, stdout=log, stderr=log, text=True, check=False, env=server.environment
        )
        if done.returncode:
            log.seek(0)
            raise SystemExit(f"the pass failed:\n{log.read()[-3000:]}")
    return json.loads((folder / "soak.json").read_text())


def main() -> None:
    """Read the arguments, run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shape(parser)
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--server", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return inside(Web.of(json.load(sys.stdin)), args.inside, args.server)
    shape = shape_of(args)
    with tempfile.TemporaryDirectory() as name, served(shape) as web:
        folder = Path(name) / "data"
        folder.mkdir()
        if args.stand_in:
            print("the model is replaced by what it said of some pages (benchmarks/stand_in.py)")
            stand_in.record(shape, folder / "labels")
        with prefect_server(Path(name) / "server") as server:
            found = run(web, folder, server)
        print(f"{found['pages']} pages in {found['seconds']:.0f} s, outcomes {found['counts']}")
        rows = tenths(found, shape.pages)
        print(" ".join(f"{column:>10}" for column in rows[0]))
        for row in rows:
            print(" ".join(f"{value:10.2f}" for value in row.values()))
        for text in (*verdicts(rows), *forget(Path(name) / "server")):
            print(text, flush=True)
    return None


if __name__ == "__main__":
    main()

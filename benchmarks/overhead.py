#!/usr/bin/env python3
"""What Prefect costs a pass, and how long `stancewatch run` takes until it asks the first server for something.

    python benchmarks/overhead.py                                # 5,000 documents with the model of the package
    python benchmarks/overhead.py --hosts 10 --feeds 50 --pages 500 --rounds 3 --stand-in

Each round makes the same pass over the same generated web twice, each time in a fresh process and a fresh folder: by Prefect,
with a server of its own, and as plain functions on as many threads (benchmarks/plain.py). CPU time of the pass alone: start
and imports are left out on both sides, and so is the web's server. Prefect's share is told apart: in the client, in the server.
`--stand-in` replaces the model by what it said of some pages; the rest of a pass is then a smaller part to compare with.

The time to the first request is taken with a temporary server, as a bare `stancewatch run` starts one, and with one that runs.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import stand_in
from prefect_server import Server, prefect_server
from processes import cpu_seconds
from web_server import Web, add_shape, served, shape_of

from pipeline.feeds import feeds_toml
from pipeline.records import Feed

HERE = Path(__file__).parent
Figures = dict[str, Any]


def one_pass(kind: str, web: Web, folder: Path, environment: dict[str, str]) -> Figures:
    """Make a pass in a process of its own, `plain` or by `prefect`."""
    said = json.dumps({"shape": asdict(web.shape), "ports": web.ports})
    with (folder / f"{kind}.log").open("w+") as log:
        command = [sys.executable, str(HERE / "web_parts.py"), kind, str(folder)]
        done = subprocess.run(
            command, input=said, stdout=subprocess.PIPE, stderr=log, text=True, check=False, env=environment
        )
        if done.returncode:
            log.seek(0)
            raise SystemExit(f"the {kind} pass failed:\n{log.read()[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(web: Web, folder: Path, server: Server, labels: Path | None) -> float:
    """Make both passes, print what they took and return the ratio; what the server takes while nobody asks it counts as Prefect's too."""
    taken = {}
    for kind in ("plain", "prefect"):
        place = folder / kind
        place.mkdir(parents=True)
        if labels:
            (place / "labels").write_bytes(labels.read_bytes())
        before = cpu_seconds(server.pid)
        figures = one_pass(kind, web, place, server.environment)
        loaded = figures["texts"]  # on a busy machine a page may come too late, and is pending
        taken[kind] = (1_000 * figures["working"] / loaded, 1_000 * (cpu_seconds(server.pid) - before) / loaded)
        print(f"{kind:8} {loaded} of {web.shape.pages} documents loaded; CPU ms a document: {taken[kind][0]:.1f} in the pass, "
              f"{taken[kind][1]:.1f} in Prefect's server", flush=True)  # fmt: skip
    return sum(taken["prefect"]) / taken["plain"][0]


def first_request(folder: Path, environment: dict[str, str]) -> float:
    """Return the seconds from the start of `stancewatch run` to the first connection that it makes to a feed's server."""
    folder.mkdir()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        feed = Feed(feed_id="one", url=f"http://127.0.0.1:{port}/", outlet="One", country="US", bloc="us", language="en", ownership="private", kind="news")  # fmt: skip
        (folder / "feeds.toml").write_text(feeds_toml([feed]), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "flows.cli",
            "run",
            "--feeds",
            str(folder / "feeds.toml"),
            "--warehouse",
            str(folder / "w.duckdb"),
        ]
        began = time.monotonic()
        with subprocess.Popen(command, env={**environment, "STANCEWATCH_ALLOW_HOSTS": json.dumps([f"127.0.0.1:{port}"])},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # fmt: skip
            asked, _ = listener.accept()
            took = time.monotonic() - began
            asked.close()  # the pass ends by itself: its only feed did not answer
            process.wait()
    return took


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shape(parser, hosts=50, feeds=250, pages=5_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--stand-in", action="store_true")
    args = parser.parse_args()
    shape = shape_of(args)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = folder / "labels" if args.stand_in else None
        if labels:
            stand_in.record(shape, labels)
        with prefect_server(folder / "server") as server:
            with served(shape) as web:
                ratios = [compare(web, folder / str(turn), server, labels) for turn in range(args.rounds)]
            print(f"by Prefect {statistics.median(ratios):.3f} times the CPU time of plain functions (median of {len(ratios)}: "
                  f"{min(ratios):.3f} to {max(ratios):.3f})", flush=True)  # fmt: skip
            running = first_request(folder / "running", server.environment)
        temporary = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        bare = first_request(folder / "bare", {**temporary, "PREFECT_HOME": str(folder / "home")})
        print(f"first request after {bare:.1f} s with a temporary server, {running:.1f} s with one that runs")


if __name__ == "__main__":
    main()

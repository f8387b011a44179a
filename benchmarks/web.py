#!/usr/bin/env python3
"""One pass over a generated web on loopback, beside news-please and newspaper4k, and beside the extractor alone.

    python -m venv peers && peers/bin/pip install news-please newspaper4k lxml_html_clean
    python benchmarks/web.py --peers peers/bin/python                          # 200 hosts, 1,000 feeds, 20,000 pages
    python benchmarks/web.py --hosts 20 --feeds 100 --pages 2000 --rounds 3    # smaller; without peers, which it says

Two processes extract, ours and theirs. Ours (`collect`) polls the feeds, asks robots.txt, fetches, keeps WARC files and
extracts; a peer is handed the addresses of pages, fetches and extracts, and stores nothing. By turns in each round; ratios are
medians over the rounds, of CPU time a page: the process and its children, not the web's server. Where the machine is quiet the
seconds beside them say the same. A peer takes the first --peer-pages pages, the extractor alone at most 2,000.

Then whole passes without Prefect, with a recorded stand-in for the model: one over the web, one over the same with nothing
changed, and one over a web of a tenth of the size; memory is that of all processes together, what they share counted once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import stand_in
from web_server import Web, add_shape, served, shape_of

HERE = Path(__file__).parent
PEERS = ("news-please", "newspaper4k")
SETTLED = 1_000  # pages after which memory is looked at
Figures = dict[str, Any]


def part(name: str, web: Web, folder: Path) -> Figures:
    """Run one of our parts in a fresh process; its log goes to a file of the folder."""
    folder.mkdir(exist_ok=True)
    said = json.dumps({"shape": asdict(web.shape), "ports": web.ports})
    with (folder / f"{name}.log").open("a+") as log:
        command = [sys.executable, str(HERE / "web_parts.py"), name, str(folder)]
        done = subprocess.run(command, input=said, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
        if done.returncode:
            log.seek(0)
            raise SystemExit(f"{name} failed:\n{log.read()[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peer(name: str, python: Path | None, urls: list[str]) -> Figures | None:
    """Let a peer fetch and extract; None where it is not installed."""
    module = {"news-please": "newsplease", "newspaper4k": "newspaper"}[name]
    if (
        python is None
        or subprocess.run([python, "-c", f"import {module}"], check=False, capture_output=True).returncode
    ):
        return None
    command = [str(python), str(HERE / "web_peers.py"), name]
    done = subprocess.run(
        command, input=json.dumps(urls), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def each(figures: Figures) -> float:
    """Return CPU milliseconds a page."""
    return 1_000 * figures["cpu"] / figures["pages"]


def line(name: str, figures: Figures) -> str:
    """Return what was measured of one contestant."""
    return (f"{name:14} {figures['pages']:7} pages {each(figures):8.1f} ms CPU a page {figures['pages'] / figures['seconds']:8.1f} pages/s"
            f" {figures.get('texts', figures['pages']):7} with a text")  # fmt: skip


def side_by_side(web: Web, folder: Path, args: argparse.Namespace) -> None:
    """Measure by turns, and print each contestant's median ratio to ours."""
    ratios: dict[str, list[float]] = {}
    for turn in range(args.rounds):
        ours = part("collect", web, folder / f"collect-{turn}")
        alone = part("extractor", web, folder / f"collect-{turn}")
        found = {name: peer(name, args.peers, web.urls[: args.peer_pages]) for name in PEERS}
        print(line("stancewatch", ours), line("extractor", alone), sep="\n", flush=True)
        ratios.setdefault("extractor alone", []).append(each(alone) / each(ours))
        for name, theirs in found.items():
            print(line(name, theirs) if theirs else f"{name:14} skipped: not installed (--peers)", flush=True)
            if theirs:
                ratios.setdefault(name, []).append(each(theirs) / each(ours))
    for name, values in ratios.items():
        what = "of the speed of the" if name.startswith("extractor") else "times the speed of"
        print(
            f"{statistics.median(values):.2f} {what} {name} (median of {len(values)}: {min(values):.2f} to {max(values):.2f})"
        )


def passes(web: Web, folder: Path) -> float:
    """Make a pass and one with nothing changed; return the CPU milliseconds a page of the first."""
    folder.mkdir()
    stand_in.record(web.shape, folder / "labels")
    first, second = part("plain", web, folder), part("plain", web, folder)
    print(line("whole pass", first), f"outcomes: {first['counts']}", sep="\n")
    print(f"nothing changed: {second['cpu'] / first['cpu']:.3f} of the CPU time of the first, start included "
          f"({second['cpu']:.1f} s of {first['cpu']:.1f} s; {second['counts']['offered']} offered)")  # fmt: skip
    settled = [mb for pages, mb in first["memory"] if pages >= min(SETTLED, web.shape.pages // 2)]
    if len(settled) >= 10:
        tenth = len(settled) // 10
        begin, end = statistics.median(settled[:tenth]), statistics.median(settled[-tenth:])
        print(
            f"memory after {min(SETTLED, web.shape.pages // 2)} pages: {max(settled):.0f} MB at most; the last tenth has {end / begin:.2f} times that of the first"
        )
    return 1_000 * first["working"] / first["pages"]


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shape(parser)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peers", type=Path, help="the Python of an environment in which the peers are installed")
    parser.add_argument("--peer-pages", type=int, default=400)
    parser.add_argument("--only", choices=("peers", "passes"), help="one half of the benchmark")
    args = parser.parse_args()
    shape = shape_of(args)
    with tempfile.TemporaryDirectory() as name:
        with served(shape) as web:
            if args.only != "passes":
                side_by_side(web, Path(name), args)
            if args.only == "peers":
                return
            large = passes(web, Path(name) / "large")
        small = replace(shape, **{one: max(1, getattr(shape, one) // 10) for one in ("hosts", "feeds", "pages")})
        with served(small) as web:
            print(
                f"a page costs {large / passes(web, Path(name) / 'small'):.2f} times as much at {shape.pages} pages as at {small.pages}"
            )


if __name__ == "__main__":
    main()

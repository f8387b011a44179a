#!/usr/bin/env python3
"""The same loads and the same named queries on a warehouse in a file and in DuckLake, by turns in one run.

    pip install -e '.[scale,test]'
    python benchmarks/ducklake.py ducklake:postgres:'dbname=bench host=/var/run/postgresql' [--loads 30] [--documents 64]

The lake must be new and its database empty; its files go where the setting `lake_data` says. Loads are written with generated
documents and labels, one poll and one batch of documents in turn. Printed are medians of the ratios lake / file: of the seconds
a load, and of a query before and after files are merged. A query is asked as `stancewatch query` asks it, attaching included.
Numbers of different machines do not compare; ratios do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.ducklake import compact
from warehouse.load import load_folder
from warehouse.publish import publish
from warehouse.query import list_queries, run_query


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def prepared(store: Store, loads: int, documents: int) -> Iterator[Path]:
    """Yield the folders of the loads in order."""
    yield store.prepare("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    for n in range(loads):
        names = [f"{n}-{place}" for place in range(documents)]
        found = [entry(f"e{name}", place) for place, name in enumerate(names)]
        yield store.prepare("poll", f"run-{n}", poll=[poll(f"p{n}", "f1", offered=documents)], entry=found)
        rows = merged(*(document_rows(f"d{name}", f"e{name}") for name in names))
        yield store.prepare("documents", f"run-{n}", entry=[done(f"e{name}", f"d{name}") for name in names], **rows)


def queries(file: str, lake: str) -> float:
    """Return the median ratio over all named queries, each three times by turns."""
    ratios = []
    for name, _ in list_queries():
        turns = [[seconds(partial(run_query, where, name)) for where in (lake, file)] for _ in range(3)]
        ratios.append(statistics.median(slow / fast for slow, fast in turns))
    return statistics.median(ratios)


def main() -> None:
    """Read the arguments, load and ask both, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake")
    parser.add_argument("--loads", type=int, default=30)
    parser.add_argument("--documents", type=int, default=64, help="documents of a load")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Store(Path(folder))
        found = []
        for each in prepared(file, args.loads, args.documents):
            turn = [seconds(partial(load_folder, where, each)) for where in (args.lake, file.target)]
            found.append((each, *turn))
        publish(file.target)
        for kind, place in (("poll", 1), ("documents", 2)):
            ratio = statistics.median(slow / fast for _, slow, fast in found[place::2])
            print(f"a load of kind {kind} takes the lake {ratio:.1f} times the seconds of the file")
        print(f"a query takes it {queries(file.target, args.lake):.1f} times as long")
        print(f"merging: {compact(args.lake, keep=timedelta(0), grace=timedelta(0))}")
        print(f"after that a query takes {queries(file.target, args.lake):.1f} times as long")


if __name__ == "__main__":
    main()

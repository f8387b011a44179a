#!/usr/bin/env python3
"""Speed and size of a warehouse with a million generated documents: queries, loads, bytes, growth, and plain tables beside it.

    pip install -e '.[test]'
    python benchmarks/queries.py [--documents 1000000] [--small 100000] [--seed 1] [--keep FOLDER] [--only NAME ...] [--no-plain]
    python benchmarks/queries.py --documents 10000000 --small 1000000          # growth from one million to ten

Both warehouses are generated (`generated_warehouse.py`), or found in FOLDER where a run before left them. Printed are, for the large one:
every named query cold and warm in seconds and CPU seconds, with how much more CPU it takes than on the small one; bytes of the file a document
beside its text; documents with labels that the loader stores a second. For the small one: the queries that can be put to plain tables, on
SQLite and on PostgreSQL (a server of our own), by turns in this run, as multiples of the time here. Two threads throughout.
Numbers of different machines do not compare; ratios do. Half the CPU seconds are what two idle cores would need.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generated_warehouse import generate
from benchmarks.loading import OTHER_SEED, loaded_a_second
from benchmarks.plain_tables import in_postgres, in_sqlite
from benchmarks.timing import Times, ask_all
from tests.support.postgres import MISSING, find_postgres, serve_postgres
from warehouse.connect import connect

LOADS = ((64, 20), (1_000, 10), (20_000, 3))  # documents of a load, loads


def made(folder: Path, documents: int, seed: int, outlets: int = 500) -> Path:
    """Return a generated warehouse, a new one where there is none of this size and seed."""
    target = folder / f"generated-{documents}-{outlets}-{seed}.duckdb"
    if not target.exists():
        draft = target.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        generate(draft, documents, seed, outlets)
        draft.rename(target)
    return target


def print_times(large: list[Times], small: list[Times]) -> None:
    """Print a line a query, and the slowest."""
    print(f"{'query':20} {'cold s':>8} {'warm s':>8} {'cold CPU':>9} {'warm CPU':>9} {'growth':>7} {'rows':>6}")
    for one, other in zip(large, small, strict=True):
        growth = one.warm_cpu / max(other.warm_cpu, 0.001)
        print(
            f"{one.name:20} {one.cold:8.2f} {one.warm:8.2f} {one.cold_cpu:9.2f} {one.warm_cpu:9.2f} {growth:6.1f}x {one.rows:6}"
        )
    print(f"slowest: cold {max(each.cold for each in large):.2f} s, warm {max(each.warm for each in large):.2f} s, "
          f"half the CPU warm {max(each.warm_cpu for each in large) / 2:.2f} s")  # fmt: skip


def bytes_beside_text(target: Path) -> float:
    """Return the bytes of the file a document, without the blocks of the texts."""
    blocks = "SELECT count(DISTINCT block_id) FROM pragma_storage_info('document_text') WHERE column_name = 'text' AND block_id >= 0"
    with closing(connect(target, read_only=True)) as con:
        (size,) = con.execute("SELECT block_size FROM pragma_database_size()").fetchone() or (0,)
        (text,) = con.execute(blocks).fetchone() or (0,)
        more = "SELECT count(DISTINCT b) FROM (SELECT unnest(additional_block_ids) AS b FROM pragma_storage_info('document_text') WHERE column_name = 'text')"
        (further,) = con.execute(more).fetchone() or (0,)
        (documents,) = con.execute("SELECT count(*) FROM document").fetchone() or (1,)
    return float((target.stat().st_size - size * (text + further)) / documents)


def print_loads(folder: Path, target: Path) -> None:
    """Print how fast batches of three sizes are stored, in a copy of the warehouse."""
    source = made(folder, max(batch * batches for batch, batches in LOADS), OTHER_SEED, outlets=20)
    for batch, batches in LOADS:
        copy = folder / "loads.duckdb"
        copy.write_bytes(target.read_bytes())
        rate, cpu_rate = loaded_a_second(source, copy, batch, batches)
        copy.unlink()
        print(f"loads of {batch} documents with labels: {rate:.0f} a second, {cpu_rate:.0f} a CPU second")


def print_plain(target: Path, small: list[Times], folder: Path) -> None:
    """Print what SQLite and PostgreSQL take, as multiples."""
    here = {each.name: each.warm for each in small}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        lite = in_sqlite(target, Path(scratch))
    programs = find_postgres()
    assert programs, MISSING
    with serve_postgres(programs) as server:
        post = in_postgres(target, server.new_database())
    print(f"{'query':20} {'here s':>8} {'SQLite':>9} {'PostgreSQL':>11}")
    for name, seconds in lite.items():
        if name in here:
            print(f"{name:20} {here[name]:8.3f} {seconds / here[name]:8.1f}x {post[name] / here[name]:10.1f}x")


def main() -> None:
    """Read the arguments, generate and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--outlets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the generated warehouses; a temporary one otherwise")
    parser.add_argument("--only", nargs="*", default=[], help="queries; all of them otherwise")
    parser.add_argument("--no-plain", action="store_true", help="neither SQLite nor PostgreSQL")
    parser.add_argument("--no-loads", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        large, small = (made(folder, size, args.seed, args.outlets) for size in (args.documents, args.small))
        times = ask_all(small, args.only)
        print_times(ask_all(large, args.only), times)
        print(f"bytes a document beside its text: {bytes_beside_text(large):.0f}")
        if not args.no_loads:
            print_loads(folder, large)
        if not args.no_plain:
            print_plain(small, times, folder)


if __name__ == "__main__":
    main()

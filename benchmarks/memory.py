#!/usr/bin/env python3
"""Memory while labelling many documents: does it stay flat?

    python benchmarks/memory.py [--documents 20000]

Labels articles like those of `labelling.py`, each one made when it is needed, and prints the resident memory after each
tenth of them, its peak, and the ratio of the last tenth to the second (the first still warms up).
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from articles import Text, texts

from pipeline.codebook import load_codebook
from pipeline.model import load_classifier

MB = 1024 * 1024
BATCH = 64
DIFFERENT = 500  # articles that are made; they come again, each time with another number in front


def resident() -> float:
    """Return the resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / MB


def documents(number: int) -> Iterator[Text]:
    """Yield articles, no two of them the same."""
    some = texts(DIFFERENT)
    for n in range(number):
        title, text, lang = some[n % DIFFERENT]
        yield title, f"No. {n}. {text}", lang


def main() -> None:
    """Read the arguments, label, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    number = parser.parse_args().documents
    classifier = load_classifier(None, load_codebook())
    stream, tenths = documents(number), []
    for _ in range(10):
        part = islice(stream, number // 10)
        while batch := list(islice(part, BATCH)):
            classifier.label(batch)
        tenths.append(resident())
        print(f"{len(tenths) * number // 10:7} documents: {tenths[-1]:.0f} MB", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    print(f"peak {peak:.0f} MB; the last tenth has {tenths[-1] / tenths[1]:.2f} times the memory of the second")


if __name__ == "__main__":
    main()

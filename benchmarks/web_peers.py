#!/usr/bin/env python3
"""A peer fetches and extracts the generated web: addresses as JSON lines in, one JSON object of figures out.

Runs in a virtual environment of the peers, so it imports nothing of ours. Each process takes its part of the addresses one by one:
on loopback nobody waits for a server. What a peer makes of a page is counted where it has a text.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing import Pool

PROCESSES = 2


def news_please() -> Callable[[str], str]:
    from newsplease import NewsPlease  # noqa: PLC0415 - only one of the peers need be installed

    return lambda url: NewsPlease.from_url(url).maintext or ""


def newspaper4k() -> Callable[[str], str]:
    from newspaper import Article  # noqa: PLC0415

    def work(url: str) -> str:
        article = Article(url)
        article.download()
        article.parse()
        return str(article.text)

    return work


def run(name: str, urls: list[str]) -> tuple[int, float]:
    """Return how many pages have a text, and the CPU seconds."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    work = {"news-please": news_please, "newspaper4k": newspaper4k}[name]()
    _has_text(work, urls[0])  # what is read at first use is not counted
    began = time.process_time()
    texts = sum(_has_text(work, url) for url in urls)
    return texts, time.process_time() - began


def _has_text(work: Callable[[str], str], url: str) -> bool:
    try:
        return len(work(url)) > 100
    except Exception:  # a peer gives up by any exception; the page counts as one without a text
        return False


def main() -> None:
    """Share the addresses out and print what was measured."""
    name, urls = sys.argv[1], json.load(sys.stdin)
    began = time.monotonic()
    with Pool(PROCESSES) as pool:
        done = pool.starmap(run, [(name, urls[n::PROCESSES]) for n in range(PROCESSES)])
    figures = {"pages": len(urls), "texts": sum(n for n, _ in done), "seconds": time.monotonic() - began,
               "cpu": sum(spent for _, spent in done),
               "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 * PROCESSES}  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

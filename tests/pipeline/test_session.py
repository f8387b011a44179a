"""The network of a pass that ends early: nobody waits for it for ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Event

import pytest

from pipeline.session import open_session
from pipeline.settings import Settings
from tests.support.raw import serve_raw


def test_a_batch_that_begins_after_the_end_is_refused() -> None:
    with open_session(Settings()) as session:
        pass
    with pytest.raises(CancelledError, match="closed"):
        session.fetch(["http://news.example/a"])


def test_a_batch_that_is_under_way_ends_with_the_network() -> None:
    asked = Event()

    def hang() -> Iterator[float]:
        asked.set()
        yield 60.0

    with ThreadPoolExecutor(1) as pool, serve_raw() as web:
        web.scripts["/a"] = hang
        with open_session(Settings(allow_hosts=[web.host])) as session:
            waiting = pool.submit(session.fetch, [f"{web.url}/a"])
            asked.wait()
        with pytest.raises(CancelledError):
            waiting.result()

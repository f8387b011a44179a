"""For all tests: a warehouse in a temporary folder, empty of documents or filled with the smallest loads.

Where STANCEWATCH_NO_SKIP is set, a skipped test is a failed one: there, what every test needs is installed.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.settings import LAKE
from tests.support.gate import PAGES
from tests.support.postgres import MISSING, Postgres, find_postgres, serve_postgres
from tests.support.store import T1, Store, document_rows, done, entry, feed, merged, outlet, poll

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_report_header() -> list[str]:
    """Say whether the quality gates have their data."""
    folder = os.environ.get("STANCEWATCH_CODED")
    return [
        f"coded passages: {folder or 'not here, so the gate on them does not run (STANCEWATCH_CODED)'}",
        f"pages with a gold: {PAGES or 'not here, so the gate on them does not run (STANCEWATCH_PAGES)'}",
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return none_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return none_skipped((yield))


def none_skipped(report: Report) -> Report:
    """Turn a skip into a failure; an expected failure is none, although pytest reports it as skipped."""
    if os.environ.get("STANCEWATCH_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        where, line, why = report.longrepr if isinstance(report.longrepr, tuple) else ("", "", report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{where}:{line}: STANCEWATCH_NO_SKIP is set, but: {why}"
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of lakes."""
    programs = find_postgres()
    if programs is None:
        pytest.skip(MISSING)
    with serve_postgres(programs) as server:
        yield server


@pytest.fixture
def lake(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The target of a lake that is still to be made."""
    monkeypatch.setenv("STANCEWATCH_LAKE_DATA", str(tmp_path / "lake"))
    return LAKE + postgres.new_database()


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Two outlets with a feed each; in a file where the test does not say `lake`."""
    in_lake = getattr(request, "param", "file") == "lake"
    store = Store(tmp_path, request.getfixturevalue("lake") if in_lake else None)
    store.load("feeds", outlet=[outlet("o1", "china"), outlet("o2", "us")], feed=[feed("f1", "o1"), feed("f2", "o2")])
    return store


@pytest.fixture
def filled(store: Store) -> Store:
    """Three entries of f1, one of f2; d1 and d2 loaded with labels, one rejected, one pending."""
    store.load("poll", poll=[poll("p1", "f1", offered=3)], entry=[entry("e1", 0), entry("e2", 1), entry("e3", 2)])
    store.load(
        "poll", poll=[poll("p2", "f2", offered=2)], entry=[entry("e4", 0, "f2", "o2"), entry("e1", 1, "f2", "o2")]
    )
    rows = merged(document_rows("d1", "e1", "o1", "f1"), document_rows("d2", "e4", "o2", "f2"))
    store.load(
        "documents",
        entry=[done("e1", "d1"), done("e4", "d2"), {"entry_id": "e2", "outcome": "rejected", "reason": "http_404"}],
        rejection=[
            {"entry_id": "e2", "url": "https://x/e2", "stage": "fetch", "reason": "http_404", "rejected_at": T1}
        ],
        **rows,
    )
    return store

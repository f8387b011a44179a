"""Where STANCEWATCH_NO_SKIP is set, a skipped test is a failed one: there, what every test needs is installed."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


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

"""The pace of hosts: spacing, rests, budgets, and what of it lasts between passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from pipeline.errors import Transient
from pipeline.pace import Host, Pace
from pipeline.session import open_session
from pipeline.settings import Settings
from tests.support.network import fetch_pages, reasons
from tests.support.server import Web, serve_web

HOST = "news.example"


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        yield served


def refusal(pace: Pace) -> tuple[str, float]:
    with pytest.raises(Transient) as caught:
        pace.reserve(HOST)
    assert caught.value.retry_after is not None
    return caught.value.reason, caught.value.retry_after


def test_slow_answers_make_requests_rarer_and_quick_ones_frequent_again() -> None:
    pace = Pace(Settings(host_delay=2))
    assert pace.spacing(HOST) == 2
    pace.answered(HOST, 8.0)
    assert pace.spacing(HOST) == 8
    pace.answered(HOST, 2.0)
    assert pace.spacing(HOST) == 5
    for _ in range(10):
        pace.answered(HOST, 0.1)
    assert pace.spacing(HOST) == 2
    pace.answered(HOST, 1000.0)
    assert pace.spacing(HOST) == 60


def test_a_host_that_has_enough_rests_longer_each_time_and_is_slower_after() -> None:
    pace = Pace(Settings(host_delay=2))
    pace.refused(HOST, 429, None)
    reason, first = refusal(pace)
    assert (reason, round(first)) == ("host_resting", 30)
    pace.refused(HOST, 503, None)
    assert round(refusal(pace)[1]) == 60
    pace.refused(HOST, 503, 7200.0)
    assert round(refusal(pace)[1]) == 7200
    pace.refused(HOST, 503, 9e9)
    assert round(refusal(pace)[1]) == 86_400
    assert pace.spacing(HOST) == 16
    pace.answered(HOST, 0.1)
    assert pace.reserve(HOST) == 0
    for _ in range(4):
        pace.answered(HOST, 0.1)
    assert pace.spacing(HOST) == 2


def test_one_403_is_that_of_a_page_and_two_in_a_row_are_the_hosts() -> None:
    pace = Pace(Settings(host_delay=0))
    pace.refused(HOST, 403, None)
    pace.reserve(HOST)
    pace.answered(HOST, 0.1)
    pace.refused(HOST, 403, None)
    pace.reserve(HOST)
    pace.refused(HOST, 403, None)
    assert refusal(pace)[0] == "host_resting"


def test_a_host_that_does_not_answer_is_left_alone() -> None:
    pace = Pace(Settings(host_delay=0))
    for _ in range(3):
        pace.reserve(HOST)
        pace.failed(HOST)
    reason, left = refusal(pace)
    assert (reason, round(left)) == ("host_down", 600)


def test_budgets_of_a_day_and_what_lasts_between_passes() -> None:
    settings = Settings(host_delay=0, host_requests_a_day=3, host_bytes_a_day=1000)
    pace = Pace(settings)
    pace.spent(HOST, 10)
    pace.spent(HOST, 10)
    (kept,) = pace.changed()
    assert (kept.host, kept.requests, kept.bytes) == (HOST, 2, 20)
    assert pace.changed() == []
    later = Pace(settings, [kept])
    later.reserve(HOST)
    later.spent(HOST, 10)
    reason, left = refusal(later)
    assert (reason, 0 < left <= 86_400) == ("budget", True)
    later.reserve("other.example")
    heavy = Pace(settings, [kept])
    heavy.spent(HOST, 980)
    assert refusal(heavy)[0] == "budget"
    now = datetime.now(UTC)
    yesterday = Host(host=HOST, updated_at=now, day=now.date() - timedelta(days=1), requests=9, bytes=9, strikes=2)
    new_day = Pace(settings, [yesterday])
    new_day.reserve(HOST)
    new_day.spent(HOST, 1)
    assert [(host.requests, host.strikes) for host in new_day.changed()] == [(1, 2)]
    resting = Pace(settings, [Host(host=HOST, updated_at=now, day=now.date(), free_at=now + timedelta(hours=1))])
    assert refusal(resting)[0] == "host_resting"


def test_a_busy_server_is_left_alone_within_a_pass_and_counted(web: Web) -> None:
    web.page("/robots.txt", "", kind="text/plain")
    web.page("/.well-known/tdmrep.json", "[]", kind="application/json")
    web.page("/busy", "later", status=429, retry_after="120")
    web.page("/a", "<p>text</p>")
    with open_session(Settings(allow_hosts=[web.host])) as session:
        assert reasons(session.fetch([f"{web.url}/busy"])) == ["http_429"]
        (resting,) = session.fetch([f"{web.url}/a"])
        assert isinstance(resting, Transient)
        assert resting.reason == "host_resting"
        assert round(resting.retry_after or 0) == 120
        (host,) = session.pace.changed()
    assert web.hits["/a"] == 0
    assert (host.requests, host.strikes, host.bytes) == (2, 1, 0)


def test_the_budget_counts_what_came_over_the_line(web: Web) -> None:
    web.page("/robots.txt", "", kind="text/plain")
    web.page("/a", "<p>" + "x" * 5000)
    found = fetch_pages(Settings(allow_hosts=[web.host], host_bytes_a_day=4000), [f"{web.url}/a"])
    assert reasons(found) == ["page"], "what is under way is finished"
    with open_session(Settings(allow_hosts=[web.host], host_bytes_a_day=4000)) as session:
        session.fetch([f"{web.url}/a"])
        assert reasons(session.fetch([f"{web.url}/a?2"])) == ["budget"]


def test_at_most_two_connections_a_host_whoever_asks(web: Web) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def slow(request: BaseHTTPRequestHandler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        request.send_response(200)
        request.send_header("content-length", "11")
        request.end_headers()
        request.wfile.write(b"<p>text</p>")

    web.routes.update({f"/{n}": slow for n in range(12)})
    with open_session(Settings(allow_hosts=[web.host])) as session:
        threads = [
            threading.Thread(target=session.fetch, args=([f"{web.url}/{n}" for n in range(start, start + 4)],))
            for start in (0, 4, 8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 2
    assert sum(web.hits[f"/{n}"] for n in range(12)) == 12


def test_a_clock_that_was_ahead_lets_no_host_rest_for_ever() -> None:
    """Neither its rest nor its budget is of this day."""
    ahead = datetime.now(UTC) + timedelta(days=300)
    host = Host(host=HOST, updated_at=ahead, free_at=ahead, day=ahead.date(), requests=10**6)
    pace = Pace(Settings(), [host])
    assert pace.reserve(HOST) == 0.0
    pace.spent(HOST, 10)
    assert [(each.day, each.requests) for each in pace.changed()] == [(datetime.now(UTC).date(), 1)]
    pace.refused(HOST, 429, 60)
    assert refusal(pace)[1] <= 86_400

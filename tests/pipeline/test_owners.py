"""What owners say is heeded: robots.txt by RFC 9309, reservations of text and data mining, what is not to be kept."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.http import open_client
from pipeline.owners import OwnersFiles
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.reservations import _fits, may_keep, reserved
from pipeline.robots import Robots
from pipeline.settings import Settings
from tests.support.network import fetch_pages, reasons
from tests.support.server import Web, serve_web

PAGE = "<html><head>{}</head><body><p>text</p></body></html>"


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        served.page("/a", PAGE.format(""))
        yield served


def fetched(web: Web, *paths: str, kept: Path | None = None) -> list[str]:
    settings = Settings(allow_hosts=[web.host])
    return reasons(fetch_pages(settings, [web.url + path for path in paths], kept))


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "page"), (401, "page"), (403, "page"), (500, "robots_unreachable"), (503, "robots_unreachable"), (429, "robots_unreachable")],
)  # fmt: skip
def test_no_robots_file_allows_and_a_failing_server_forbids(web: Web, status: int, reason: str) -> None:
    web.page("/robots.txt", "User-agent: *\nDisallow: /\n", status=status)
    assert fetched(web, "/a") == [reason]
    assert web.hits["/a"] == (reason == "page")


def test_robots_is_read_once_a_day_and_what_was_read_counts_while_the_server_fails(web: Web, tmp_path: Path) -> None:
    web.page("/robots.txt", "User-agent: Stancewatch\nDisallow: /a\n", kind="text/plain")
    assert fetched(web, "/a", "/a?2", kept=tmp_path) == ["robots", "robots"]
    assert fetched(web, "/a", kept=tmp_path) == ["robots"]
    assert web.hits["/robots.txt"] == 1
    web.page("/robots.txt", "x", status=503)
    days_ago(tmp_path, 2)
    assert fetched(web, "/a", kept=tmp_path) == ["robots"]
    assert web.hits["/robots.txt"] == 2
    days_ago(tmp_path, 31)
    assert fetched(web, "/a", kept=tmp_path) == ["robots_unreachable"]
    web.page("/robots.txt", "User-agent: *\nDisallow: /b\n", kind="text/plain")
    assert fetched(web, "/a", kept=tmp_path) == ["page"]
    (kept,) = [path for path in tmp_path.iterdir() if "robots.txt" in path.read_text()]
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("no json")
    assert fetched(web, "/a", kept=tmp_path) == ["page"]


def days_ago(folder: Path, days: int) -> None:
    for path in folder.glob("*.json"):
        kept = json.loads(path.read_text())
        path.write_text(json.dumps({**kept, "read_at": time.time() - days * 86_400}))


def test_robots_is_asked_before_every_hop_and_of_a_large_one_the_head_counts(web: Web) -> None:
    with serve_web() as other:
        other.page("/robots.txt", "User-agent: *\nDisallow: /no\n" + "# more\n" * 200_000, kind="text/plain")
        other.page("/no", PAGE.format(""))
        web.page("/hop", "", status=302, location=f"{other.url}/no")
        settings = Settings(allow_hosts=[web.host, other.host])
        assert reasons(fetch_pages(settings, [f"{web.url}/hop"])) == ["robots"]
        assert other.hits["/no"] == 0


def test_a_redirected_robots_file_counts_and_one_that_turns_in_a_circle_is_none(web: Web) -> None:
    web.page("/robots.txt", "", status=301, location="/rules")
    web.page("/rules", "User-agent: *\nDisallow: /a\n", kind="text/plain")
    assert fetched(web, "/a") == ["robots"]
    web.page("/robots.txt", "", status=301, location="/robots.txt")
    assert fetched(web, "/a") == ["page"]


def test_crawl_delay_slows_the_host_down(web: Web) -> None:
    web.page("/robots.txt", "User-agent: *\nCrawl-delay: 7\n", kind="text/plain")
    settings = Settings(allow_hosts=[web.host])
    pace = Pace(settings)

    async def check() -> None:
        async with open_client(settings, pace) as client:
            await Robots(OwnersFiles(client), pace, settings.user_agent).check(f"{web.url}/a")

    asyncio.run(check())
    assert pace.spacing(web.host) == 7


def page(head: str = "", path: str = "/a", **headers: str) -> Page:
    from datetime import UTC, datetime

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(url=f"https://news.example{path}", status=200, headers=named, body=PAGE.format(head).encode(), fetched_at=datetime.now(UTC))  # fmt: skip


META = '<meta name="{}" content="{}">'
FILE = json.dumps([{"location": "/free", "tdm-reservation": 0}, {"location": "/*", "tdm-reservation": 1}])


@pytest.mark.parametrize(
    ("found", "tdmrep", "reason"),
    [
        (page(), "", None),
        (page(tdm_reservation="1"), "", "tdm_reserved"),
        (page(META.format("tdm-reservation", "1")), "", "tdm_reserved"),
        (page("<META content='1' NAME=TDM-Reservation>"), "", "tdm_reserved"),
        (page(META.format("tdm-reservation", "0"), tdm_reservation="1"), FILE, None),
        (page(tdm_reservation="0"), FILE, None),
        (page(), FILE, "tdm_reserved"),
        (page(path="/free"), FILE, None),
        (page(), "{", None),
        (page(x_robots_tag="noai, noimageai"), "", "noai"),
        (page(x_robots_tag="otherbot: noai"), "", None),
        (page(META.format("robots", "index, NOAI")), "", "noai"),
        (page(META.format("googlebot", "noai")), "", None),
        (page(META.format("description", "noai")), "", None),
    ],
)
def test_reservations(found: Page, tdmrep: str, reason: str | None) -> None:
    why = reserved(found, tdmrep)
    assert (why.reason if why else None) == reason


def test_what_is_not_to_be_kept() -> None:
    assert may_keep(page())
    assert may_keep(page(META.format("robots", "noindex")))
    assert not may_keep(page(META.format("robots", "noarchive")))
    assert not may_keep(page(x_robots_tag="NOARCHIVE"))


def test_reserved_pages_end_as_rejections(web: Web) -> None:
    web.page("/noai", PAGE.format(META.format("robots", "noai")))
    web.page("/tdm", PAGE.format(""), tdm_reservation="1")
    assert fetched(web, "/noai", "/tdm", "/a") == ["noai", "tdm_reserved", "page"]
    web.page(
        "/.well-known/tdmrep.json", json.dumps([{"location": "/a", "tdm-reservation": 1}]), kind="application/json"
    )
    assert fetched(web, "/a") == ["tdm_reserved"]
    web.page("/.well-known/tdmrep.json", "x", status=500)
    assert fetched(web, "/a") == ["page"]


@pytest.mark.parametrize(("location", "path", "fits"), [
    ("/", "/a", True), ("/a", "/ab", True), ("/a$", "/ab", False), ("/a$", "/a", True), ("/*.html$", "/x/y.html", True),
    ("/*.html$", "/y.html?", False), ("/a*c*e", "/abcde", True), ("/a*c*e", "/aec", False), ("", "/a", False), ("/%61", "/a", True),
])  # fmt: skip
def test_locations(location: str, path: str, fits: bool) -> None:
    assert _fits(location, path) is fits


@given(st.text("ab*$/", max_size=30), st.text("ab/", max_size=200))
def test_locations_never_hang_and_a_star_only_widens(location: str, path: str) -> None:
    if _fits(location, path) and not location.endswith("$"):
        assert _fits(location + "*", path)


def test_the_network_reads_no_proxy_from_the_environment_and_one_from_the_settings(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_web() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert fetched(web, "/a") == ["page"]
        assert proxy.hits == {}
        assert os.environ["HTTP_PROXY"]
        proxy.page(f"{web.url}/a", PAGE.format("of the proxy"))
        settings = Settings(allow_hosts=[web.host], proxy=proxy.url)
        (found,) = fetch_pages(settings, [f"{web.url}/a"])
        assert isinstance(found, Page)
        assert b"of the proxy" in found.body
        proxy.hits.clear()
        private = Settings(proxy=proxy.url)
        assert reasons(fetch_pages(private, [f"{web.url}/a"])) == ["private_address"]
        assert proxy.hits == {}

"""The network room against a real server that misbehaves: each case ends with its reason, within its limits."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.addresses import is_public
from pipeline.errors import ItemError, Rejected, Transient
from pipeline.hints import retry_after
from pipeline.http import open_client
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.settings import Settings
from pipeline.warc.read import read_warc
from pipeline.warc.write import write_pages
from tests.support.network import fetch_pages
from tests.support.server import Web, drip, endless, serve_web, slow_redirect, unused_port

LIMIT = 200_000


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        yield served


def get(web: Web, path: str, **settings: object) -> Page:
    chosen = Settings(**{"allow_hosts": [web.host], "request_timeout": 1.5, "max_body": LIMIT, **settings})  # type: ignore[arg-type]

    async def one() -> Page:
        async with open_client(chosen, Pace(chosen)) as client:
            return await client.get(f"{web.url}{path}" if path.startswith("/") else path)

    return asyncio.run(one())


def reason(web: Web, path: str, **settings: object) -> str:
    with pytest.raises(ItemError) as caught:
        get(web, path, **settings)
    return caught.value.reason


def test_a_page_comes_with_its_address_after_redirects(web: Web) -> None:
    web.page("/a", "", status=302, location="/b")
    web.page("/b", gzip.compress(b"<p>hello</p>"), content_encoding="gzip")
    page = get(web, "/a")
    assert (page.url, page.body) == (f"{web.url}/b", b"<p>hello</p>")
    assert web.headers[0]["accept-encoding"] == "gzip"
    assert web.headers[0]["user-agent"].startswith("Stancewatch/")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Rejected), (410, Rejected), (500, Transient), (503, Transient), (429, Transient)]
)
def test_statuses_are_final_or_worth_another_try(web: Web, status: int, kind: type[ItemError]) -> None:
    web.page("/s", "x", status=status)
    with pytest.raises(kind, match=f"http_{status}"):
        get(web, "/s")


def test_limits_hold(web: Web) -> None:
    web.routes["/endless"] = endless
    web.routes["/drip"] = drip
    web.page("/bomb", gzip.compress(b"\0" * 50_000_000), content_encoding="gzip")
    web.page("/loop", "", status=302, location="/loop")
    web.page("/cut", gzip.compress(b"a" * 1000)[:20], content_encoding="gzip")
    web.page("/brotli", "x", content_encoding="br")
    web.page("/file", "", status=302, location="file:///etc/passwd")
    web.page("/header", "x", x_long="a" * 300_000)
    assert reason(web, "/endless") == "too_large"
    assert reason(web, "/drip") == "timeout"
    assert reason(web, "/bomb") == "too_large"
    assert reason(web, "/loop") == "too_many_redirects"
    assert reason(web, "/cut") == "bad_encoding"
    assert reason(web, "/brotli") == "bad_encoding"
    assert reason(web, "/file") == "bad_redirect"
    assert reason(web, "/header") == "network"


def test_a_chain_of_redirects_has_one_deadline(web: Web) -> None:
    hops = 6
    for hop in range(hops):
        web.routes[f"/{hop}"] = slow_redirect(f"/{hop + 1}", seconds=0.5)
    web.page(f"/{hops}", "<p>text</p>")
    assert get(web, "/0", request_timeout=30).body == b"<p>text</p>"
    web.hits.clear()
    assert reason(web, "/0", request_timeout=2) == "timeout"
    assert web.hits["/1"] == 1  # no hop is slow by itself
    assert web.hits[f"/{hops}"] == 0


def test_the_wait_for_a_hosts_turn_is_not_the_servers_time(web: Web) -> None:
    web.page("/a", "", status=302, location="/b")
    web.page("/b", "<p>text</p>")
    settings = Settings(allow_hosts=[web.host], request_timeout=2)
    pace = Pace(settings)
    pace.slow_down(web.host, 2.5)

    async def one() -> Page:
        async with open_client(settings, pace) as client:
            return await client.get(f"{web.url}/a")

    assert asyncio.run(one()).body == b"<p>text</p>"


def test_private_addresses_are_refused_on_every_hop_and_no_request_is_made(web: Web) -> None:
    with serve_web() as inner:
        inner.page("/secret", "x")
        web.page("/a", "", status=302, location=f"{inner.url}/secret")
        assert reason(web, "/a") == "private_address"
        port = inner.host.split(":")[1]
        for form in ("localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"):
            assert reason(web, f"http://{form}:{port}/secret") in ("private_address", "bad_url", "network"), form
        assert inner.hits == {}


@pytest.mark.parametrize(("address", "public"), [
    ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("10.0.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
    ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
    ("2002:7f00:1::", False), ("fd00::1", False), ("0.0.0.0", False), ("240.0.0.1", False),
])  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_nothing_listening_is_worth_another_try(web: Web) -> None:
    port = unused_port()
    assert reason(web, f"http://127.0.0.1:{port}/", allow_hosts=[f"127.0.0.1:{port}"]) == "network"


def test_a_host_that_hangs_is_left_alone_and_the_others_go_on(web: Web) -> None:
    with serve_web() as other:
        web.routes.update({f"/{n}": drip for n in range(12)})
        other.page("/ok", "<p>text</p>")
        settings = Settings(allow_hosts=[web.host, other.host], request_timeout=0.5)
        urls = [f"{web.url}/{n}" for n in range(12)] + [f"{other.url}/ok"]
        results = fetch_pages(settings, urls)
        assert getattr(results[-1], "status", None) == 200
        assert {getattr(r, "reason", "page") for r in results[:-1]} == {"timeout", "host_down"}
        assert sum(n for path, n in web.hits.items() if path != "/robots.txt") <= 4


def test_retry_after_takes_seconds_and_dates() -> None:
    assert retry_after({"retry-after": "120"}) == 120
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3590 < (retry_after({"retry-after": later}) or 0) <= 3600
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
    assert retry_after({"retry-after": "9" * 30}) == 366 * 86_400


def test_one_host_waits_its_turn_and_another_does_not() -> None:
    pace = Pace(Settings(host_delay=5))
    assert pace.reserve("a.example") == 0
    assert 4.5 < pace.reserve("a.example") <= 5
    assert pace.reserve("b.example") == 0
    pace.slow_down("b.example", 60)
    pace.reserve("b.example")
    assert pace.reserve("b.example") > 60


def test_pages_are_fetched_as_robots_allows_and_kept(web: Web, tmp_path: object) -> None:
    from pathlib import Path

    web.page("/robots.txt", "User-agent: *\nDisallow: /private\n", kind="text/plain")
    web.page("/ok", "<p>text</p>")
    web.page("/private/a", "<p>no</p>")
    web.page("/pdf", "%PDF", kind="application/pdf")
    settings = Settings(allow_hosts=[web.host])
    urls = [f"{web.url}/{name}" for name in ("private/a", "ok", "pdf", "none")]
    results = fetch_pages(settings, urls)
    assert [getattr(r, "reason", "page") for r in results] == ["robots", "page", "not_html", "http_404"]
    assert web.hits["/robots.txt"] == 1
    assert web.hits["/private/a"] == 0
    warc = Path(str(tmp_path)) / "pages.warc.gz"
    write_pages(warc, [r for r in results if isinstance(r, Page)])
    assert list(read_warc(warc)) == [(f"{web.url}/ok", "text/html; charset=utf-8", b"<p>text</p>")]
    assert warc.stat().st_mode & 0o077 == 0

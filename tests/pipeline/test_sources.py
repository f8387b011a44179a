"""What a backfill is given: sitemaps over real HTTP, lists, OPML, and whose page is whose."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.feed_state import feed_states
from pipeline.errors import ConfigError
from pipeline.outlets import Outlets
from pipeline.pace import Pace
from pipeline.records import Feed
from pipeline.session import open_session
from pipeline.settings import Settings
from pipeline.sources import Portion, Window, list_portions, opml_portions, sitemap_portions
from tests.support.server import Web, serve_web, unused_port

HEAD = '<{} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
RSS = '<rss version="2.0"><channel><item><title>One</title><link>/one</link></item></channel></rss>'


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        yield served


def urlset(*pages: str) -> str:
    return HEAD.format("urlset") + "".join(f"<url>{page}</url>" for page in pages) + "</urlset>"


def index(*sitemaps: str) -> str:
    return HEAD.format("sitemapindex") + "".join(f"<sitemap>{each}</sitemap>" for each in sitemaps) + "</sitemapindex>"


def read(web: Web, path: str, **days: date) -> list[Portion]:
    settings = Settings(allow_hosts=[web.host])
    return list(sitemap_portions(settings, Pace(settings), f"{web.url}{path}", Window(**days)))


def test_an_index_is_followed_and_days_are_kept(web: Web) -> None:
    web.page("/index.xml", index("<loc>/new.xml.gz</loc>", "<loc>/old.xml</loc><lastmod>2025-12-31</lastmod>", "<loc>/index.xml</loc>", "<loc>/gone.xml</loc>"))  # fmt: skip
    pages = urlset(
        "<loc>/a</loc><lastmod>2026-02-01</lastmod>", "<loc>/b</loc><lastmod>2026-04-01T10:00:00Z</lastmod>",
        "<loc>/undated</loc>", "<loc>/c</loc><lastmod>2025-01-01</lastmod>", "<loc>mailto:x@y.example</loc>",
    )  # fmt: skip
    web.page("/new.xml.gz", gzip.compress(pages.encode()), kind="application/x-gzip")
    web.page("/old.xml", urlset("<loc>/old</loc>"))
    (found, gone) = read(web, "/index.xml", since=date(2026, 1, 1), until=date(2026, 3, 31))
    assert [entry.url for entry in found.entries] == [f"{web.url}/a", f"{web.url}/undated"]
    assert [why.reason for _, why in found.refused] == ["no_link"]
    assert found.left_out == {"outside_days": 2}
    assert gone.error is not None
    assert "404" in gone.error
    assert web.hits["/old.xml"] == 0
    assert web.hits["/index.xml"] == 1
    web.page("/index.xml", index("<loc>/old.xml</loc><lastmod>2025-12-31</lastmod>"))
    assert [entry.url for portion in read(web, "/index.xml") for entry in portion.entries] == [f"{web.url}/old"]


def test_a_sitemap_of_many_pages_comes_in_portions(web: Web) -> None:
    web.page("/s.xml", urlset(*(f"<loc>/{n}</loc>" for n in range(2_500))))
    assert [len(portion.entries) for portion in read(web, "/s.xml")] == [1000, 1000, 500]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(gzip.compress(bytes(60_000_000)), "too_large"), (b"<html></html>", "no_sitemap"), (b"", "no_sitemap"),
     (b"<urlset><url><loc>/a", "not_a_feed"), (gzip.compress(b"<urlset/>")[:-4], "bad_encoding")],
    ids=["bomb", "page", "nothing", "cut XML", "cut gzip"],
)  # fmt: skip
def test_a_sitemap_that_is_none_is_an_error_of_its_own(web: Web, body: bytes, reason: str) -> None:
    web.page("/s.xml", body)
    (portion,) = read(web, "/s.xml")
    assert (portion.error or "").startswith(reason)


def test_a_list_of_addresses_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_text(
        "\ufeffhttps://a.example/1\n\n# a comment\n  https://a.example/2?utm_source=x \nnot an address\n" + "x" * 9_000
    )
    (portion,) = list_portions(path)
    assert [entry.url for entry in portion.entries] == ["https://a.example/1", "https://a.example/2"]
    assert [entry.title for entry in portion.entries] == ["", ""]
    assert {why.reason for _, why in portion.refused} == {"no_link"}
    path.write_text("".join(f"https://a.example/{n}\n" for n in range(1_500)))
    assert [len(portion.entries) for portion in list_portions(path)] == [1000, 500]


def test_feeds_of_an_opml_file_are_asked_once(web: Web, tmp_path: Path) -> None:
    web.page("/feed", RSS, kind="application/rss+xml")
    path = tmp_path / "f.opml"
    path.write_text(f'<opml><body><outline xmlUrl="{web.url}/feed"/><outline xmlUrl="{web.url}/dead"/></body></opml>')
    with open_session(Settings(allow_hosts=[web.host])) as session:
        good, dead = opml_portions(session, path)
    assert [entry.url for entry in good.entries] == [f"{web.url}/one"]
    assert dead.error is not None


def test_feeds_that_are_dead_moved_or_empty_are_named(web: Web) -> None:
    web.page("/good", RSS, kind="application/rss+xml")
    web.page("/moved", "", status=301, location="/good")
    web.page("/empty", '<rss version="2.0"><channel></channel></rss>')
    addresses = [f"{web.url}/{name}" for name in ("good", "moved", "empty", "gone")] + [
        f"http://127.0.0.1:{unused_port()}/"
    ]
    feeds = [feed(f"f{n}", url, "H") for n, url in enumerate(addresses)]
    _, rows = feed_states(Settings(allow_hosts=[web.host]), [*feeds, feed("off", f"{web.url}/off", "H", enabled=False)])
    assert [row[:2] for row in rows] == [("f1", "moved"), ("f2", "empty"), ("f3", "dead"), ("f4", "dead")]
    assert web.hits["/off"] == 0


def feed(feed_id: str, url: str, outlet: str, country: str = "KE", *, enabled: bool = True) -> Feed:
    return Feed(
        feed_id=feed_id, url=url, outlet=outlet, country=country, bloc="global_south", language="en", ownership="private",
        kind="news", enabled=enabled,
    )  # fmt: skip


FEEDS = [
    feed("a", "https://feeds.harbour-ledger.org/rss", "Ledger"),
    feed("b", "https://one.hosted-feeds.org/rss", "One"),
    feed("c", "https://two.hosted-feeds.org/rss", "Two"),
    feed("d", "https://x.example/de", "Same name", "DE"),
    feed("e", "https://y.example/at", "Same name", "AT"),
]


@pytest.mark.parametrize(
    ("url", "outlet", "country"),
    [
        ("https://www.harbour-ledger.org/a", "Ledger", "KE"),
        ("https://two.hosted-feeds.org/a", "Two", "KE"),
        ("https://three.hosted-feeds.org/a", "hosted-feeds.org", "XX"),  # two outlets share the domain
        ("https://sub.other.co.uk/a", "other.co.uk", "XX"),
    ],
)
def test_a_page_belongs_to_the_outlet_of_its_host_or_domain(url: str, outlet: str, country: str) -> None:
    source = Outlets(FEEDS).source_of(url, "web")
    assert (source.outlet, source.country, source.enabled) == (outlet, country, False)
    assert source.feed_id == f"backfill:web:{source.outlet_id}"


def test_an_outlet_can_be_named() -> None:
    assert Outlets(FEEDS, "Two").source_of("https://elsewhere.example/", "warc").outlet_id == FEEDS[2].outlet_id
    new = Outlets(FEEDS, "New", "FR").source_of("https://elsewhere.example/", "warc")
    assert (new.outlet, new.country, new.bloc) == ("New", "FR", "")
    assert Outlets(FEEDS, "Same name", "AT").source_of("https://z.example/", "web").country == "AT"
    with pytest.raises(ConfigError, match="several countries"):
        Outlets(FEEDS, "Same name")
    with pytest.raises(ConfigError, match="--outlet"):
        Outlets(FEEDS, None, "FR")


def test_a_window_is_inclusive_and_holds_what_has_no_date() -> None:
    window = Window(since=date(2026, 1, 1), until=date(2026, 1, 31))
    held = [window.holds(datetime(2026, month, day, 23, 59, tzinfo=UTC)) for month, day in ((1, 1), (1, 31), (2, 1))]
    assert held == [True, True, False]
    assert window.holds(None)

"""Feeds: what a body yields, and when the validators move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.errors import Rejected
from pipeline.pace import Pace
from pipeline.poll import poll_feeds, read_feed
from pipeline.records import Feed, Validators
from pipeline.settings import Settings
from tests.support.server import Web, serve_web

NOW = datetime(2025, 8, 1, tzinfo=UTC)
RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Harbour</title>
<item><title>Ministers meet &amp; talk</title><link>/a?utm_source=rss</link><pubDate>Sat, 26 Jul 2025 10:00:00 +0800</pubDate></item>
<item><title>The same again</title><link>https://news.example/a</link></item>
<item><title>From the future</title><link>/b</link><pubDate>Sat, 26 Jul 2045 10:00:00 GMT</pubDate></item>
<item><title>No link</title><guid isPermaLink="false">g1</guid></item>
</channel></rss>"""


def test_entries_have_normal_addresses_and_honest_dates() -> None:
    entries, refused = read_feed(RSS.encode(), "f", "https://news.example/feed", NOW)
    assert [e.url for e in entries] == ["https://news.example/a", "https://news.example/a", "https://news.example/b"]
    assert entries[0].title == "Ministers meet & talk"
    assert entries[0].published_at == datetime(2025, 7, 26, 2, tzinfo=UTC)
    assert entries[0].entry_id == entries[1].entry_id
    assert entries[2].published_at is None
    assert entries[2].date_doubt is not None
    assert [why.reason for _, why in refused] == ["no_link"]


@pytest.mark.parametrize("body", [b"", b"<html><body>no feed</body></html>", b"\x00\xff" * 100, b"{}"])
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Rejected, match="not_a_feed"):
        read_feed(body, "f", "https://news.example/feed", NOW)


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        yield served


def test_validators_are_sent_and_an_unchanged_body_is_not_read_again(web: Web) -> None:
    web.page("/feed", RSS, kind="application/rss+xml", etag='"1"')
    feed = Feed(feed_id="f", url=f"{web.url}/feed", outlet="H", country="KE", bloc="global_south", language="en",
                ownership="private", kind="news")  # fmt: skip
    settings = Settings(allow_hosts=[web.host])
    (first,) = poll_feeds(settings, Pace(settings), [(feed, Validators())])
    assert (first.error, len(first.entries), first.validators.etag) == (None, 3, '"1"')
    (second,) = poll_feeds(settings, Pace(settings), [(feed, first.validators)])
    assert (second.unchanged, second.entries) == (True, ())
    assert web.headers[-1]["if-none-match"] == '"1"'
    web.page("/feed", "gone", status=500)
    (third,) = poll_feeds(settings, Pace(settings), [(feed, first.validators)])
    assert third.error is not None
    assert third.validators == first.validators


def test_a_parser_that_breaks_over_a_feed_costs_that_feed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("pipeline.poll.feedparser.parse", broken)
    with pytest.raises(Rejected, match="boom"):
        read_feed(RSS.encode(), "f", "https://news.example/feed", NOW)

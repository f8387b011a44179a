"""Feeds: what a body yields, and when the validators move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.errors import Rejected
from pipeline.poll import Poll, blameless, read_feed
from pipeline.records import Validators
from pipeline.schedule import Wishes
from pipeline.settings import Settings
from tests.support.network import feed_at, poll_feeds
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
    feed = feed_at(f"{web.url}/feed")
    settings = Settings(allow_hosts=[web.host])
    (first,) = poll_feeds(settings, [(feed, Validators())])
    assert (first.error, len(first.entries), first.validators.etag) == (None, 3, '"1"')
    (second,) = poll_feeds(settings, [(feed, first.validators)])
    assert (second.unchanged, second.entries) == (True, ())
    assert web.headers[-1]["if-none-match"] == '"1"'
    web.page("/feed", "gone", status=500)
    (third,) = poll_feeds(settings, [(feed, first.validators)])
    assert third.error is not None
    assert third.validators == first.validators


def test_a_parser_that_breaks_over_a_feed_costs_that_feed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("pipeline.poll.feedparser.parse", broken)
    with pytest.raises(Rejected, match="boom"):
        read_feed(RSS.encode(), "f", "https://news.example/feed", NOW)


def test_what_an_answer_says_beside_its_entries(web: Web) -> None:
    head = "<ttl>90</ttl><skipHours><hour>0</hour><hour>23</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
    body = RSS.replace("<item>", head + "<item>", 1)
    web.page("/new", body, kind="application/rss+xml", cache_control="public, max-age=600", age="60")
    web.page("/old", "", status=301, location="/new")
    web.page("/away", "", status=302, location="/new")
    settings = Settings(allow_hosts=[web.host])
    moved, away = poll_feeds(settings, [(feed_at(f"{web.url}{path}"), Validators()) for path in ("/old", "/away")])
    assert (moved.moved_to, away.moved_to) == (f"{web.url}/new", None)
    assert moved.max_age == 540
    assert moved.wishes == Wishes(period=5400, skip_hours=frozenset({0, 23}), skip_days=frozenset({6}))


@pytest.mark.parametrize(
    ("status", "reason", "after"), [(410, "http_410", None), (503, "http_503", 7200), (429, "http_429", 7200)]
)
def test_a_failed_answer_carries_its_status_and_what_it_asks_for(
    web: Web, status: int, reason: str, after: float | None
) -> None:
    web.page("/feed", "x", status=status, retry_after="7200")
    (found,) = poll_feeds(Settings(allow_hosts=[web.host]), [(feed_at(f"{web.url}/feed"), Validators())])
    assert (found.reason, found.status, found.retry_after) == (reason, status, after)


def test_a_feed_that_says_when_it_changed_an_article() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>H</title><id>h</id><updated>2025-05-20T00:00:00Z</updated>
    <entry><title>A</title><id>a</id><link href="https://news.example/a"/><published>2025-05-18T00:00:00Z</published>
    <updated>2025-05-19T00:00:00Z</updated></entry>
    <entry><title>B</title><id>b</id><link href="https://news.example/b"/><updated>2099-01-01T00:00:00Z</updated></entry></feed>"""
    (one, other), _ = read_feed(atom.encode(), "f", "https://news.example/", NOW)
    assert one.updated_at == datetime(2025, 5, 19, tzinfo=UTC)
    assert other.updated_at == NOW, "a date of the future is that of the poll"
    (first, *_), _ = read_feed(RSS.encode(), "f", "https://news.example/", NOW)
    assert first.updated_at is None


@pytest.mark.parametrize(
    ("reasons", "hosts", "blamed"),
    [
        (("network", "name_server", "timeout"), 3, False),
        (("network", "network", None), 3, True),
        (("network", "http_503", "network"), 3, True),
        (("network", "network", "network"), 2, True),
    ],
)
def test_where_no_host_can_be_reached_no_feed_is_blamed(
    reasons: tuple[str | None, ...], hosts: int, blamed: bool
) -> None:
    found = blameless([unreached(f"f{n}", f"http://h{n % hosts}.example/feed", why) for n, why in enumerate(reasons)])
    assert [poll.reason == "offline" for poll in found] == [not blamed] * 3
    assert all((poll.error or "").startswith("offline: ") for poll in found) is not blamed


def unreached(feed_id: str, url: str, reason: str | None) -> Poll:
    now = datetime.now(UTC)
    return Poll(feed_id=feed_id, polled_at=now, validators=Validators(), url=url, reason=reason, error=reason)

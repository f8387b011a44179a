"""JSON Feed and sitemaps: what they yield, what is no feed, and what hostile ones cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Rejected
from pipeline.feed_formats import read_items
from pipeline.poll import MAX_ENTRIES, read_feed
from pipeline.records import Entry, Feed, Rejection, Validators, stable_id
from pipeline.settings import Settings
from tests.support.network import poll_feeds
from tests.support.server import serve_web

NOW = datetime(2025, 8, 1, tzinfo=UTC)
BASE = "https://news.example/feed"
JSON_1_1 = "https://jsonfeed.org/version/1.1"
URLSET = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">'
NEWS = f"""
<?xml version="1.0" encoding="UTF-8"?><!-- made by hand -->{URLSET}
<url><loc> https://news.example/a?utm_source=map </loc><lastmod>2025-07-31</lastmod>
 <news:news><news:publication><news:name>Harbour</news:name><news:language>en</news:language></news:publication>
  <news:publication_date>2025-07-26T10:00:00+08:00</news:publication_date>
  <news:title><![CDATA[Ministers meet & talk]]> on\n Monday</news:title></news:news>
 <image:image><image:loc>https://news.example/a.jpg</image:loc><image:title>A quay</image:title></image:image></url>
<url><loc>/b?x=1&amp;y=2</loc><lastmod>2025-07-30</lastmod></url>
<url><lastmod>2025-07-30</lastmod></url>
<url><loc>https://news.example/c</loc></url>
</urlset>"""


def read(body: str | bytes) -> tuple[list[Entry], list[tuple[Entry, Rejection]]]:
    return read_feed(body if isinstance(body, bytes) else body.encode(), "f", BASE, NOW)


def json_feed(*items: Any, **more: Any) -> bytes:
    return json.dumps({"version": JSON_1_1, "title": "Harbour", "items": items, **more}).encode()


def sitemap(*urls: str) -> bytes:
    return f"{URLSET}{''.join(f'<url>{url}</url>' for url in urls)}</urlset>".encode()


def jsoned(date: str) -> bytes:
    return json_feed({"url": "/a", "date_published": date})


def mapped(date: str) -> bytes:
    return sitemap(f"<loc>/a</loc><lastmod>{date}</lastmod>")


def why_no_feed(body: str | bytes) -> str:
    with pytest.raises(Rejected) as caught:
        read(body)
    assert caught.value.reason == "not_a_feed"
    return caught.value.detail


def read_or_refuse(body: bytes) -> None:
    with suppress(Rejected):
        if read_items(body, MAX_ENTRIES) is not None:  # without the net that read_feed spans below it
            read(body)


@pytest.mark.parametrize("version", ["https://jsonfeed.org/version/1", JSON_1_1])
def test_a_json_feed_yields_entries(version: str) -> None:
    body = json_feed(
        {
            "id": "1",
            "url": "/a?utm_source=json",
            "title": "Ministers\n meet & talk",
            "date_published": "2025-07-26T10:00:00+08:00",
        },
        {"id": "2", "url": "", "external_url": "https://other.example/b", "date_modified": "2025-07-27T10:00:00Z"},
        {"id": "https://news.example/c", "title": 1984},
        {"id": 4, "title": "No link"},
        version=version,
    )
    entries, refused = read(body)
    assert [e.url for e in entries] == [
        "https://news.example/a",
        "https://other.example/b",
        "https://news.example/c",
    ]
    assert [e.title for e in entries] == ["Ministers meet & talk", "", "1984"]
    assert [e.published_at for e in entries] == [
        datetime(2025, 7, 26, 2, tzinfo=UTC),
        datetime(2025, 7, 27, 10, tzinfo=UTC),
        None,
    ]
    assert [e.date_doubt for e in entries] == [None, None, "missing"]
    assert [e.position for e in entries] == [0, 1, 2]
    assert entries[0].entry_id == stable_id(entries[0].url)
    assert [(e.position, e.entry_id, why.reason) for e, why in refused] == [(3, stable_id("f", "4"), "no_link")]


def test_a_news_sitemap_yields_entries() -> None:
    entries, refused = read(NEWS)
    assert [e.url for e in entries] == [
        "https://news.example/a",
        "https://news.example/b?x=1&y=2",
        "https://news.example/c",
    ]
    assert [e.title for e in entries] == ["Ministers meet & talk on Monday", "", ""]
    assert [e.published_at for e in entries] == [
        datetime(2025, 7, 26, 2, tzinfo=UTC),
        datetime(2025, 7, 30, tzinfo=UTC),
        None,
    ]
    assert [e.date_doubt for e in entries] == [None, None, "missing"]
    assert [e.position for e in entries] == [0, 1, 3]
    assert [(e.position, why.reason) for e, why in refused] == [(2, "no_link")]


@pytest.mark.parametrize("dated", [jsoned, mapped])
def test_dates_are_doubted_as_in_other_feeds(dated: Callable[[str], bytes]) -> None:
    def date(text: str) -> tuple[datetime | None, str | None]:
        ((entry,), _) = read(dated(text))
        return entry.published_at, entry.date_doubt

    assert date("2025-07-26T10:00:00") == (datetime(2025, 7, 26, 10, tzinfo=UTC), None)
    assert date("2025-07-26T10:00:00.123456789Z") == (datetime(2025, 7, 26, 10, tzinfo=UTC), None)
    assert date("Sat, 26 Jul 2025 10:00:00 +0800") == (datetime(2025, 7, 26, 2, tzinfo=UTC), None)
    assert date((NOW + timedelta(hours=5)).isoformat()) == (NOW, "in the future")
    assert date("2045-07-26") == (None, "out of range: 2045-07-26")
    assert date("0001-01-01T00:00:00+14:00") == (None, "not understood: 0001-01-01T00:00:00+14:00")
    assert date("1753-01-01") == (None, "out of range: 1753-01-01")
    for text in (
        "2025",
        "2025-07",
        "2025-02-30",
        "2025-07-26" + "T" * 99,
    ):
        assert date(text) == (None, f"not understood: {text[:60]}")
    assert date("1753495200") == date("Sat, 26 Jul 2025 11:00:00 KST") == (datetime(2025, 7, 26, 2, tzinfo=UTC), None)
    assert date(" ") == (None, "missing")


@given(st.text() | st.datetimes().map(str))
@settings(deadline=None)
def test_any_date_is_a_date_or_doubted(text: str) -> None:
    assert read_items(jsoned(text), 1) is not None
    ((entry,), _) = read(jsoned(text))
    assert entry.published_at is not None or entry.date_doubt


def test_both_are_read_in_other_encodings() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        feed = json.dumps({"version": JSON_1_1, "items": [{"url": "/a", "title": "Häfen"}]}, ensure_ascii=False)
        assert [e.title for e in read(feed.encode(encoding))[0]] == ["Häfen"]
        urls = f"{URLSET}<url><loc>/ä</loc></url></urlset>"
        assert [e.url for e in read(urls.encode(encoding))[0]] == ["https://news.example/%C3%A4"]


def test_names_count_without_namespace_and_only_in_their_place() -> None:
    entries, _ = read("<urlset><url><a><loc>/x</loc></a><loc>/a</loc><loc>/b</loc></url><loc>/c</loc></urlset>")
    assert [e.url for e in entries] == ["https://news.example/a"]
    prefixed = (
        '<s:urlset xmlns:s="https://www.sitemaps.org/schemas/sitemap/0.9"><s:url><s:loc>/a</s:loc></s:url></s:urlset>'
    )
    assert [e.url for e in read(prefixed)[0]] == ["https://news.example/a"]


def test_a_sitemap_that_names_atom_is_still_a_sitemap() -> None:
    body = '<urlset xmlns:atom="http://www.w3.org/2005/Atom"><url><loc>/a</loc></url></urlset>'
    assert [e.url for e in read(body)[0]] == ["https://news.example/a"]


@pytest.mark.parametrize("body", [json_feed(), sitemap()])
def test_an_empty_feed_is_a_feed(body: bytes) -> None:
    assert read(body) == ([], [])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>/a</loc></sitemap></sitemapindex>', "sitemap index"),
        ("{}", "no JSON Feed"),
        ('{"version": 1, "items": []}', "no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/2", "items": []}', "no JSON Feed"),
        (f'{{"version": "{JSON_1_1}"}}', "without a list of items"),
        (f'{{"version": "{JSON_1_1}", "items": {{"a": 1}}}}', "without a list of items"),
        (f'{{"version": "{JSON_1_1}", "items": [{{"url": "/a"}}', "cannot be read"),
        (URLSET, "cannot be read"),
        (f"{URLSET}<url><loc>/a", "cannot be read"),
        ("<html><body><urlset/></body></html>", ""),
        ("[]", ""),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_said_to_be_none(body: str, detail: str) -> None:
    assert detail in why_no_feed(body)


@pytest.mark.parametrize("value", [None, True, 7, 1.5, [], {}, [["x"]], {"a": "b"}, "", "\x00", "\ud800", "http://["])
@pytest.mark.parametrize("name", ["id", "url", "external_url", "title", "date_published", "date_modified", "authors"])
def test_a_json_field_of_a_wrong_type_says_nothing(name: str, value: Any) -> None:
    entries, refused = read(json_feed({"url": "/a", "title": "T"} | {name: value}, value, {"url": "/b"}))
    both = sorted([*entries, *(entry for entry, _ in refused)], key=lambda entry: entry.position)
    assert [entry.position for entry in both] == [0, 1, 2]
    assert both[2].url == "https://news.example/b"
    for entry in both:
        (entry.title + entry.url + (entry.date_doubt or "")).encode()
        assert "\x00" not in entry.title


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["version", "items", "url", "id", "title", "date_published"]) | st.text(), inner)))  # fmt: skip
@settings(deadline=None)
def test_any_json_is_entries_or_no_feed(data: Any) -> None:
    for body in (json.dumps(data).encode(), json_feed(data), json_feed(data, data)):
        read_or_refuse(body)


@given(st.lists(st.sampled_from(["<url>", "</url>", "<loc>", "</loc>", "/a", "&", "&x;", "<!--", "-->", "<![CDATA[", "]]>", "\x00", "é", "<", "</urlset>", "<lastmod>2025", "</lastmod>"])))  # fmt: skip
@settings(deadline=None)
def test_any_rubble_of_a_sitemap_is_entries_or_no_feed(pieces: list[str]) -> None:
    read_or_refuse((URLSET + "".join(pieces)).encode())


def test_a_broken_sitemap_gives_its_whole_entries_and_no_half_address() -> None:
    cut = (
        f"{URLSET}<url><loc>/a</loc></url><url><loc>/b?x=1&y=2&copy=3</loc></url><url><loc>https://news.example/2025/ha"
    )
    assert [e.url for e in read(cut)[0]] == ["https://news.example/a", "https://news.example/b?x=1&y=2&copy=3"]
    latin = f"{URLSET}<url><loc>/a</loc></url><url><loc>/b\xff</loc></url><url><loc>/c</loc></url></urlset>"
    assert "https://news.example/c" in [e.url for e in read(latin.encode("latin-1"))[0]]


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize("name", ["urlset", "sitemapindex", "x"])
@pytest.mark.parametrize("use", ["<url><loc>&a11;</loc></url>", "<url x='&a11;'><loc>/a</loc></url>"])
def test_entities_are_never_resolved(name: str, use: str) -> None:
    why_no_feed(f'<!DOCTYPE {name} [<!ENTITY a0 "lol">{BOMB}]>{URLSET}{use}</urlset>')


def test_files_and_the_network_are_never_asked(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("secret")
    for system in ((tmp_path / "secret").as_uri(), "http://127.0.0.1:9/x"):
        external = f'<!DOCTYPE urlset [<!ENTITY x SYSTEM "{system}">]>{URLSET}<url><loc>/&x;</loc></url></urlset>'
        assert "document type" in why_no_feed(external)
        assert "document type" in why_no_feed(f'<!DOCTYPE urlset SYSTEM "{system}">{URLSET}</urlset>')


OPEN = json_feed().removesuffix(b"]}")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (OPEN + b"[" * 400_000 + b"]" * 400_000 + b"]}", "nested too deeply"),
        (OPEN + b'{"a":' * 400_000, "nested too deeply"),
        (OPEN + b",".join([b"{}"] * 1_000_000) + b"]}", "objects and lists"),
        ((URLSET + "<url>" * 1_000_000).encode(), "nested deeper"),
        ((URLSET + "<a/>" * 1_100_000 + "</urlset>").encode(), "more than 1000000"),
        ((URLSET + "<url><loc>" + "&" * 1_000_000).encode(), "cannot be read"),
    ],
    ids=["lists", "objects", "a million objects", "elements in elements", "a million elements", "ampersands"],
)
def test_what_is_too_large_or_too_deep_is_no_feed(body: bytes, detail: str) -> None:
    assert detail in why_no_feed(body)


def test_huge_numbers_cost_nothing() -> None:
    huge = (
        b'{"url": "/a", "id": ' + b"9" * 1_000_000 + b', "title": ' + b"9" * 5000 + b', "_x": [1e999999999, -Infinity]}'
    )
    ((entry,), _) = read(OPEN + huge + b"]}")
    assert (entry.url, entry.title) == ("https://news.example/a", "")


def test_of_many_items_the_first_and_of_many_pages_the_newest_are_read() -> None:
    entries, _ = read(json_feed(*({"url": f"/{n}"} for n in range(MAX_ENTRIES + 10))))
    assert [e.url.rpartition("/")[2] for e in entries] == [str(n) for n in range(MAX_ENTRIES)]
    first = datetime(2015, 1, 1, tzinfo=UTC)
    days = [(first + timedelta(days=n)).date().isoformat() for n in range(MAX_ENTRIES + 10)]
    entries, _ = read(sitemap("<loc>/undated</loc>", *(f"<loc>/{day}</loc><lastmod>{day}</lastmod>" for day in days)))
    assert [e.url.rpartition("/")[2] for e in entries] == days[10:]
    assert [e.position for e in entries] == list(range(MAX_ENTRIES))
    entries, _ = read(sitemap(*["<loc>/a</loc>"] * 100_000))
    assert len(entries) == MAX_ENTRIES


def test_both_are_polled_as_other_feeds_are() -> None:
    with serve_web() as web:
        web.page("/feed.json", json_feed({"url": "/a"}).decode(), kind="application/feed+json", etag='"1"')
        web.page("/sitemap.xml", NEWS, kind="application/xml")
        web.page("/index.xml", "<sitemapindex/>", kind="application/xml")
        feeds = [
            Feed(feed_id=path, url=f"{web.url}{path}", outlet="H", country="KE", bloc="global_south", language="en",
                 ownership="private", kind="news")
            for path in ("/feed.json", "/sitemap.xml", "/index.xml")
        ]  # fmt: skip
        settings = Settings(allow_hosts=[web.host])
        polls = poll_feeds(settings, [(feed, Validators()) for feed in feeds])
    assert [len(poll.entries) for poll in polls] == [1, 3, 0]
    assert [len(poll.refused) for poll in polls] == [0, 1, 0]
    assert polls[0].validators.etag == '"1"'
    assert polls[2].error is not None
    assert polls[2].error.startswith("not_a_feed: a sitemap index")

"""Bytes that are made to break parsers: feeds, sitemaps and pages, by hand and by mutation.

None of these has a time limit. What used to hang, or to take gigabytes, would hang the test.
"""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Rejected
from pipeline.extract import extract
from pipeline.page_bounds import MAX_TAGS, MAX_WORDS
from pipeline.poll import read_feed
from pipeline.records import Document, Entry
from pipeline.robots_rules import read_rules
from tests.support.hostile import laughs

NOW = datetime(2025, 8, 1, tzinfo=UTC)
TEXT = (
    "Delegates from forty countries met by the lake to ask who should write the rules for artificial intelligence. "
    "The chair proposed a body that is open to all, and said that no country should be left outside the room. "
)
ARTICLE = f"<article><h1>By the lake</h1>{f'<p>{TEXT}</p>' * 4}</article>"


def read(body: bytes) -> list[Entry]:
    return read_feed(body, "f", "https://news.example/feed", NOW)[0]


def rss(inside: str = "", head: str = "", attributes: str = "") -> bytes:
    item = f"<item><title>A talk</title><link>/a</link>{inside}</item>"
    return f'{head}<rss version="2.0"{attributes}><channel>{item}</channel></rss>'.encode()


def refusal(body: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        read(body)
    assert caught.value.reason == "not_a_feed"
    return caught.value.detail


N = 300_000  # characters: enough for a quadratic search to take minutes


@pytest.mark.parametrize("body", [
    rss(f"<author>{'a' * N}</author>"), rss(f"<dc:creator>{'a.' * N}</dc:creator>", attributes=' xmlns:dc="http://purl.org/dc/elements/1.1/"'),
    rss("".join(f"<category>{n}</category>" for n in range(N // 20))),
    rss(f"<media:keywords>{','.join(map(str, range(N // 6)))}</media:keywords>", attributes=' xmlns:media="http://search.yahoo.com/mrss/"'),
    rss(f"<description>{'encoding=&quot;&quot; ' * 9_999}</description>", head='<?xml version="1.0"?>'), rss('encoding="" ' * 9_999),
    rss(f"<description>{'<!-- a --' * (N // 10)}</description>"), rss(f"<description><![CDATA[{'<!--' * (N // 4)}]]></description>"),
    rss(f"<pubDate>{'1 ' * N}</pubDate>"), rss(f"<description>{'&amp;a' * (N // 6)}</description>"), rss("<a>" * 10_000 + "</a>" * 10_000),
    rss("<link href='a'/>" * 10_000), rss("&nbsp;" * 10_000 + "<b>" * 10_000), rss("\0" * N), rss("<" * 20_000), rss("<a " * 20_000),
], ids=["author", "creator", "categories", "keywords", "encoding", "encoding in text", "comments", "comments in CDATA", "date",
        "entities", "deep", "links", "tag soup", "NULs", "brackets", "half tags"])  # fmt: skip
def test_what_is_quadratic_elsewhere_is_read(body: bytes) -> None:
    assert [entry.url for entry in read(body)] == ["https://news.example/a"]


BEYOND: dict[str, tuple[bytes, str]] = {
    "billion laughs": (rss("&l9;", head=laughs()), "defines entities"),
    "in UTF-16": (rss("&l9;", head=laughs()).decode().encode("utf-16"), "defines entities"),
    "in UTF-16 without a mark": (rss("&l9;", head=laughs()).decode().encode("utf-16-le"), "defines entities"),
    "quadratic entities": (rss("&a;" * 99_999, head=f'<!DOCTYPE rss [<!ENTITY a "{"a" * 5_000}">]>'), "defines entities"),
    "an entity of entities": (rss("&a;", head="<!DOCTYPE rss [<!ENTITY % p \"&#60;!ENTITY a 'xx'>\"> %p;]>"), "defines entities"),
    "entities below a long comment": (rss("&a;", head=f'<!-- <a --><!-- {"x" * 9_999} -->\n<!DOCTYPE rss [<!ENTITY a "x">]>'), "defines"),
    "entities below a broken type": (rss("&a;", head='<!DOCTYPE a b c>\n<!DOCTYPE rss [<!ENTITY a "x">]>'), "defines"),
    "attributes for all": (rss(head=f'<!DOCTYPE rss [<!ATTLIST item a CDATA "{"a" * 5_000}">]>'), "defines attributes"),
    "lines before the root": (rss(head='<?xml version="1.0"?>' + "\n" * N), "no element in the first"),
    "a long prolog": (rss(head=f'<?xml version="1.0"?><!-- {"x" * 9_999} -->'), "no element in the first"),
    "tags": (rss("<a/>" * 400_001), "tags"),
    "attributes": (rss("<a " + " ".join(f'a{n}="1"' for n in range(9_999)) + "/>"), "attributes"),
    "namespaces": (rss("".join(f'<a xmlns:n{n}="u{n}"/>' for n in range(999))), "namespaces"),
    "a long base": (rss(attributes=f' xml:base="http://news.example/{"a" * N}"'), "xml:base"),
    "bases that add up": (rss('<a xml:base="aaaaaaaaa/">' * 999 + "</a>" * 999), "xml:base"),
    "long and malformed": (rss("&nbsp;" + "text " * 700_000), "not well-formed"),
    "a sitemap with entities": (f"{laughs().replace('DOCTYPE rss', 'DOCTYPE urlset')}<urlset><url><loc>&l9;</loc></url></urlset>".encode(), ""),
    "a sitemap that is deep": (b"<urlset>" + b"<url>" * 10_000, ""),
    "a sitemap of nothing": (b"<urlset>" + b"<a/>" * 1_100_000, ""),
    "a name of a file": (b"/etc/hostname", ""), "a device": (b"/dev/zero", ""), "an address": (b"http://127.0.0.1:1/feed", ""),
    "nested JSON": (b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 400_000, ""),
    "a number of JSON": (b'{"version":' + b"9" * 1_000_000 + b"}", ""),
    "gzip": (gzip.compress(b"\0" * 10_000_000), ""),
}  # fmt: skip


@pytest.mark.parametrize(("body", "why"), BEYOND.values(), ids=BEYOND)
def test_what_is_beyond_a_bound_is_no_feed(body: bytes, why: str) -> None:
    assert why in refusal(body)


def test_what_is_no_character_costs_itself_alone() -> None:
    odd = "&#0;&#xd800;&#x110000;&#99999999999;&#" + "9" * 5_000 + ";&nbsp;\0"
    (entry,) = read(rss().replace(b"A talk", b"A talk " + odd.encode()))
    assert entry.title.startswith("A talk \ufffd\ufffd\ufffd\ufffd")
    assert "\0" not in entry.title
    (hidden,) = read(rss().replace(b"<title>A talk", b'<title mode="base64" type="application/octet-stream">QQBi'))
    assert hidden.title == "A\ufffdb"


def test_an_entity_that_is_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("https://news.example/secret")
    for kind in (f'SYSTEM "{secret.as_uri()}"', f'PUBLIC "x" "{secret.as_uri()}"'):
        head = f"<!DOCTYPE rss [<!ENTITY a {kind}>]>"
        (entry,) = read(rss("<guid>&a;</guid>", head=head).replace(b"A talk", b"A talk &a;"))
        assert "secret" not in entry.title
    assert read(rss(head='<!DOCTYPE rss [<!ENTITY % x PUBLIC "-//X" "http://127.0.0.1:1/x.ent"> %x;]>'))


@pytest.mark.parametrize(
    "charset",
    ["utf-7", "punycode", "idna", "unicode_escape", "raw_unicode_escape", "rot13", "zip", "base64", "x", "undefined"],
)
def test_a_charset_that_no_feed_should_have_is_not_used(charset: str) -> None:
    body = rss(f"<description>{'a-' * N} \\x3c +ADw-</description>", head=f'<?xml version="1.0" encoding="{charset}"?>')
    assert [entry.title for entry in read(body)] == ["A talk"]


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1251", "gb2312", "shift_jis", "big5"]
)
def test_a_charset_is_read_as_it_is_shown_or_named(charset: str) -> None:
    title = {"windows-1251": "Переговоры", "big5": "會談", "shift_jis": "会談"}.get(charset, "会谈")
    said = charset.removesuffix("-le").removesuffix("-be")
    body = rss(head=f'<?xml version="1.0" encoding="{said}"?>').decode().replace("A talk", title)
    assert [entry.title for entry in read(body.encode(charset))] == [title]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://news.example/a", "gopher://a.example/1",
                                  "http://[", "http://news.example:99999/", "//", "https:///", "\0", "会" * 700, "http://a.example/" + "a" * 3_000])  # fmt: skip
def test_a_link_that_leads_to_no_page_is_a_rejection(link: str) -> None:
    escaped = link.replace("\0", "&#0;")
    body = json.dumps(
        {"version": "https://jsonfeed.org/version/1", "items": [{"url": link, "title": "A talk"}]}
    ).encode()
    for feed in (rss().replace(b"/a<", escaped.encode() + b"<"), body):
        entries, refused = read_feed(feed, "f", "https://news.example/feed", NOW)
        assert len(entries) + len(refused) == 1
        assert all(entry.url.startswith("https://news.example/") and len(entry.url) <= 2_000 for entry in entries)
        assert all(why.reason == "no_link" for _, why in refused)


def test_a_feed_at_the_bound_takes_bounded_memory() -> None:
    body = rss("<link href='a'/>" * 20_000, attributes=f' xml:base="http://news.example/{"a" * 250}"')
    tracemalloc.start()
    try:
        assert read(body)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def page(body: str | bytes) -> Document:
    return extract(
        body if isinstance(body, bytes) else f"<!doctype html><html>{body}".encode(), "https://news.example/a"
    )


def outcome(body: str | bytes) -> str:
    found = page(body)
    return found.rejection.reason if found.rejection else "loaded"


PAGES: dict[str, tuple[Callable[[], str | bytes], tuple[str, ...]]] = {
    "10,000 deep": (lambda: "<div>" * 10_000 + ARTICLE + "</div>" * 10_000, ("too_deep", "no_article")),
    "10,000 deep inside": (lambda: ARTICLE + "<b>" * 10_000 + "x", ("too_deep", "loaded")),
    "many tags": (lambda: ARTICLE + "<p>" * MAX_TAGS, ("too_large",)),
    "a million attributes": (lambda: f"<p {' '.join(f'a{n}=1' for n in range(1_000_000))}>{ARTICLE}", ("too_large",)),
    "a million bare attributes": (lambda: f"<p {' '.join(f'a{n}' for n in range(1_000_000))}>{ARTICLE}", ("too_large",)),
    "attributes in quotes": (lambda: f"""<p {' '.join(f"a{n}='>'" for n in range(MAX_WORDS + 9))}>{ARTICLE}""", ("too_large",)),
    "a huge attribute": (lambda: f"<p title='{'x' * 9_000_000}'>{ARTICLE}", ("loaded", "not_html", "no_article")),
    "quadratic comments": (lambda: ARTICLE + "<!-- a --" * 90_000, ("loaded",)),
    "comments": (lambda: ARTICLE + "<!--a-->" * 90_000, ("loaded",)),
    "half tags": (lambda: ARTICLE + "<a " * 90_000, ("loaded", "too_large")),
    "tables in tables": (lambda: ARTICLE + "<table><tr><td>" * 30_000, ("too_deep", "loaded")),
    "NULs": (lambda: "\0" * 1_000_000 + ARTICLE + "\0" * 1_000_000, ("loaded", "not_html", "no_article")),
    "NULs in words": (lambda: ARTICLE.replace(" ", "\0 "), ("loaded", "no_article")),
    "nested JSON-LD": (lambda: f"<script type='application/ld+json'>{'[' * 1_000_000}</script>{ARTICLE}", ("loaded",)),
    "gzip": (lambda: gzip.compress(b"\0" * 100_000_000), ("not_html", "no_article", "extractor_failed")),
    "entities": (lambda: f"{laughs()}{ARTICLE}&l9;", ("loaded",)),
    "UTF-7": (lambda: ("<meta charset=utf-7>" + ARTICLE).encode("utf-7"), ("loaded", "no_article", "not_html")),
    "UTF-16 without a mark": (lambda: f"<html>{ARTICLE}</html>".encode("utf-16-le"), ("loaded", "no_article", "not_html")),
    "a lie of a charset": (lambda: ("<!doctype html><html><meta charset=punycode>" + ARTICLE).encode("latin-1"), ("loaded",)),
    "a long title": (lambda: f"<title>{'x - | ' * 100_000}</title>{ARTICLE}", ("loaded",)),
    "a long canonical": (lambda: f"<link rel=canonical href='{'../' * 300_000}'>{ARTICLE}", ("loaded",)),
    "a long date": (lambda: f"<meta property='article:published_time' content='{'2025-' * 200_000}'>{ARTICLE}", ("loaded",)),
    "a long author": (lambda: f"<meta name=author content='{'by_a_' * 200_000}'>{ARTICLE}", ("loaded",)),
    "10 MB of text": (lambda: ARTICLE + "word " * 2_000_000, ("loaded", "no_article")),
}  # fmt: skip


@pytest.mark.parametrize(("made", "expected"), PAGES.values(), ids=PAGES)
def test_a_page_is_a_document_or_a_rejection(made: Callable[[], str | bytes], expected: tuple[str, ...]) -> None:
    assert outcome(made()) in expected


def test_a_page_cannot_bring_a_script_or_a_control_character_into_a_title() -> None:
    found = page(f"<title>a\x00\x07\x1b[31m</title><meta property='og:title' content='b&#0;&#27;[0m'>{ARTICLE}")
    assert not [char for char in found.title + found.text if char < " " and char not in "\n\t"]


SEEDS = [
    rss("<pubDate>Sat, 26 Jul 2025 10:00:00 +0800</pubDate><author>a@b.example (Ada)</author><category>x</category>",
        '<?xml version="1.0" encoding="utf-8"?>'),
    (b'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://news.example/"><entry><title type="xhtml"><div>A <b>talk</b></div></title>'
    b'<link href="a"/><id>urn:1</id><updated>2025-07-26T10:00:00Z</updated><content type="html">&lt;p&gt;x</content></entry></feed>'),
    (b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><item rdf:about="/a"><title>A</title>'
    b"<link>/a</link></item></rdf:RDF>"),
    b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"/a","title":"A","date_published":"2025-07-26T10:00:00Z"}]}',
    b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>/a</loc><lastmod>2025-07-26</lastmod></url></urlset>',
    f"<!DOCTYPE html><html lang=en><head><title>A</title><link rel=canonical href=/a><script type='application/ld+json'>"
    f'{{"@type":"NewsArticle","headline":"A","datePublished":"2025-07-26","author":[{{"name":"Ada"}}]}}</script></head>{ARTICLE}</html>'.encode(),
    b"User-agent: *\nAllow: /a*b$\nDisallow: /\nCrawl-delay: 5\nSitemap: /s.xml\n",
]  # fmt: skip
BITS = [b"<", b">", b"</", b"/>", b"&", b"&#0;", b"&#x110000;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<!DOCTYPE a [", b'<!ENTITY a "b">', b"<?xml", b"\0",
        b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"'", b"{", b"[", b"null", b"1e999", b"-1", b"NaN", b"\\ud800", b"http://[", b"//", b"xml:base='['",
        b" xmlns='x'", b"type='base64'", b"mode='base64'", b"9999-99-99", b"0001-01-01T00:00:00+14:00", b"\r", b"\xe2\x80\xa8", b"*", b"$", b"#"]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A seed with pieces cut out, doubled, put in, or a byte changed."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start, end = sorted(draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
        piece = draw(st.sampled_from([b"", body[start:end] * 2, *BITS]) | st.binary(max_size=4))
        body = body[:start] + piece + body[draw(st.sampled_from([start, start + 1, end])) :]
    return body


@given(mutated())
@settings(deadline=None, max_examples=400)
def test_of_a_mutated_feed_entries_come_or_rejected(body: bytes) -> None:
    try:
        entries, refused = read_feed(body, "f", "https://news.example/feed", NOW)
    except Rejected as error:
        assert error.reason in ("not_a_feed", "bad_encoding", "too_large")  # noqa: PT017 - what else may come out is the question
        return
    for entry in entries:
        assert entry.url.startswith(("http://", "https://"))
    assert all(why.stage == "poll" for _, why in refused)
    for entry in [*entries, *(entry for entry, _ in refused)]:
        assert "\0" not in entry.title + entry.entry_id
        entry.title.encode()


@given(mutated())
@settings(deadline=None, max_examples=150)
def test_of_a_mutated_page_a_document_comes(body: bytes) -> None:
    found = page(body)
    (found.title + found.text + "".join(found.authors)).encode()
    assert found.rejection is None or found.rejection.reason in (
        "not_html",
        "no_article",
        "too_deep",
        "index_page",
        "too_large",
    )


@given(mutated())
@settings(deadline=None, max_examples=150)
def test_of_a_mutated_robots_file_an_answer_comes(body: bytes) -> None:
    rules = read_rules(body.decode("utf-8", "replace"), "Stancewatch")
    assert rules.can_fetch("https://news.example/a", "Stancewatch") in (True, False)
    assert (rules.crawl_delay("Stancewatch") or 0) >= 0

"""Servers that misbehave, on loopback: each ends as one error with its reason, within limits, after few bytes."""

from __future__ import annotations

import gc
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from pipeline.errors import ItemError
from pipeline.records import Feed, Page, Validators
from pipeline.robots_rules import read_rules
from pipeline.settings import Settings
from tests.support import hostile
from tests.support.hostile import CHUNKED, HEAD, OPEN, dripping, forever, huge, redirect, says
from tests.support.network import fetch_pages, poll_feeds
from tests.support.raw import RawWeb, Script, answer, serve_raw

LIMIT = 200_000  # max_body of these tests
BUFFERED = 8_000_000  # what the sockets of both sides may have taken before the server notices


@pytest.fixture
def web() -> Iterator[RawWeb]:
    with serve_raw() as served:
        yield served


def fetch(*urls: str, **chosen: object) -> list[Page | ItemError]:
    hosts = {url.split("/")[2] for url in urls}
    settings = Settings(**{"allow_hosts": [*hosts], "request_timeout": 20, "max_body": LIMIT, **chosen})  # type: ignore[arg-type]
    return fetch_pages(settings, urls)


def reason(web: RawWeb, script: Script, **chosen: object) -> str:
    """Fetch a page that the script answers, beside a good one of the same host; return why there is none."""
    web.scripts.update({"/bad": script, "/good": answer(b"<p>text</p>")})
    bad, good = fetch(f"{web.url}/bad", f"{web.url}/good", **chosen)
    assert isinstance(good, Page)
    assert isinstance(bad, ItemError)
    assert web.sent["/bad"] < LIMIT + BUFFERED
    return bad.reason


SLOW = {
    "says nothing": hostile.silent,
    "drips a status line": dripping(b"HT"),
    "drips headers": dripping(HEAD + b"x-a: "),
    "drips a body": dripping(OPEN),
    "drips chunks": dripping(CHUNKED, b"1\r\nx\r\n"),
    "drips interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "stops in the middle": says(HEAD + b"content-length: 100\r\n\r\nhalf", 60.0),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_a_slow_server_has_its_time_and_no_more(web: RawWeb, script: Script) -> None:
    assert reason(web, script, request_timeout=1.5) == "timeout"


def test_the_first_byte_has_a_limit_of_its_own(web: RawWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.http.FIRST_BYTE", 0.5)
    web.scripts["/bad"] = hostile.silent
    (bad,) = fetch(f"{web.url}/bad", request_timeout=3_600)
    assert isinstance(bad, ItemError)
    assert (bad.reason, bad.detail) == ("timeout", "ReadTimeout")


BODIES = {
    "an endless body": (forever(OPEN, b"<p>more</p>" * 1_000), "too_large"),
    "endless chunks": (forever(CHUNKED, b"1000\r\n" + b"x" * 4_096 + b"\r\n"), "too_large"),
    "a page of 100 MB": (huge(100_000_000), "too_large"),
    "a gzip bomb": (answer(hostile.gzip_bomb(), "content-encoding: gzip"), "too_large"),
    "a deflate bomb": (answer(zlib.compress(b"\0" * 100_000_000), "content-encoding: deflate"), "too_large"),
    "an endless gzip": (hostile.endless_gzip, "too_large"),
    "gzip with an endless rest": (forever(HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"x"), b"\0" * 9_999), "too_large"),
    "gzip that ends early": (answer(gzip.compress(b"text" * 99)[:-9], "content-encoding: gzip"), "bad_encoding"),
    "gzip that is none": (answer(b"<p>text</p>", "content-encoding: gzip"), "bad_encoding"),
    "gzip of gzip": (answer(gzip.compress(gzip.compress(b"x")), "content-encoding: gzip, gzip"), "bad_encoding"),
    "gzip named twice": (answer(gzip.compress(b"x"), "content-encoding: gzip", "content-encoding: gzip"), "bad_encoding"),
    "brotli unasked": (answer(b"\x0b\x02\x80text\x03", "content-encoding: br"), "bad_encoding"),
    "zstd unasked": (answer(b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00x", "content-encoding: zstd"), "bad_encoding"),
    "compress unasked": (answer(b"\x1f\x9d\x90", "content-encoding: compress"), "bad_encoding"),
    "a gzip transfer": (says(HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "network"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), BODIES.values(), ids=BODIES)
def test_a_body_is_bounded_before_and_after_decompression(web: RawWeb, script: Script, expected: str) -> None:
    assert reason(web, script) == expected


def test_what_decompression_takes_is_bounded_too(web: RawWeb) -> None:
    web.scripts["/bad"] = answer(hostile.gzip_bomb(), "content-encoding: gzip")
    tracemalloc.start()
    try:
        fetch(f"{web.url}/bad")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


FRAMES = {
    "a body that is shorter than said": says(HEAD + b"content-length: 100\r\n\r\nshort"),
    "two lengths": says(HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nshort!"),
    "a negative length": says(HEAD + b"content-length: -5\r\n\r\nshort"),
    "a length in words": says(HEAD + b"content-length: five\r\n\r\nshort"),
    "a chunk size in words": says(CHUNKED + b"five\r\nshort\r\n0\r\n\r\n"),
    "a chunk without an end": says(CHUNKED + b"5\r\nshortest\r\n0\r\n\r\n"),
    "a chunk of endless size": forever(CHUNKED, b"f" * 9_999),
    "a chunk of 2**80 bytes": says(CHUNKED + b"f" * 20 + b"\r\nshort"),
    "chunks without a last": says(CHUNKED + b"5\r\nshort\r\n"),
    "an endless chunk extension": forever(CHUNKED + b"5;", b"a" * 9_999),
    "endless trailers": forever(CHUNKED + b"0\r\n", b"x-a: b\r\n" * 999),
    "300 KB of headers": says(HEAD + b"x-a: " + b"a" * 300_000 + b"\r\n\r\ntext"),
    "endless headers": forever(HEAD, b"x-a: b\r\n" * 999),
    "a header without an end": forever(HEAD + b"x-a: ", b"a" * 9_999),
    "a NUL in a header": says(HEAD + b"x-a: a\0b\r\n\r\ntext"),
    "no HTTP": says(b"SSH-2.0-OpenSSH\r\n"),
    "a page without a head": says(b"<p>text</p>"),
    "a status of four digits": says(b"HTTP/1.1 2000 OK\r\n\r\ntext"),
    "another protocol": says(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n"),
    "nothing": says(),
    "a reset at once": says(None),
    "a reset in the head": says(HEAD, None),
    "a reset in the body": says(HEAD + b"content-length: 100\r\n\r\nhalf", None),
    "a reset in a chunk": says(CHUNKED + b"5\r\nsh", None),
}


@pytest.mark.parametrize("script", FRAMES.values(), ids=FRAMES)
def test_a_broken_answer_is_worth_another_try(web: RawWeb, script: Script) -> None:
    assert reason(web, script) == "network"


def test_headers_are_counted(web: RawWeb) -> None:
    assert reason(web, says(HEAD + b"a:b\r\n" * 5_000 + b"\r\ntext")) == "too_many_headers"


def test_a_flood_of_interim_answers_is_cut(web: RawWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.http.WIRE_OVERHEAD", 20_000)
    assert reason(web, forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), max_body=20_000) == "too_large"


def test_a_body_in_too_many_pieces_is_cut(web: RawWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.body.MAX_PIECES", 5_000)
    assert reason(web, hostile.many_chunks) == "too_large"


STATUSES = {
    "204 None": "http_204", "206 Partial": "http_206", "226 IM": "http_226", "300 Choices": "http_300",
    "304 Not Modified": "http_304", "402 Pay": "http_402", "451 Legal": "http_451", "511 Log in": "http_511", "599 Odd": "http_599",
    "600 Odd": "http_600", "999 No": "http_999",
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES.items(), ids=STATUSES)
def test_an_odd_status_is_named(web: RawWeb, status: str, expected: str) -> None:
    assert (
        reason(web, says(f"HTTP/1.1 {status}\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext".encode()))
        == expected
    )


def test_a_body_that_is_longer_than_said_is_cut_there(web: RawWeb) -> None:
    web.scripts["/long"] = says(HEAD + b"content-length: 11\r\n\r\n<p>text</p>" + b"HTTP/1.1 200 OK\r\n\r\nmore" * 99)
    (page,) = fetch(f"{web.url}/long")
    assert isinstance(page, Page)
    assert page.body == b"<p>text</p>"


TARGETS = [
    "file:///etc/passwd", "data:text/html,x", "ftp://news.example/a", "javascript:alert(1)", "gopher://news.example/1", "mailto:a@b.example",
    "view-source:http://news.example/", "http://", "http:///a", "http://[", "http://[::1", "http://news.example:99999/",
    "http://news.example:port/", "//", "", " ", "http://news.example/" + "a" * 3_000, "http://news.example/" + "%C3" * 1_500,
    "http://" + "a" * 300 + ".example/", "http://news..example/", "http://\xff\xfe/",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_a_redirect_to_what_is_no_page_is_refused(web: RawWeb, target: str) -> None:
    head = f"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nconnection: close\r\nlocation: {target}\r\n\r\n"
    assert reason(web, says(head.encode("latin-1"))) in (
        "bad_redirect",
        "bad_url",
        "network",
        "robots_unreachable",  # of the host that the redirect names: it is asked before every hop
        "too_many_redirects",
        "http_404",
    )


def test_redirects_end(web: RawWeb) -> None:
    web.scripts.update({"/a": redirect("/b"), "/b": redirect("/a"), "/nowhere": answer(b"", status="302 Found")})
    web.scripts.update({f"/{n}": redirect(f"/{n + 1}") for n in range(50)})
    found = fetch(f"{web.url}/a", f"{web.url}/0", f"{web.url}/nowhere")
    assert [getattr(one, "reason", "") for one in found] == ["too_many_redirects", "too_many_redirects", "bad_redirect"]
    assert sum(web.hits.values()) < 30


def test_credentials_of_a_redirect_are_not_sent(web: RawWeb) -> None:
    web.scripts.update({"/a": redirect(f"http://user:secret@{web.host}/b#part"), "/b": answer(b"<p>text</p>")})
    (page,) = fetch(f"{web.url}/a")
    assert isinstance(page, Page)
    assert page.url == f"{web.url}/b"


def certified(tmp_path: Path, name: str, days: int) -> tuple[ssl.SSLContext, Path]:
    """Return a server's certificate and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    authority.issue_cert(name, not_before=now - timedelta(days=9), not_after=now + timedelta(days=days)).configure_cert(
        context
    )
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return context, tmp_path / "authority.pem"


@pytest.mark.parametrize(("name", "days", "known", "expected"), [
    ("127.0.0.1", 9, True, None), ("127.0.0.1", 9, False, "unable to get local issuer"),
    ("other.example", 9, True, "not valid for"), ("127.0.0.1", -1, True, "expired"),
], ids=["valid", "of nobody we know", "of another host", "expired"])  # fmt: skip
def test_a_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int, known: bool, expected: str | None
) -> None:
    context, authority = certified(tmp_path, name, days)
    if known:
        monkeypatch.setattr("pipeline.connections.certifi.where", lambda: str(authority))
    with serve_raw(context) as web:
        web.scripts["/a"] = answer(b"<p>secret</p>")
        (found,) = fetch(f"{web.url}/a")
        assert (web.hits["/a"] == 0) is bool(expected)
    if expected is None:
        assert isinstance(found, Page)
    else:
        assert isinstance(found, ItemError)
        assert found.reason == "robots_unreachable"
        assert "tls" in found.detail
        assert expected in found.detail


def test_tls_and_plain_do_not_meet(web: RawWeb, tmp_path: Path) -> None:
    context, _ = certified(tmp_path, "127.0.0.1", 9)
    with serve_raw(context) as secure:
        found = fetch(f"https://{web.host}/a", f"http://{secure.host}/a", request_timeout=3)
        gc.collect()  # warns of a connection that was left open, and warnings are errors
    assert {getattr(one, "reason", "page") for one in found} == {"robots_unreachable"}


ROBOTS = {
    "100 MB": huge(100_000_000), "endless": forever(OPEN, b"Disallow: /x\n" * 999), "a bomb": answer(hostile.gzip_bomb(), "content-encoding: gzip"),
    "a loop": redirect("/robots.txt"), "a drip": dripping(OPEN), "a redirect to a file": redirect("file:///etc/passwd"),
    "nothing": says(), "binary": answer(bytes(range(256)) * 999),
}  # fmt: skip


@pytest.mark.parametrize("script", ROBOTS.values(), ids=ROBOTS)
def test_a_robots_file_of_any_kind_ends_in_an_outcome(web: RawWeb, script: Script) -> None:
    web.scripts.update({"/robots.txt": script, "*": answer(b"<p>text</p>")})
    with serve_raw() as other:
        other.scripts["*"] = answer(b"<p>text</p>")
        *found, good = fetch(f"{web.url}/a", f"{web.url}/b", f"{other.url}/a", request_timeout=2)
    assert isinstance(good, Page)
    assert all(isinstance(one, Page | ItemError) for one in found)
    assert web.sent["/robots.txt"] < 20 * LIMIT + BUFFERED


def test_a_robots_file_of_many_agents_costs_no_memory() -> None:
    text = (
        "".join(f"User-agent: a{n}\nUser-agent: {'*' * (n % 50)}stance\n" for n in range(8_000))
        + "Disallow: /*a\n" * 8_000
    )
    tracemalloc.start()
    try:
        rules = read_rules(text, "Stancewatch")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert rules.can_fetch("https://news.example/b", "Stancewatch")


def test_rules_for_us_are_those_of_the_file() -> None:
    text = (
        "User-agent: other\nUser-Agent : stancewatch # us\nDisallow: /a\nCrawl-delay: 7\n\n"
        "User-agent: *\nDisallow: /b\n\nuser-agent: third\nDisallow: /\n"
    )
    rules = read_rules(text, "Stancewatch")
    allowed = [rules.can_fetch(f"https://news.example/{path}", "Stancewatch") for path in "abc"]
    assert allowed == [False, True, True]
    assert rules.crawl_delay("Stancewatch") == 7
    assert not read_rules("User-agent: *\nDisallow: /b", "Stancewatch").can_fetch(
        "https://news.example/b", "Stancewatch"
    )


def test_a_hostile_feed_is_a_poll_error_and_the_others_are_read(web: RawWeb) -> None:
    good = b"<rss version='2.0'><channel><item><title>t</title><link>/a</link></item></channel></rss>"
    scripts = {
        "/endless": forever(OPEN, b"<item/>" * 999), "/big": huge(100_000_000), "/drip": dripping(OPEN), "/loop": redirect("/loop"),
        "/bomb": answer(hostile.gzip_bomb(good), "content-encoding: gzip"), "/reset": says(HEAD, None), "/file": redirect("file:///etc/passwd"),
        "/laughs": answer(hostile.laughs().encode() + good), "/partial": answer(good, status="206 Partial"),
        "/empty": answer(b"", status="204 None"), "/zero": answer(b"/dev/zero"), "/good": answer(good),
    }  # fmt: skip
    web.scripts.update(scripts)
    settings = Settings(allow_hosts=[web.host], request_timeout=3, max_body=LIMIT)
    polls = poll_feeds(settings, [(feed(f"{web.url}{path}"), Validators()) for path in scripts])
    said = {poll.feed_id.rpartition("/")[2]: (poll.error or "").partition(":")[0] for poll in polls}
    for name in ("endless", "big", "bomb"):
        assert said.pop(name) in ("too_large", "host_down")
    assert said.pop("drip") in ("timeout", "host_down")
    assert {name: why for name, why in said.items() if why != "host_down"} == {
        "loop": "too_many_redirects", "reset": "network", "file": "bad_redirect", "laughs": "not_a_feed", "partial": "http_206",
        "empty": "not_a_feed", "zero": "not_a_feed", "good": "",
    }  # fmt: skip
    assert all(poll.validators == Validators() for poll in polls if poll.error)


def feed(url: str) -> Feed:
    return Feed(
        feed_id=url,
        url=url,
        outlet="H",
        country="KE",
        bloc="global_south",
        language="en",
        ownership="private",
        kind="news",
    )

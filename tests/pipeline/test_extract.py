"""Extraction on pages written for these tests."""

from __future__ import annotations

import json

import pytest

from pipeline.extract import extract

TEXT = (
    "Delegates from forty countries met by the lake to ask who should write the rules for artificial intelligence. "
    "The chair proposed a body that is open to all, and said that no country should be left outside the room."
)


def page(body: str, head: str = "", lang: str = "en") -> bytes:
    return f"<!doctype html><html lang='{lang}'><head>{head}</head><body>{body}</body></html>".encode()


def article(paragraphs: int = 4) -> str:
    return "<article><h1>By the lake</h1>" + f"<p>{TEXT}</p>" * paragraphs + "</article><footer>All rights</footer>"


def test_structured_data_comes_first() -> None:
    said = {
        "@context": "https://schema.org", "@graph": [{"@type": "NewsArticle", "headline": "By the lake, a bargain",
        "datePublished": "2025-07-26T10:00:00+08:00", "author": [{"name": "Ada Quill"}, {"name": "Bo Reed"}]}],
    }  # fmt: skip
    head = f"<link rel=canonical href='/a'><script type='application/ld+json'>{json.dumps(said)}</script>"
    found = extract(page(article(), head), "https://news.example/a?utm_source=x&page=2")
    assert found.rejection is None
    assert (found.title, found.authors) == ("By the lake, a bargain", ("Ada Quill", "Bo Reed"))
    assert (found.published_at, found.date_source) == ("2025-07-26T10:00:00+08:00", "jsonld")
    assert found.canonical_url == "https://news.example/a"
    assert found.lang == "en"
    assert TEXT[:60] in found.text
    assert "All rights" not in found.text


def test_a_page_cannot_take_over_another_outlets_document() -> None:
    for other in ("https://rival.example/a", "https://news.example/", "javascript:x", "http://["):
        found = extract(page(article(), f"<link rel=canonical href='{other}'>"), "https://news.example/b")
        assert found.canonical_url == "https://news.example/b"


def test_the_feeds_date_serves_where_the_page_has_none() -> None:
    found = extract(page(article()), "https://news.example/b", "2025-07-26T02:00:00Z")
    assert (found.published_at, found.date_source) == ("2025-07-26T02:00:00Z", "feed")


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "not_html"), (page("<p>Too little.</p>"), "no_article"),
    (b"<div>" * 20_000, "too_deep"), (b"\x00\x01\x02" * 50, "no_article"),
])  # fmt: skip
def test_what_is_no_article_says_why(body: bytes, reason: str) -> None:
    found = extract(body, "https://news.example/x")
    assert found.rejection is not None
    assert found.rejection.reason in (reason, "not_html")


def test_the_same_page_gives_the_same_text_every_time() -> None:
    body = page(article())
    first = extract(body, "https://news.example/a")
    assert all(extract(body, "https://news.example/a") == first for _ in range(6))


def test_chinese_says_as_much_in_fewer_characters() -> None:
    text = (
        "各国代表在湖边开会，讨论谁来制定人工智能的规则。主席建议成立一个向所有国家开放的机构，不让任何国家被排除在外。"
        * 3
    )
    found = extract(page(f"<article><h1>湖边</h1><p>{text}</p></article>", lang="zh"), "https://news.example/zh")
    assert found.rejection is None
    assert found.lang == "zh"


def test_a_parser_that_breaks_over_a_page_costs_that_page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("pipeline.extract.trafilatura.bare_extraction", broken)
    found = extract(page(article()), "https://news.example/a")
    assert found.rejection is not None
    assert (found.rejection.reason, found.rejection.detail) == ("extractor_failed", "RuntimeError: boom")


def said(**fields: object) -> str:
    item = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f"<script type='application/ld+json'>{json.dumps(item)}</script>"


@pytest.mark.parametrize(("head", "heading", "title"), [
    (("<meta property='og:title' content='A bargain by the lake | Harbour Ledger'>"
     "<meta property='og:site_name' content='Harbour Ledger'>"), "Lake", "A bargain by the lake"),
    ("<title>News - A bargain by the lake - Harbour</title>", "By the lake", "News - A bargain by the lake - Harbour"),
    ("<title>A bargain by the lake - Harbour</title>", "A bargain by the lake", "A bargain by the lake"),
    ("<meta property='og:title' content='&amp;#8216;Bargain&amp;#8217; by the lake'>", "Lake", "‘Bargain’ by the lake"),
    (said(headline="Part one - part two"), "Part one", "Part one - part two"),
])  # fmt: skip
def test_a_title_is_cut_only_where_the_page_proves_it(head: str, heading: str, title: str) -> None:
    found = extract(page(article().replace("By the lake", heading), head), "https://news.example/a")
    assert found.title == title


@pytest.mark.parametrize(("author", "names"), [
    ("By Ada Quill and Bo Reed", ("Ada Quill", "Bo Reed")), ("Ada Quill, Bo Reed", ("Ada Quill", "Bo Reed")),
    ("Ada Quill, PhD", ("Ada Quill, PhD",)), ("https://news.example/ada", ()), ("Ministry of Lakes", ("Ministry of Lakes",)),
])  # fmt: skip
def test_names_of_authors_are_told_apart(author: str, names: tuple[str, ...]) -> None:
    assert extract(page(article(), said(author={"name": author})), "https://news.example/a").authors == names


def test_an_author_may_be_an_item_elsewhere_on_the_page() -> None:
    graph = {
        "@graph": [
            {"@type": "Article", "author": {"@id": "#ada"}},
            {"@type": "Person", "@id": "#ada", "name": "Ada Quill"},
        ]
    }
    head = f"<script type='application/ld+json'>{json.dumps(graph)}</script>"
    assert extract(page(article(), head), "https://news.example/a").authors == ("Ada Quill",)


LINES = [
    f"Speaker number {n} from the delegation of country {n} asked for open rules and for time to read them."
    for n in range(8)
]
BODY = "".join(f"<p>{line}</p>" for line in LINES)


def test_links_to_other_pages_and_the_title_are_no_part_of_the_text() -> None:
    body = f"<article><h1>A bargain by the lake</h1>{BODY[:400]}</p><p>Read also: <a href='/b'>What the other lake said of this bargain</a></p>{BODY}</article>"
    text = extract(page(body), "https://news.example/a").text
    assert "other lake" not in text
    assert "A bargain by the lake" not in text
    assert all(line in text for line in LINES)


def test_a_lead_that_the_page_shows_outside_of_its_article_comes_first() -> None:
    lead = "Forty countries met by the lake, and none of them left before the rules were on the table."
    head = f"<meta name=description content='{lead}'>"
    shown = page(f"<div class=top><h1>Bargain</h1><p class=teaser>{lead}</p></div><article>{BODY}</article>", head)
    assert extract(shown, "https://news.example/a").text.splitlines()[0] == lead
    assert lead not in extract(page(f"<article>{BODY}</article>", head), "https://news.example/a").text


def test_a_body_that_the_page_carries_speaks_for_a_text_that_is_missing_half_of_it() -> None:
    found = extract(page(f"<div><p>{LINES[0]}</p></div>", said(articleBody="\n".join(LINES))), "https://news.example/a")
    assert found.text.splitlines() == LINES


COOKIE_WALL = (
    "<p>We use cookies to show you ads.</p><p>Cookies of our partners need your consent, and cookies may be refused "
    "later in the privacy settings of this page.</p><p>Accept all cookies or choose which tracking you allow here, "
    "and read our cookie policy for the names of everyone who may set cookies.</p>"
)


@pytest.mark.parametrize(("head", "body", "reason"), [
    (said(isAccessibleForFree="False"), f"<p>{LINES[0]}</p><p>{LINES[1]}</p><p>{LINES[2]}</p>", "paywall"),
    (said(**{"@type": "LiveBlogPosting"}), BODY, "live_blog"),
    ("<meta property='og:type' content='video.other'>", "".join(f"<p>{line}</p>" for line in LINES[:4]), "video_page"),
    ("", COOKIE_WALL, "cookie_wall"),
    ("", "<ul>" + "".join(f"<li><a href='/{n}'>{line}</a></li>" for n, line in enumerate(LINES)) + "</ul>", "index_page"),
])  # fmt: skip
def test_pages_that_are_no_articles_say_why_and_keep_their_text(head: str, body: str, reason: str) -> None:
    found = extract(page(body, head), "https://news.example/a")
    assert found.rejection is not None
    assert (found.rejection.reason, bool(found.rejection.detail)) == (reason, True)
    assert len(found.text) > 100


@pytest.mark.parametrize("head", [said(isAccessibleForFree=False), said(video={"@type": "VideoObject"}), ""])
def test_an_article_with_a_long_text_is_never_refused_for_what_surrounds_it(head: str) -> None:
    assert extract(page(f"<article>{BODY * 2}</article>", head), "https://news.example/a").rejection is None


@pytest.mark.parametrize(("written", "kept"), [
    ("2025-07-26T00:00:00+08:00", "2025-07-26"), ("2025-07-26 10:30:00 +0800", "2025-07-26T10:30:00+08:00"),
    ("2025-07-26", "2025-07-26"), ("2025-07-26T10:30:00Z", "2025-07-26T10:30:00+00:00"),
])  # fmt: skip
def test_a_date_is_as_precise_as_the_page_writes_it(written: str, kept: str) -> None:
    found = extract(page(article(), said(datePublished=written)), "https://news.example/a")
    assert (found.published_at, found.date_source) == (kept, "jsonld")

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

"""URLs: what is one article and what is two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.urls import normalise_url, registrable_domain, same_owner


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("HTTPS://News.Example.COM:443/a?utm_source=rss&id=7#top", "https://news.example.com/a?id=7"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com/a?fbclid=x", "http://example.com/a"),
        ("http://example.com/a?id=1&ref=2", "http://example.com/a?id=1&ref=2"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://例子.测试/新闻?p=1", "https://xn--fsqu00a.xn--0zwm56d/%E6%96%B0%E9%97%BB?p=1"),
        ("  https://example.com/a b ", "https://example.com/a%20b"),
    ],
)
def test_one_article_has_one_address(given_url: str, normal: str) -> None:
    assert normalise_url(given_url) == normal


def test_a_relative_link_needs_its_base() -> None:
    assert normalise_url("../b?x=1", "https://example.com/a/c") == "https://example.com/b?x=1"


@pytest.mark.parametrize("bad", ["", "ftp://example.com/a", "file:///etc/passwd", "data:text/html,x", "http://", "javascript:1",
                                 "https://example.com/" + "a" * 3000])  # fmt: skip
def test_what_is_no_web_address_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        normalise_url(bad)


@given(st.text(max_size=60), st.text(max_size=60))
def test_normalising_twice_changes_nothing(path: str, query: str) -> None:
    try:
        once = normalise_url(f"https://example.com/{path}?{query}")
    except ValueError:
        return
    assert normalise_url(once) == once


def test_the_owner_is_the_registrable_domain() -> None:
    assert registrable_domain("https://www.news.example.co.uk/a") == "example.co.uk"
    assert same_owner("https://m.example.com/a", "https://www.example.com/a")
    assert not same_owner("https://one.github.io/a", "https://two.github.io/a")
    assert not same_owner("http://127.0.0.1:8001/a", "http://127.0.0.1:8002/a")

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
        ("https://example.com/a?q=a%20b&utm_source=x&c=%2F", "https://example.com/a?q=a%20b&c=%2F"),
        ("https://example.com/a?UTM%5Fsource=x", "https://example.com/a"),
        ("https://www.theguardian.com/a?CMP=rss&page=2", "https://www.theguardian.com/a?page=2"),
        ("https://nottheguardian.com/a?CMP=rss", "https://nottheguardian.com/a?CMP=rss"),
        ("https://www-n-com.cdn.ampproject.org/c/s/www.n.com/a?id=1", "https://www.n.com/a?id=1"),
        ("https://n.cdn.ampproject.org/v/www.n.com/a?amp_js=1", "http://www.n.com/a?amp_js=1"),
        ("https://www.google.com/amp/s/www.n.com/a/amp/?utm_source=x", "https://www.n.com/a/amp/"),
        ("https://www.google.com/search?q=amp/s/n.com", "https://www.google.com/search?q=amp/s/n.com"),
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


@pytest.mark.parametrize("name", ["utm_source", "fbclid", "gclid", "mc_cid", "_ga", "_hsenc", "at_medium", "ns_campaign", "xtor", "cmpid",
                                  "ocid", "smid", "spm", "s_cid", "mkt_tok", "oly_enc_id", "vero_id", "guccounter", "__twitter_impression"])  # fmt: skip
def test_each_tracking_parameter_goes_by_itself_and_in_company(name: str) -> None:
    assert normalise_url(f"https://example.com/a?{name}=1") == "https://example.com/a"
    assert normalise_url(f"https://example.com/a?id=1&{name}=1&p=2") == "https://example.com/a?id=1&p=2"


@given(
    st.dictionaries(
        st.sampled_from(["id", "ref", "source", "cid", "sid", "sort", "page", "p", "article", "cmp"]), st.integers(0, 9)
    )
)
def test_what_can_choose_an_article_is_never_dropped(query: dict[str, int]) -> None:
    spelt = "&".join(f"{name}={value}" for name, value in query.items())
    kept = normalise_url(f"https://example.com/a?{spelt}&utm_source=rss").partition("?")[2]
    assert kept == spelt


@given(st.sampled_from(["https://www.google.com/amp/", "https://a.cdn.ampproject.org/c/"]), st.text(max_size=60))
def test_unwrapping_a_copy_twice_changes_nothing(cache: str, rest: str) -> None:
    try:
        once = normalise_url(cache + rest)
    except ValueError:
        return
    assert normalise_url(once) == once


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

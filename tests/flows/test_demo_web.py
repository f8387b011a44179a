"""The demo's web: its feeds parse, its pages answer, its traps are there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import feedparser
import pytest

from flows.demo_pages import load_articles, load_outlets
from flows.demo_web import demo_web
from pipeline.records import Feed

Web = tuple[list[Feed], list[str]]


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with demo_web() as served:
        yield served


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers by lower-case name and text, also of an answer that is an error to urllib."""
    request = Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urlopen(request, timeout=10) as reply:
            return reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode()


def links(web: Web) -> list[str]:
    """Return the link of every entry of every feed."""
    return [entry.link for feed in web[0] for entry in feedparser.parse(get(feed.url)[2]).entries]


def test_the_collection_is_as_large_and_as_varied_as_promised() -> None:
    outlets, articles = load_outlets(), load_articles()
    every = [article for group in articles.values() for article in group]
    assert len(outlets) >= 6
    assert len({outlet.country for outlet in outlets}) >= 5
    assert len({outlet.lang for outlet in outlets}) >= 4
    assert len(every) >= 44
    assert {outlet.id for outlet in outlets} == set(articles)
    assert len({(article.outlet, article.slug) for article in every}) == len(every)
    assert all(date(2025, 7, 14) <= article.published.date() <= date(2025, 7, 28) for article in every)
    assert all(article.published.tzinfo for article in every)


def test_articles_have_the_length_of_news() -> None:
    for group in load_articles().values():
        for article in group:
            text = " ".join(article.body)
            size, low, high = (len(text), 250, 500) if article.lang.startswith("zh") else (len(text.split()), 110, 300)
            assert low <= size <= high, (article.slug, size)


def test_one_wire_story_runs_in_three_outlets_under_three_headlines() -> None:
    every = [article for group in load_articles().values() for article in group]
    body, copies = Counter(article.body for article in every).most_common(1)[0]
    same = [article for article in every if article.body == body]
    assert copies == 3
    assert len({article.outlet for article in same}) == len({article.title for article in same}) == 3


def test_feeds_parse_and_offer_every_article(web: Web) -> None:
    feeds, hosts = web
    offered = links(web)
    assert len(hosts) == len(load_outlets())
    assert len({feed.feed_id for feed in feeds}) == len(feeds) == len(hosts) + 1
    # Two articles are offered twice, and two entries lead to no article.
    assert len(offered) == sum(len(group) for group in load_articles().values()) + 4
    for feed in feeds:
        if not feed.feed_id.endswith("-broken"):
            parsed = feedparser.parse(get(feed.url)[2])
            assert not parsed.bozo
            assert parsed.version in {"rss20", "atom10"}
            assert all(entry.title and entry.published_parsed for entry in parsed.entries)


def test_pages_answer_but_the_one_that_is_gone(web: Web) -> None:
    replies = {link: get(link) for link in links(web)}
    missing = [link for link, (status, _, _) in replies.items() if status == 404]
    assert [link.rpartition("/")[2] for link in missing] == ["article-retire.html"]
    for link, (status, headers, text) in replies.items():
        if link not in missing:
            assert status == 200
            assert headers["content-type"] == "text/html; charset=utf-8"
            assert "<nav" in text
    assert sum("<article>" not in text for link, (_, _, text) in replies.items() if link not in missing) == 1


def test_structured_data_is_sound(web: Web) -> None:
    found = 0
    for link in links(web):
        for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', get(link)[2]):
            data = json.loads(text)
            assert data["@type"] == "NewsArticle"
            assert data["headline"]
            found += 1
    assert found > 20


def test_tracked_links_lead_to_one_canonical_page(web: Web) -> None:
    tracked = [link for link in links(web) if "?" in link]
    canonical = {match[1] for link in tracked if (match := re.search(r'rel="canonical" href="(.*?)"', get(link)[2]))}
    assert len(tracked) == 2
    assert canonical == {tracked[0].partition("?")[0]}


def test_the_print_page_names_the_article_as_canonical(web: Web) -> None:
    offered = links(web)
    (printed,) = (link for link in offered if "/print/" in link)
    match = re.search(r'rel="canonical" href="(.*?)"', get(printed)[2])
    assert match
    assert match[1] != printed
    assert match[1] in offered


def test_a_feed_that_has_not_changed_answers_304(web: Web) -> None:
    for feed in web[0]:
        status, headers, _ = get(feed.url)
        assert status == 200
        again, _, body = get(feed.url, If_None_Match=headers["etag"])
        assert (again, body) == (304, "")


def test_the_broken_feed_is_no_feed(web: Web) -> None:
    broken = next(feed for feed in web[0] if feed.feed_id.endswith("-broken"))
    parsed = feedparser.parse(get(broken.url)[2])
    assert parsed.bozo
    assert not parsed.entries


def test_robots_txt_allows_the_visit(web: Web) -> None:
    status, headers, text = get(f"http://{web[1][0]}/robots.txt")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "Allow: /" in text


def test_two_webs_can_run_side_by_side(web: Web) -> None:
    with demo_web() as (feeds, hosts):
        assert not set(hosts) & set(web[1])
        assert get(feeds[0].url)[0] == 200

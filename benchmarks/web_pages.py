"""A generated web as text: a shape and a seed in, the bytes of its feeds and pages out, the same ones every time.

A page looks like one of a publisher: navigation, teasers, comments, scripts and footer around an article of 250 to 1,200
words, 30 to 150 KB in all; half of the hosts describe their articles in JSON-LD. Each host has one language and one layout.
"""

from __future__ import annotations

import json
import random
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from pathlib import Path

WORDS = tomllib.loads((Path(__file__).parent / "web_words.toml").read_text("utf-8"))
LANGUAGES = ("en", "en", "en", "de", "fr", "es", "ru", "zh")  # of the hosts, in turn
GOVERNANCE = 5  # every fifth article is about the governance of AI
LARGEST_FILL = 110_000  # bytes of what is around the longest article
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
SCRIPT = "window.q=window.q||[];function t%d(a,b){var c=a||{};c.k='%08x';q.push([c,b]);return c}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large the web is. Page n stands in feed n % feeds, feed f on host f % hosts."""

    hosts: int = 200
    feeds: int = 1_000
    pages: int = 20_000
    seed: int = 7

    def host_of_page(self, number: int) -> int:
        """Return the host of a page."""
        return number % self.feeds % self.hosts

    def pages_of(self, feed: int) -> range:
        """Return the pages that a feed lists."""
        return range(feed, self.pages, self.feeds)


def language(host: int) -> str:
    """Return the language of a host."""
    return LANGUAGES[host % len(LANGUAGES)]


def page_path(number: int) -> str:
    """Return where a page is on its host."""
    return f"/{published(number):%Y/%m/%d}/{number}-story.html"


def feed_path(feed: int) -> str:
    """Return where a feed is on its host."""
    return f"/feeds/{feed}.xml"


def published(number: int) -> datetime:
    """Return when an article came out."""
    return EPOCH + timedelta(minutes=7 * number % 28_800)


def page(shape: Shape, number: int, base: str) -> bytes:
    """Return the HTML of a page; `base` is the address of its host."""
    host = shape.host_of_page(number)
    words, rng = WORDS[language(host)], _rng(shape, "page", number)
    title, body = article(shape, number)
    author, when = rng.choice(words["names"]), published(number).isoformat()
    url = base + page_path(number)
    top, side, bottom = _layout(shape.seed, host)
    head = _json_ld(title, author, when, url) if host % 2 == 0 else ""
    comments = "".join(
        f'<li class="comment"><b>{escape(rng.choice(words["names"]))}</b><p>{escape(_sentence(rng, words, "plain"))}</p>'
        '<a href="#reply">↩</a></li>'
        for _ in range(rng.randrange(0, 40))
    )
    paragraphs = "".join(f"<p>{escape(part)}</p>\n" for part in body)
    parts = (
        (
            f'<!DOCTYPE html><html lang="{language(host)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<link rel="canonical" href="{url}"><meta property="og:type" content="article">'
            f'<meta property="og:title" content="{escape(title)}"><meta property="article:published_time" content="{when}">{head}'
        ),
        top,
        (
            f'<main><article class="story"><h1>{escape(title)}</h1><p class="byline">{escape(author)}</p>'
            f'<time datetime="{when}">{when[:10]}</time><div class="body">{paragraphs}</div></article>'
        ),
        side,
        f'<section id="comments"><ol>{comments}</ol></section>',
        bottom,
    )
    return "".join(parts).encode()


def article(shape: Shape, number: int) -> tuple[str, list[str]]:
    """Return title and paragraphs of a page."""
    words, rng = WORDS[language(shape.host_of_page(number))], _rng(shape, "article", number)
    title = _sentence(rng, words, "plain").rstrip(".。")[:110]
    about = number % GOVERNANCE == 0
    body = [
        " ".join(
            _sentence(rng, words, "governance" if about and rng.random() < 0.4 else "plain")
            for _ in range(rng.randrange(3, 7))
        )
        for _ in range(rng.randrange(5, 18))
    ]
    return title, body


def feed(shape: Shape, number: int, base: str) -> bytes:
    """Return a feed as RSS; `base` is the address of its host."""
    items = "".join(
        f"<item><title>{escape(article(shape, n)[0])}</title><link>{base}{page_path(n)}</link>"
        f"<guid>{base}{page_path(n)}</guid><pubDate>{format_datetime(published(n))}</pubDate></item>"
        for n in shape.pages_of(number)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Feed {number}</title><link>{base}/</link>'
        f"<description>Generated</description>{items}</channel></rss>"
    ).encode()


def _rng(shape: Shape, kind: str, number: int) -> random.Random:
    return random.Random(f"{shape.seed} {kind} {number}")


def _sentence(rng: random.Random, words: dict[str, list[str]], kind: str) -> str:
    filling = {name: rng.choice(words[f"{name}s"]) for name in ("place", "name", "thing")}
    return rng.choice(words[kind]).format(n=rng.randrange(2, 29), **filling)


def _json_ld(title: str, author: str, when: str, url: str) -> str:
    said = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "datePublished": when,
            "mainEntityOfPage": url, "author": [{"@type": "Person", "name": author}]}  # fmt: skip
    return f'<script type="application/ld+json">{json.dumps(said, ensure_ascii=False)}</script>'


@cache
def _layout(seed: int, host: int) -> tuple[str, str, str]:
    """Return what the pages of a host share: the top of the page, what stands beside the article, the bottom."""
    rng, words = random.Random(f"{seed} layout {host}"), WORDS[language(host)]
    fill = rng.randrange(20_000, LARGEST_FILL)  # a third each of scripts, teasers and links
    scripts = "".join(SCRIPT % (n, rng.getrandbits(32)) for n in range(fill // 3 // 88))
    links = "".join(
        f'<li><a href="/s/{n}" class="nav-item">{rng.choice(words["nav"])} {n}</a></li>' for n in range(fill // 3 // 60)
    )
    cut = len(links) // 4
    cut = links.find("<li>", cut)
    teasers = "".join(
        f'<div class="teaser"><a href="/t/{n}"><img src="/i/{n}.jpg" alt=""><h3>{escape(_sentence(rng, words, "plain")[:70])}</h3></a>'
        f'<p class="kicker">{rng.choice(words["nav"])}</p></div>\n'
        for n in range(fill // 3 // 180)
    )
    top = (
        f"<style>body{{margin:0}}.teaser{{float:left}}</style><script>{scripts}</script></head><body>"
        f'<header><nav class="menu"><ul>{links[:cut]}</ul></nav></header>'
    )
    side = f'<aside class="related">{teasers}</aside></main>'
    return top, side, f'<footer class="footer"><ul>{links[cut:]}</ul></footer></body></html>'

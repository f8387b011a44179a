"""The demo's web as text: the invented outlets and articles of `pipeline/data/demo` in, HTML pages and feeds out."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
TRACKING = ("?utm_source=feed&utm_medium=rss", "?utm_source=letter&fbclid=Iw00demo")
NOT_A_FEED = "<!-- service worker -->\nThe upstream feed generator ran out of memory & stopped <\n\x7fELF"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArticle:
    """One invented article; `body` is a tuple of paragraphs."""

    outlet: str
    slug: str
    lang: str
    published: datetime
    title: str
    author: str
    body: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where the page is on its outlet's host."""
        return f"/{self.published:%Y/%m}/{self.slug}.html"

    @property
    def summary(self) -> str:
        """The beginning of the first paragraph, as feeds give it."""
        first = self.body[0]
        return first if len(first) <= 160 else first[:157].rstrip() + "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutlet:
    """One invented outlet with what its pages and its feed look like."""

    id: str
    name: str
    country: str
    bloc: str
    lang: str
    ownership: str
    kind: str
    feed: str  # rss | atom
    meta: str  # jsonld | og
    nav: tuple[str, ...]
    related: str
    footer: str
    extra: tuple[dict[str, str], ...] = ()
    broken_feed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a path answers: bytes, content type and an entity tag."""

    body: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """A strong entity tag over the body."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("pipeline") / "data" / "demo" / name).read_text(encoding="utf-8"))


def load_outlets() -> list[DemoOutlet]:
    """Return the demo's outlets in the order of their file."""
    outlets = []
    for table in _read("outlets.toml")["outlet"]:
        table |= {key: tuple(table[key]) for key in ("nav", "extra")}
        outlets.append(DemoOutlet(**table))
    return outlets


def load_articles() -> dict[str, list[DemoArticle]]:
    """Return the demo's articles by outlet, newest first; a `wire` stands for the body of that agency story."""
    source = _read("articles.toml")
    wires = {wire["id"]: wire["body"] for wire in source["wire"]}
    articles = []
    for table in source["article"]:
        text = wires[table.pop("wire")] if "wire" in table else table.pop("body")
        body = tuple(" ".join(part.split()) for part in text.strip().split("\n\n"))
        articles.append(DemoArticle(**table, body=body))
    articles.sort(key=lambda article: (article.outlet, article.published), reverse=True)
    return {outlet: list(group) for outlet, group in groupby(articles, key=lambda article: article.outlet)}


def _head(outlet: DemoOutlet, article: DemoArticle, base: str) -> str:
    url, moment = base + article.path, article.published.isoformat()
    if outlet.meta == "jsonld":
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": article.title,
            "datePublished": moment,
            "inLanguage": article.lang,
            "mainEntityOfPage": url,
            "author": [{"@type": "Person", "name": article.author}],
            "publisher": {"@type": "Organization", "name": outlet.name},
        }
        text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
        return f'<script type="application/ld+json">{text}</script>'
    pairs = {"og:type": "article", "og:title": article.title, "og:url": url, "og:site_name": outlet.name}
    pairs |= {"article:published_time": moment, "og:description": article.summary}
    metas = [f'<meta property="{name}" content="{escape(value)}">' for name, value in pairs.items()]
    return "\n".join([*metas, f'<meta name="author" content="{escape(article.author)}">'])


def _frame(outlet: DemoOutlet, title: str, head: str, main: str, base: str) -> str:
    nav = "".join(f'<li><a href="/{n}/">{escape(word)}</a></li>' for n, word in enumerate(outlet.nav, 1))
    name = escape(outlet.name)
    return f"""<!DOCTYPE html>
<html lang="{outlet.lang}">
<head>
<meta charset="utf-8">
<title>{escape(title)} | {name}</title>
{head}
<link rel="alternate" type="application/{outlet.feed}+xml" href="{base}/feed.xml">
</head>
<body>
<header class="site-header"><a class="logo" href="/">{name}</a><nav class="menu"><ul>{nav}</ul></nav></header>
<main>
{main}
</main>
<footer class="site-footer"><p>{escape(outlet.footer)}</p></footer>
</body>
</html>
"""


def article_page(outlet: DemoOutlet, article: DemoArticle, others: list[DemoArticle], base: str) -> str:
    """Return an article's page with header, navigation, metadata, a few related links and a footer."""
    head = f'<link rel="canonical" href="{base}{escape(article.path)}">\n{_head(outlet, article, base)}'
    paragraphs = "\n".join(f"<p>{escape(text)}</p>" for text in article.body)
    links = "".join(f'<li><a href="{escape(other.path)}">{escape(other.title)}</a></li>' for other in others)
    main = f"""<article>
<h1>{escape(article.title)}</h1>
<p class="byline"><span class="author" rel="author">{escape(article.author)}</span>
<time datetime="{article.published.isoformat()}">{article.published:%Y-%m-%d %H:%M}</time></p>
<div class="article-body">
{paragraphs}
</div>
</article>
<aside class="related"><h2>{escape(outlet.related)}</h2><ul>{links}</ul></aside>"""
    return _frame(outlet, article.title, head, main, base)


def index_page(outlet: DemoOutlet, title: str, articles: list[DemoArticle], base: str) -> str:
    """Return a page that is no article: nothing but links."""
    links = "".join(f'<li><a href="{escape(item.path)}">{escape(item.title)}</a></li>' for item in articles)
    return _frame(outlet, title, "", f'<h1>{escape(title)}</h1><ul class="links">{links}</ul>', base)


def feed_items(outlet: DemoOutlet, articles: list[DemoArticle]) -> list[tuple[str, str, datetime, str]]:
    """Return (path, title, time, summary) of everything that the outlet's feed offers, the odd entries last."""
    items = [(item.path, item.title, item.published, item.summary) for item in articles]
    known = {item.slug: item for item in articles}
    for extra in outlet.extra:
        if extra["kind"] == "tracked":
            article = known[extra["slug"]]
            items.remove((article.path, article.title, article.published, article.summary))
            urls = (article.path + query for query in TRACKING)
            items.extend((url, article.title, article.published, article.summary) for url in urls)
        elif extra["kind"] == "print":
            article = known[extra["slug"]]
            items.append((f"/print/{article.slug}.html", extra["title"], article.published, article.summary))
        else:
            items.append((f"/{extra['slug']}.html", extra["title"], articles[0].published, extra["title"]))
    return items


def rss(outlet: DemoOutlet, articles: list[DemoArticle], base: str) -> str:
    """Return the outlet's feed in RSS 2.0."""
    parts = [
        f"<item><title>{escape(title)}</title><link>{escape(base + path)}</link>"
        f'<guid isPermaLink="false">{escape(outlet.id + path)}</guid>'
        f"<pubDate>{format_datetime(moment)}</pubDate><description>{escape(summary)}</description></item>"
        for path, title, moment, summary in feed_items(outlet, articles)
    ]
    head = f"<title>{escape(outlet.name)}</title><link>{base}/</link><description>{escape(outlet.footer)}</description>"
    start = f'<rss version="2.0"><channel>{head}<language>{outlet.lang}</language>'
    return f"{XML_DECLARATION}{start}\n" + "\n".join(parts) + "\n</channel></rss>\n"


def atom(outlet: DemoOutlet, articles: list[DemoArticle], base: str) -> str:
    """Return the outlet's feed in Atom."""
    parts = [
        f'<entry><title>{escape(title)}</title><link rel="alternate" href="{escape(base + path)}"/>'
        f"<id>{escape(base + path)}</id><published>{moment.isoformat()}</published>"
        f"<updated>{moment.isoformat()}</updated><summary>{escape(summary)}</summary></entry>"
        for path, title, moment, summary in feed_items(outlet, articles)
    ]
    head = f"<title>{escape(outlet.name)}</title><id>{base}/</id><updated>{articles[0].published.isoformat()}</updated>"
    author = f"<author><name>{escape(outlet.name)}</name></author>"
    space = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.lang}">'
    return f"{XML_DECLARATION}{space}{head}{author}\n" + "\n".join(parts) + "\n</feed>\n"


def site(outlet: DemoOutlet, articles: list[DemoArticle], base: str) -> dict[str, Resource]:
    """Return everything that the outlet's host answers, by path."""
    feed = (rss if outlet.feed == "rss" else atom)(outlet, articles, base)
    pages = {"/": index_page(outlet, outlet.name, articles, base)}
    for place, article in enumerate(articles):
        others = [articles[(place + step) % len(articles)] for step in (1, 2, 3) if step < len(articles)]
        pages[article.path] = article_page(outlet, article, others, base)
    for extra in outlet.extra:
        if extra["kind"] == "index":
            pages[f"/{extra['slug']}.html"] = index_page(outlet, extra["title"], articles, base)
        elif extra["kind"] == "print":
            pages[f"/print/{extra['slug']}.html"] = next(pages[a.path] for a in articles if a.slug == extra["slug"])
    html = "text/html; charset=utf-8"
    found = {path: Resource(body=text.encode(), content_type=html) for path, text in pages.items()}
    found["/feed.xml"] = Resource(body=feed.encode(), content_type=f"application/{outlet.feed}+xml; charset=utf-8")
    found["/robots.txt"] = Resource(body=b"User-agent: *\nAllow: /\n", content_type="text/plain; charset=utf-8")
    if outlet.broken_feed:
        found["/broken.xml"] = Resource(body=NOT_A_FEED.encode(), content_type="application/rss+xml")
    return found

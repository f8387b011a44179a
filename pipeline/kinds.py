"""Is a page an article? Its text and what it says of itself in; None, or a rejection that a person understands, out.

A false rejection costs an article, a miss only a row that says little: each rule needs the page's own word or a text
that is short, and pages that call themselves articles and have a long text are never refused.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pipeline.records import Rejection
from pipeline.structured import Structured

MIN_TEXT = 200  # characters; Chinese, Japanese and Korean pages say as much in a third of it
MIN_TEXT_DENSE = 80
SHORT = 800  # less than any article that stands behind a paywall, beside a video or under a cookie wall
MAX_LINKED = 0.7
DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
COOKIES = re.compile(
    r"cookie|consent|gdpr|privacy|datenschutz|einwillig|tracking|personali[sz]ed ad|anzeigen und inhalte|proveedores|"
    r"consentement|confidentialit|privacidad|personvern|evästeet|個人情報|クッキー|쿠키|ملفات تعريف الارتباط|คุกกี้",
    re.IGNORECASE,
)
PAYWALL = re.compile(
    r"subscribe (?:now|to (?:read|continue))|subscribers? only|to continue reading|already a subscriber|"
    r"r[ée]serv[ée]e? aux abonn|(?:nur|exklusiv) für abonnenten|jetzt (?:weiterlesen|abonnieren)|"
    r"(?:solo|exclusivo) para suscriptores|riservato agli abbonati|for abonnenter|会員限定|有料会員|구독자 전용",
    re.IGNORECASE,
)


def verdict(tree: Any, url: str, said: Structured, text: str) -> Rejection | None:
    """Return why the page is no article, None where it is one."""
    size = len(text)
    weight = size * (MIN_TEXT / MIN_TEXT_DENSE if len(DENSE.findall(text)) > size / 4 else 1)
    found = (
        _live(said)
        or _wall(said, text, weight)
        or _video(said, weight)
        or _list(tree, url, said, text, weight)
        or (("no_article", f"{size} characters of text, too few for an article") if weight < MIN_TEXT else None)
    )
    return Rejection(stage="extract", reason=found[0], detail=found[1]) if found else None


Why = tuple[str, str] | None


def _live(said: Structured) -> Why:
    if "LiveBlogPosting" in said.kinds:
        return "live_blog", "a live blog, which changes as it is written"
    return None


def _wall(said: Structured, text: str, weight: float) -> Why:
    if weight >= SHORT:
        return None
    if said.free is False or PAYWALL.search(text[-300:]):
        return "paywall", f"only {len(text)} characters stand before the paywall"
    lines = [line for line in text.splitlines() if line.strip()]
    about = sum(len(line) for line in lines if COOKIES.search(line))
    if len(COOKIES.findall(text)) >= 3 and about > len(text) / 2:
        return "cookie_wall", "the page asks for consent to cookies in place of an article"
    return None


def _video(said: Structured, weight: float) -> Why:
    if weight < SHORT and (said.og_type.startswith("video") or ("VideoObject" in said.kinds and not said.is_article)):
        return "video_page", "a video with a caption, no article"
    return None


def _list(tree: Any, url: str, said: Structured, text: str, weight: float) -> Why:
    if text and _linked_share(tree, text) > MAX_LINKED:
        return "index_page", "a list of links, no article"
    parts = urlsplit(url)
    if weight < SHORT and parts.path in ("", "/") and not parts.query and not said.is_article:
        return "index_page", "the front page of a site, no article"
    return None


def _linked_share(tree: Any, text: str) -> float:
    """Return the share of the text in lines that are nothing but a link: none of 211 real articles had over 0.3."""
    anchors = {" ".join(a.text_content().split()) for a in tree.iter("a")}
    lines = [" ".join(line.split()).strip("-| ") for line in text.splitlines()]
    return sum(len(line) for line in lines if line in anchors) / max(1, sum(map(len, lines)))

"""The text of an article: a parsed page and what it says of itself in, lines of plain text out.

The first opinion is trafilatura's own rules, without its fallbacks and without comments. They are checked by what is
cheap to know: where the text is short they are asked again with every fallback; where the page carries its own
articleBody and the text is hardly more than a part of it, the body is the text. Then lines go that are no part of the
text: the title at its head and lines that are nothing but links to other pages; and the lead comes in, where the page
shows what its description says and the text has left it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import trafilatura

from pipeline.headline import folded, plain
from pipeline.structured import Structured

SHORT = 700  # characters; most articles have more
LEAST_BODY = 300  # characters of an articleBody that may speak for the text: shorter ones are summaries
MISSING = 0.6  # of the letters of the body: a text with fewer misses a good part of it
LEAST_LEAD = 40
MAX_LINKED = 0.4  # of a text that may go as links: beyond it is a list, and what is listed is its content
LINK_SHARE = 0.6  # of a line's letters inside links
BLOCKS = frozenset(
    [
        "p",
        "li",
        "div",
        "td",
        "th",
        "blockquote",
        "section",
        "article",
        "aside",
        "figcaption",
        "dd",
        "dt",
        "main",
        "body",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ]
)
MAX_LINK_LINE = 300
_BULLET = re.compile(r"^[-\u2022>\u25ba|\s]+")


def article_text(tree: Any, url: str, said: Structured) -> str:
    """Return the text, a paragraph a line; empty where there is none. The tree is left as it was."""
    text = _opinion(tree, url, fast=True)
    if len(text) < SHORT:
        second = _opinion(tree, url, fast=False)
        text = second if len(second) > len(text) else text
    if len(said.body) >= LEAST_BODY:
        text = _whole(text, said.body)
    lines = _without_title(text.splitlines(), said.title or "")
    return "\n".join(_with_lead(_without_links(lines, tree), tree, said.lead))


def _opinion(tree: Any, url: str, *, fast: bool) -> str:
    found = trafilatura.bare_extraction(tree, url=url, include_comments=False, fast=fast, deduplicate=False)
    return getattr(found, "text", None) or ""


def _whole(text: str, body: str) -> str:
    """Return the page's own body where the text holds hardly anything but a part of it, and the text otherwise."""
    known, there = folded(body), folded(text)
    if len(there) >= MISSING * len(known):
        return text
    shared = sum(len(part) for part in map(folded, text.splitlines()) if part in known)
    return body if shared >= 0.8 * len(there) else text


def _without_title(lines: list[str], title: str) -> list[str]:
    """Drop the title where the first two lines repeat it: it has a field of its own."""
    wanted = folded(title)
    return [line for n, line in enumerate(lines) if n > 1 or not wanted or folded(line) != wanted]


def _without_links(lines: list[str], tree: Any) -> list[str]:
    """Drop lines that are links to other pages, unless so much would go that the links are the content."""
    linked = _linked_blocks(tree)
    kept = [line for line in lines if len(line) > MAX_LINK_LINE or folded(_BULLET.sub("", line)) not in linked]
    gone = sum(map(len, lines)) - sum(map(len, kept))
    return lines if gone > MAX_LINKED * sum(map(len, lines)) else kept


def _linked_blocks(tree: Any) -> set[str]:
    """Return the folded text of the blocks most of whose letters are inside links."""
    inside: dict[Any, int] = {}
    for anchor in tree.iter("a"):
        if not anchor.get("href", "").startswith("#"):
            block = _block(anchor)
            inside[block] = inside.get(block, 0) + len(folded(anchor.text_content()))
    found = set()
    for block, letters in inside.items():
        text = folded(block.text_content()) if block is not None and letters else ""
        if text and letters >= LINK_SHARE * len(text):
            found.add(text)
    return found


def _block(node: Any) -> Any:
    while node is not None and node.tag not in BLOCKS:
        node = node.getparent()
    return node


def _with_lead(lines: list[str], tree: Any, lead: str) -> list[str]:
    """Put the lead first where a block of the page shows the whole of it and the text begins without it."""
    wanted = folded(lead)
    if len(lead) < LEAST_LEAD or not lines or wanted in folded("".join(lines)):
        return lines
    shown = next((text for text in _blocks_like(tree, lead) if folded(text) == wanted), None)
    return [shown, *lines] if shown else lines


def _blocks_like(tree: Any, lead: str) -> Iterable[str]:
    """Yield the text of the blocks that begin as the lead does and are about as long."""
    first = lead[:20]
    for block in tree.iter("p", "div", "h2", "h3", "span", "li", "strong"):
        if (block.text or "").lstrip().startswith(first):
            yield plain(block.text_content())

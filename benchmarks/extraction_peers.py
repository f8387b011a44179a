"""The contestants of the extraction benchmark: ours, and each peer that is installed here."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

Extract = Callable[[bytes, str], "Found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a contestant made of a page; None for a field that it does not look for."""

    text: str
    title: str | None = None
    date: str | None = None
    authors: tuple[str, ...] | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name and its way; no way where it is not installed."""

    name: str
    extract: Extract | None


def ours(body: bytes, url: str) -> Found:
    """Stancewatch."""
    document = import_module("pipeline.extract").extract(body, url)
    why = document.rejection
    return Found(text=document.text, title=document.title, date=document.published_at or "", authors=document.authors,
                 refused=f"{why.reason}: {why.detail}" if why else "")  # fmt: skip


def _trafilatura(**options: Any) -> Extract:
    core = import_module("trafilatura")

    def work(body: bytes, url: str) -> Found:
        found = core.bare_extraction(body, url=url, with_metadata=True, **options)
        names = tuple(filter(None, (getattr(found, "author", None) or "").split("; ")))
        title, date, text = (getattr(found, name, None) or "" for name in ("title", "date", "text"))
        return Found(text=text, title=title, date=date, authors=names)

    return work


def _readability() -> Extract:
    document, parse = import_module("readability").Document, import_module("lxml.html").fromstring

    def work(body: bytes, url: str) -> Found:
        try:
            found = document(body.decode("utf-8", "replace"), url=url)
            parts = parse(found.summary()).xpath("//p|//h2|//h3|//li|//blockquote")
            return Found(text="\n".join(part.text_content() for part in parts), title=found.short_title())
        except Exception:  # it gives up by any exception
            return Found(text="", title="")

    return work


def _newspaper() -> Extract:
    article = import_module("newspaper").Article

    def work(body: bytes, url: str) -> Found:
        try:
            found = article(url)
            found.download(input_html=body.decode("utf-8", "replace"))
            found.parse()
        except Exception:
            return Found(text="", title="", date="", authors=())
        date = found.publish_date.isoformat() if found.publish_date else ""
        return Found(text=found.text, title=found.title, date=date, authors=tuple(found.authors))

    return work


def _resiliparse() -> Extract:
    plain = import_module("resiliparse.extract.html2text").extract_plain_text
    return lambda body, _: Found(text=plain(body.decode("utf-8", "replace"), main_content=True, alt_texts=False))


def _goose() -> Extract:
    goose = import_module("goose3").Goose({"enable_image_fetching": False})

    def work(body: bytes, url: str) -> Found:
        try:
            found = goose.extract(url=url, raw_html=body.decode("utf-8", "replace"))
        except Exception:
            return Found(text="", title="", date="", authors=())
        names = tuple(found.authors or ())
        return Found(text=found.cleaned_text, title=found.title or "", date=found.publish_date or "", authors=names)

    return work


PEERS: dict[str, Callable[[], Extract]] = {
    "trafilatura": lambda: _trafilatura(include_comments=False),
    "trafilatura default": _trafilatura,
    "trafilatura fast": lambda: _trafilatura(include_comments=False, fast=True),
    "readability-lxml": _readability,
    "newspaper4k": _newspaper,
    "resiliparse": _resiliparse,
    "goose3": _goose,
}


def contestants() -> Iterator[Contestant]:
    """Yield ours, then each peer, without a way where it cannot be imported."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    yield Contestant("stancewatch", ours)
    for name, make in PEERS.items():
        try:
            yield Contestant(name, make())
        except ImportError:
            yield Contestant(name, None)

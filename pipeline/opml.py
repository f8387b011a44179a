"""OPML 2.0 (http://opml.org/spec2.opml): feeds of other readers in, ours out.

An outline with `xmlUrl` is a feed. What our feeds file knows besides goes into the standard attribute `category`
(`/country/KE,/bloc/global_south`) and comes back from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from lxml import etree

from pipeline.errors import ConfigError
from pipeline.records import Feed

MAX_OPML = 20_000_000  # bytes
MAX_FEEDS = 50_000
MAX_DEPTH = 50
MAX_OUTLINES = 200_000
CHUNK = 65_536
KEPT = ("id", "country", "bloc", "ownership", "kind")  # in `category`


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of an OPML file."""

    url: str
    title: str
    language: str = ""
    enabled: bool = True
    known: dict[str, str] = field(default_factory=dict)  # of KEPT


def read_opml(path: Path) -> list[Outline]:
    """Return the feeds of an OPML file, each address once. Raises ConfigError where it is none, or hostile."""
    if path.stat().st_size > MAX_OPML:
        raise ConfigError(f"{path}: an OPML file of more than {MAX_OPML} bytes is not read")
    target = _Outlines()
    # "internal": without it lxml 6 leaves `&amp;` in attributes as `&#38;`; a document type is refused, so nothing else resolves
    parser = etree.XMLParser(target=target, resolve_entities="internal", no_network=True, huge_tree=False)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                parser.feed(chunk)
                if target.fault:
                    raise ConfigError(f"{path}: {target.fault}")
        parser.close()
    except etree.XMLSyntaxError as error:
        raise ConfigError(f"{path}: {target.fault}" if target.fault else f"{path} is no OPML: {error}") from error
    if target.fault or target.root != "opml":
        raise ConfigError(f"{path}: {target.fault or f'its root is {target.root}, not opml'}")
    return list(target.found.values())


class _Outlines:
    """A parser target of lxml: keeps the feeds, and no tree."""

    def __init__(self) -> None:
        self.root = self.fault = ""
        self.found: dict[str, Outline] = {}
        self._depth = self._count = 0

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        """A document type could define entities."""
        self.fault = "an OPML file with a document type is not read"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Note the outlines that are feeds."""
        self._depth += 1
        self._count += 1
        self.root = self.root or tag
        if self._depth > MAX_DEPTH:
            self.fault = f"nested deeper than {MAX_DEPTH}"
        if self._count > MAX_OUTLINES or len(self.found) >= MAX_FEEDS:
            self.fault = f"more than {MAX_FEEDS} feeds or {MAX_OUTLINES} outlines"
        named = {name.lower(): value.strip() for name, value in attributes.items()} if tag == "outline" else {}
        url = named.get("xmlurl", "")
        if url.startswith(("http://", "https://")) and not self.fault:
            self.found.setdefault(url, _outline(url, named))

    def end(self, _tag: str) -> None:
        """Go up."""
        self._depth -= 1

    def close(self) -> None:
        """Nothing is left to do at the end."""


def _outline(url: str, named: dict[str, str]) -> Outline:
    pairs = (part.strip("/ ").split("/", 1) for part in named.get("category", "").split(","))
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] in KEPT}
    title = named.get("title") or named.get("text") or ""
    commented = named.get("iscomment", "").lower() == "true"
    return Outline(url=url, title=title, language=named.get("language", ""), enabled=not commented, known=known)


def write_opml(feeds: Iterable[Feed]) -> str:
    """Return feeds as OPML 2.0, an outline a feed; one that is not enabled is a comment, as OPML has it."""
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = "Feeds of Stancewatch"
    body = ElementTree.SubElement(root, "body")
    for feed in feeds:
        kept = {"id": feed.feed_id} | {name: getattr(feed, name) for name in KEPT[1:]}
        outline = {
            "type": "rss", "text": feed.outlet, "title": feed.outlet, "xmlUrl": feed.url, "language": feed.language,
            "category": ",".join(f"/{name}/{value}" for name, value in kept.items()),
        }  # fmt: skip
        ElementTree.SubElement(body, "outline", outline | ({} if feed.enabled else {"isComment": "true"}))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"

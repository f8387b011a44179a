"""What owners reserve: headers and meta tags of a page and /.well-known/tdmrep.json in, what we may do with it out.

Text and data mining is reserved by the TDM Reservation Protocol (W3C community report, 2024: header `tdm-reservation`,
meta tag of that name, tdmrep.json; the closest to the page wins) and by `noai` or `noml` in X-Robots-Tag or a robots
meta tag. `noarchive` there means that the page is read and not kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from pipeline.records import Page, Rejection

HEAD = 200_000  # bytes: the head of a page
MOST_RULES = 1_000
META = re.compile(r"<meta\b([^<>]{1,2000})>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"([\w:-]{1,40})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
NO_MINING = frozenset({"noai", "noml"})
ROBOTS_META = frozenset({"robots", "stancewatch"})


def may_keep(page: Page) -> bool:
    """Whether the raw page may be kept."""
    return "noarchive" not in _directives(page)


def reserved(page: Page, tdmrep: str) -> Rejection | None:
    """Return why a page may not be mined; `tdmrep` is the text of the origin's tdmrep.json, empty where it has none."""
    if found := _directives(page) & NO_MINING:
        return Rejection(stage="fetch", reason="noai", detail=f"the page says {', '.join(sorted(found))}")
    said = _last(_metas(page, {"tdm-reservation"})) or page.headers.get("tdm-reservation", "").strip()
    if said not in ("0", "1"):
        said = "1" if _reserved_by_file(tdmrep, urlsplit(page.url).path or "/") else "0"
    if said == "1":
        return Rejection(stage="fetch", reason="tdm_reserved", detail="its owner reserves text and data mining")
    return None


def _directives(page: Page) -> frozenset[str]:
    """Return the robots directives of header and meta tags; those for other agents by name are left out."""
    told = [page.headers.get("x-robots-tag", ""), *_metas(page, ROBOTS_META)]
    return frozenset(word.strip().lower() for text in told for word in text.split(",") if ":" not in word)


def _metas(page: Page, names: set[str] | frozenset[str]) -> Iterator[str]:
    for tag in META.finditer(page.body[:HEAD].decode("latin-1")):
        said = {name.lower(): "".join(values).strip() for name, *values in ATTRIBUTE.findall(tag.group(1))}
        if said.get("name", "").lower() in names:
            yield said.get("content", "")


def _last(values: Iterator[str]) -> str:
    return next(reversed([value for value in values if value]), "")


def _reserved_by_file(text: str, path: str) -> bool:
    """Whether the first rule of tdmrep.json that fits the path reserves it; a file that cannot be read says nothing."""
    try:
        rules = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return False
    for rule in rules[:MOST_RULES] if isinstance(rules, list) else []:
        if isinstance(rule, dict) and _fits(str(rule.get("location", "")), path):
            return str(rule.get("tdm-reservation")) == "1"
    return False


def _fits(location: str, path: str) -> bool:
    """Match as robots.txt does: from the beginning, `*` for anything, `$` for the end. Linear in the path for each star."""
    anchored = location.endswith("$")
    parts = unquote(location.removesuffix("$")).split("*")
    path = unquote(path)
    if not location or not path.startswith(parts[0]):
        return False
    place = len(parts[0])
    for part in parts[1:]:
        found = path.rfind(part, place) if anchored and part is parts[-1] else path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return not anchored or place == len(path)

"""The page: figures, events and a codebook in, the text of one HTML file out. The same input gives the same bytes.

Everything is escaped where it is put in (Jinja's autoescape, and JSON whose `<`, `>` and `&` are escapes); style and script
are named in the page's policy by their hash, so nothing else runs and nothing is asked of any server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from flows.report import coverage, panels, trends, words
from pipeline.codebook import Codebook
from pipeline.events import Event
from warehouse.connect import code_version
from warehouse.figures import WINDOW, Figures

TITLE = "AI governance in the media"
ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
SHOWN = ("sentence", "voice", "speaker", "outlet", "country", "title", "lang")


def write(path: Path, page: str) -> Path:
    """Write the page in one step: who opens it meanwhile sees the old one or the new one, whole. Return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(page, encoding="utf-8", newline="\n")
    draft.replace(path)
    return path


def render(figures: Figures, events: Sequence[Event], codebook: Codebook) -> str:
    """Return the HTML of the report."""
    loader = PackageLoader("flows.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined,
        extensions=["jinja2.ext.loopcontrols"],
    )  # fmt: skip
    style, script = (_asset(loader, environment, f"report.{kind}") for kind in ("css", "js"))
    common = {
        "title": TITLE, "version": code_version(), "style": style, "script": script, "policy": policy(style, script),
        "data": embedded(marks(figures)), "state": _state(figures), "empty": figures.since is None,
    }  # fmt: skip
    shown = {} if figures.since is None else _shown(figures, events, codebook)
    return environment.get_template("report.html").render(**common, **shown)


def _asset(loader: PackageLoader, environment: Environment, name: str) -> str:
    return loader.get_source(environment, name)[0].strip()


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: this style and this script, and nothing from anywhere."""
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(value: Any) -> str:
    """Write JSON that stays text inside a script element, whatever its strings hold."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def marks(figures: Figures) -> dict[str, Any]:
    """Return {sentences, marks}: for each mark how many documents are behind it, and the places of its sentences."""
    places: dict[tuple[str, str | None], int] = {}
    sentences: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    for row in figures.marks:
        key = (row["document_id"], row["target"])
        if key not in places:
            places[key] = len(sentences)
            sentences.append(_sentence(row))
        found.setdefault(row["mark"], [row["documents"], []])[1].append(places[key])
    return {"sentences": sentences, "marks": found}


def _sentence(row: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {name: row[name] for name in SHOWN if row[name] is not None}
    known |= {"day": words.day(row["day"]), "url": web_address(row["url"])}
    if row["label"]:
        label = {
            "target": words.named(row["target"]),
            "label": row["label"],
            "side": row["label"],
            "p": f"{row['p']:.2f}",
        }
        known |= label
    return known


def web_address(url: str | None) -> str:
    """Return a link that leads to the web, nothing where it would lead elsewhere."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return url or "" if parts.scheme in ("http", "https") and parts.netloc else ""


def _state(figures: Figures) -> str:
    if figures.snapshot is None:
        return ""
    return f"State of the warehouse: load {figures.snapshot['load_id']}, written {figures.snapshot['loaded_at']}."


def _shown(figures: Figures, events: Sequence[Event], codebook: Codebook) -> dict[str, Any]:
    """Return what the template shows of a warehouse with documents."""
    assert figures.since is not None
    assert figures.until is not None
    propositions = {target.id: target.proposition for target in codebook.targets}
    known = {row["target"] for row in figures.net}
    targets = [*(each for each in propositions if each in known), *sorted(known - set(propositions))]
    inside = [event for event in events if event.day in figures.shifts]
    return {
        "period": f"{words.day(figures.since)} to {words.day(figures.until)}",
        "facts": _facts(figures),
        "events": [{"day": words.day(event.day), "name": event.name} for event in inside],
        "parts": _parts(figures),
        "weekly": figures.weekly, "least": figures.least, "window": WINDOW, "honesty": coverage.in_short(figures),
        "attention": trends.attention(figures),
        "targets": [
            {"name": words.named(each), "proposition": propositions.get(each, ""), "chart": trends.stance(figures, each),
             "places": panels.by_place(figures, each)}
            for each in targets
        ],
        "shifts": [_shift(figures, event, events) for event in inside],
        "places": panels.places(figures), "topics": panels.topics(figures),
        "amplification": None if figures.amplification is None else panels.amplification(figures.amplification),
        "coverage": coverage.tables(figures, codebook),
    }  # fmt: skip


def _facts(figures: Figures) -> list[tuple[str, str]]:
    total = figures.totals
    names = {"relevant": ("document about AI governance", "documents about AI governance"), "documents": ("document stored", "documents stored"),
             "outlets": ("outlet", "outlets"), "countries": ("country", "countries"), "languages": ("language", "languages")}  # fmt: skip
    return [(one if total[name] == 1 else many, words.count(total[name])) for name, (one, many) in names.items()]


def _parts(figures: Figures) -> list[tuple[str, str]]:
    parts = [
        ("attention", "Attention"),
        ("stance", "Net stance"),
        ("places", "Blocs and countries"),
        ("topics", "Topics"),
    ]
    parts[2:2] = [("events", "Before and after events")] if figures.shifts else []
    parts += [("amplification", "Amplification")] if figures.amplification is not None else []
    return [*parts, ("coverage", "Coverage")]


def _shift(figures: Figures, event: Event, events: Sequence[Event]) -> dict[str, Any]:
    found = figures.shifts[event.day]
    rows, table = panels.shifts(found, event.day)
    return {
        "name": event.name, "day": words.day(event.day), "rows": rows, "table": table, "whole": all(row["whole"] for row in found),
        "overlaps": [
            {"name": other.name, "shared": 2 * WINDOW - abs((other.day - event.day).days)}
            for other in events if 0 < abs((other.day - event.day).days) < 2 * WINDOW
        ],
    }  # fmt: skip

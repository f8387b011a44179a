"""The labelled set of `tests/data/stories.toml`: documents and pairs that are copies of each other, or look like it; and how to link.

Derived texts are made here: a report cut, under another headline, with another lead, edited, quoted at length, translated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pipeline.sentences import sentences
from tests.support.store import Rows, Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.stories import places, unlinked, unsketched

SET = Path(__file__).parents[1] / "data" / "stories.toml"
NO_RECORD: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One document of the set; `story` is the same for copies of each other."""

    name: str
    story: str
    kind: str  # original | translation | cut | headline | lead | edited | quoted | independent | column
    lang: str
    title: str
    text: str
    outlet: str
    held_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two documents and whether one is a copy of the other."""

    kind: str
    one: Written
    other: Written
    same: bool


def read_set() -> list[Written]:
    """Return all documents of the set."""
    data = tomllib.loads(SET.read_text("utf-8"))
    found: list[Written] = []
    for event in data["event"]:
        found += _event(event, data["frame"])
    for number, column in enumerate(data["column"]):
        for issue, told in enumerate(column["issue"]):
            name = f"column-{number}-{issue}"
            text = "\n\n".join([column["boilerplate"], told["body"].strip(), column["end"]])
            found.append(Written(name=name, story=name, kind="column", lang=column["lang"], title=told["title"], text=text,
                                 outlet=f"column-{number}"))  # fmt: skip
    return found


def _event(event: dict[str, Any], frames: dict[str, dict[str, str]]) -> Iterator[Written]:
    held_out = bool(event.get("held_out"))
    for place, version in enumerate(event["version"]):
        lang, body = version["lang"], version["body"].strip()
        kind = "translation" if place else "original"
        texts = {kind: body, **_derived(body, frames.get(lang, NO_RECORD))}
        for made, text in texts.items():
            title = version["title"] if made == kind else f"{made}: {version['title']}"
            name = f"{event['id']}-{lang}-{made}"
            yield Written(
                name=name,
                story=event["id"],
                kind=made,
                lang=lang,
                title=title,
                text=text,
                outlet=name,
                held_out=held_out,
            )
    for place, told in enumerate(event["independent"]):
        name = f"{event['id']}-independent-{place}"
        yield Written(name=name, story=name, kind="independent", lang=told["lang"], title=told["title"],
                      text=told["body"].strip(), outlet=name, held_out=held_out)  # fmt: skip


def _derived(body: str, frame: Mapping[str, str]) -> dict[str, str]:
    parts = body.split("\n\n")
    told = [part[start:end] for part in parts for start, end in sentences(part)]
    kept = [sentence for place, sentence in enumerate(told) if place % 4 != 3]
    kept[1], kept[2] = kept[2], kept[1]
    texts = {"cut": "\n\n".join(parts[:2]), "headline": body, "edited": " ".join(kept)}
    if frame:
        texts["lead"] = "\n\n".join([frame["lead"], *parts[1:]])
        texts["quoted"] = "\n\n".join([frame["before"], *parts[:2], frame["after"]])
    return texts


def pairs(documents: Sequence[Written]) -> list[Pair]:
    """Return the labelled pairs: each report with what was made of it, and with what only looks like it."""
    found = []
    for one, other in combinations(documents, 2):
        if one.story == other.story:
            kind = _of_one_story(one, other)
        elif {one.kind, other.kind} <= {"original", "translation", "independent", "column"}:
            kind = _of_two_stories(one, other)
        else:
            continue
        if kind:
            found.append(Pair(kind=kind, one=one, other=other, same=one.story == other.story))
    return found


def _of_one_story(one: Written, other: Written) -> str | None:
    whole = {"original", "translation"}
    if one.lang == other.lang:
        return other.kind if one.kind in whole else None
    if {one.kind, other.kind} <= whole:
        return "translation"
    if one.kind in whole and other.kind in ("cut", "lead"):
        return f"translation, {other.kind}"
    return None


def _of_two_stories(one: Written, other: Written) -> str | None:
    if one.kind == other.kind == "column":
        return "one column" if one.outlet == other.outlet else "two columns"
    if "independent" in (one.kind, other.kind) and one.name.split("-")[:2] == other.name.split("-")[:2]:
        return "one event, one language" if one.lang == other.lang else "one event, two languages"
    return "other event"


def tell(store: Store, documents: Sequence[Written], when: Mapping[str, str | None] = NO_RECORD) -> None:
    """Load documents, each under its outlet; `when` gives publication times by name, a minute apart otherwise."""
    outlets = sorted({each.outlet for each in documents})
    store.load("feeds", outlet=[outlet(name) for name in outlets], feed=[feed(f"f-{name}", name) for name in outlets])
    entries: Rows = []
    loaded: list[dict[str, Rows]] = []
    for place, each in enumerate(documents):
        shown = when.get(each.name, f"2026-11-19T{place // 60:02}:{place % 60:02}:30Z")
        entries.append(entry(f"e-{each.name}", place, f"f-{each.outlet}", each.outlet, published_at=shown))
        rows = document_rows(
            each.name, f"e-{each.name}", each.outlet, f"f-{each.outlet}", lang=each.lang, title=each.title
        )
        rows["document_text"][0]["text"] = each.text
        rows["evidence"].clear()
        loaded.append(rows)
    polls = [poll(f"p-{documents[0].name}-{name}", f"f-{name}") for name in outlets]
    store.load("poll", poll=polls, entry=entries)
    store.load("documents", entry=[done(f"e-{each.name}", each.name) for each in documents], **merged(*loaded))


def link(store: Store, batch: int = 1000) -> None:
    """Do what the linking step of a pass does."""
    while rows := unsketched(store.target, batch):
        store.load("stories", sketch=rows)
    while waiting := unlinked(store.target, batch):
        store.load("stories", story=places(store.target, waiting))


def told_stories(store: Store) -> dict[str, str]:
    """Return the story of each document."""
    return {row["document_id"]: row["story_id"] for row in store.rows("FROM current_story")}

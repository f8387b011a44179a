"""The feeds file: TOML in, `Feed` records out, and back; feeds of OPML files as tables with what is unknown to be filled."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import ConfigError
from pipeline.opml import Outline
from pipeline.records import Feed

FIELDS = ("url", "outlet", "country", "bloc", "language", "ownership", "kind")
TO_FILL = "  # to be filled"
BACKFILL = "backfill:"  # SQL of the warehouse knows it too
Bloc = Literal["us", "china", "eu", "europe", "g7", "brics", "global_south", "international"]


class FeedTable(BaseModel):
    """One `[[feed]]` table as a person writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=100)
    url: str
    outlet: str = Field(min_length=1)
    country: str = Field(pattern="^[A-Z]{2}$")
    bloc: Bloc
    language: str = Field(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$")
    ownership: Literal["state", "public", "private", "nonprofit", "government"]
    kind: Literal["news", "official", "analysis", "advocacy"]
    enabled: bool = True

    @field_validator("id")
    @classmethod
    def no_backfill(cls, feed_id: str) -> str:
        """What a backfill brings is known by the ids of its sources."""
        if feed_id.startswith(BACKFILL):
            raise ValueError(f"must not begin with {BACKFILL}")
        return feed_id

    @field_validator("url")
    @classmethod
    def web_address(cls, url: str) -> str:
        """Only web addresses are polled."""
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url


def load_feeds(path: Path | None = None) -> list[Feed]:
    """Read a feeds file (None: the one of the package). Raises ConfigError naming the file, the feed and the field."""
    source = path if path is not None else files("pipeline") / "data" / "feeds.toml"
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8")).get("feed", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"feeds file {source}: {error}") from error
    feeds: dict[str, Feed] = {}
    for number, table in enumerate(tables, 1):
        try:
            parsed = FeedTable.model_validate(table)
        except ValidationError as error:
            name = table.get("id", f"number {number}") if isinstance(table, dict) else f"number {number}"
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigError(f"feeds file {source}, feed {name}: {faults}") from error
        if parsed.id in feeds:
            raise ConfigError(f"feeds file {source}: the id {parsed.id} stands twice")
        feeds[parsed.id] = Feed(feed_id=parsed.id, **parsed.model_dump(exclude={"id"}))
    if not feeds:
        raise ConfigError(f"feeds file {source} holds no [[feed]] table")
    return list(feeds.values())


def share_of(feeds: Sequence[Feed], share: str | None) -> list[Feed]:
    """Return the feeds of one share, `2/4` being the second of four; a host is in one share, so that one process keeps its pace."""
    if share is None:
        return list(feeds)
    number, _, of = share.partition("/")
    return [feed for feed in feeds if _host_number(feed.url) % int(of) == int(number) - 1]


def _host_number(url: str) -> int:
    return int.from_bytes(hashlib.sha256(urlsplit(url).netloc.lower().encode()).digest()[:8], "big")


def feeds_toml(feeds: Iterable[Feed]) -> str:
    """Write feeds as a feeds file."""
    return "\n\n".join(_table({"id": feed.feed_id} | _rest(feed), feed.enabled) for feed in feeds) + "\n"


def _rest(feed: Feed) -> dict[str, str]:
    return {name: getattr(feed, name) for name in FIELDS}


def imported_toml(outlines: Iterable[Outline], given: Mapping[str, str | None]) -> tuple[str, int]:
    """Write the feeds of an OPML file as a feeds file; return it and the number of fields that are left to be filled.

    `given` says country, bloc, language, ownership and kind of feeds that do not say them. What nobody says stands there
    as an empty value with a comment: `load_feeds` refuses the file and names it until a person has filled it.
    """
    ids: set[str] = set()
    tables = []
    for outline in outlines:
        said = {**outline.known, "language": outline.language}
        known = {name: said.get(name) or given.get(name) or "" for name in FIELDS[2:]}
        host = urlsplit(outline.url).netloc.removeprefix("www.")
        wanted = outline.known.get("id") or "-".join(re.findall(r"\w+", host.casefold())) or "feed"
        feed_id = next(name for n in count() if (name := f"{wanted[:90]}-{n + 1}" if n else wanted) not in ids)
        ids.add(feed_id)
        table = {"id": feed_id, "url": outline.url, "outlet": outline.title or host, **known}
        tables.append(_table(table, outline.enabled))
    text = "\n\n".join(tables) + "\n"
    return text, text.count(TO_FILL)


def _table(fields: Mapping[str, str], enabled: bool) -> str:
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}{'' if value else TO_FILL}" for name, value in fields.items()
    ]
    lines = [line.replace("\x7f", "\\u007f") for line in lines]
    return "\n".join(["[[feed]]", *lines, f"enabled = {str(enabled).lower()}"])

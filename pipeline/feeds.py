"""The feeds file: TOML in, `Feed` records out."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import ConfigError
from pipeline.records import Feed

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

"""Events that trends are read against: a TOML file in, `Event` records in the order of their days out."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError
from pipeline.records import stable_id


class Event(BaseModel):
    """One `[[event]]` table: the day on which something happened, and what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date
    name: str = Field(min_length=1, max_length=200)

    @property
    def event_id(self) -> str:
        """Return the key of the event: one day and name is one event, also where the file lists it twice."""
        return stable_id(self.day.isoformat(), self.name)


def load_events(path: Path | None = None) -> list[Event]:
    """Read an events file (None: the one of the package). Raises ConfigError naming the file and the event."""
    source = path if path is not None else files("pipeline") / "data" / "events.toml"
    try:
        read = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"events file {source}: {error}") from error
    tables = read.pop("event", [])
    if read or not isinstance(tables, list):
        raise ConfigError(f"events file {source}: it holds [[event]] tables and nothing else")
    try:
        events = [Event.model_validate(table) for table in tables]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"events file {source}: {faults} (an event has a day and a name)") from error
    return sorted(events, key=lambda event: (event.day, event.name))

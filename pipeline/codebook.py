"""The codebook as data: a TOML file in, topics, targets and thresholds out, checked and hashed."""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """Frozen, and strict about names: a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Relevance(_Part):
    """What makes a document relevant; one with none of the `terms` is not read further (see `pipeline.sieve`)."""

    covers: str
    excludes: str = ""
    terms: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class TopicDef(_Part):
    """One topic: zero or more of them hold for a relevant document."""

    id: Name
    covers: str
    excludes: str = ""


class Examples(_Part):
    """Sentences that favor a target, oppose it, or speak of it without a position: for coders, and for training."""

    favor: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()


class TargetDef(_Part):
    """A proposition that a document may favor, oppose or leave alone."""

    id: Name
    proposition: str
    notes: str = ""
    examples: Examples = Examples()


class Thresholds(_Part):
    """Probabilities from which a label is given, and under which the model abstains."""

    relevance: Share = 0.5
    topic: Share = 0.5
    addressed: Share = 0.5
    abstain: Share = 0.5


class Codebook(_Part):
    """A whole codebook; `hash` identifies its content, whatever the order of keys or the comments of the file."""

    version: str
    relevance: Relevance
    thresholds: Thresholds = Thresholds()
    topics: tuple[TopicDef, ...] = Field(min_length=1)
    targets: tuple[TargetDef, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Codebook:
        for kind, ids in (("topic", [t.id for t in self.topics]), ("target", [t.id for t in self.targets])):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                raise ValueError(f"{kind} named twice: {', '.join(twice)}")
        return self

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, over the canonical JSON of the codebook."""
        plain = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(plain.encode("utf-8")).hexdigest()


def load_codebook(path: Path | None = None) -> Codebook:
    """Read the codebook at `path`, or the one of the package. Raises ConfigError with the place of a mistake."""
    place = path or files("pipeline") / "data" / "codebook.toml"
    try:
        return Codebook.model_validate(tomllib.loads(place.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"codebook {place} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"codebook {place} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(f"codebook {place}: {where}: {first['msg']}") from error

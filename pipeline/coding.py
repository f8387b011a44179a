"""What people coded: a file of JSON lines or CSV in, `Coding` records out, and a `Fault` for each line that is none.

A JSON line codes one document: {document_id, id or url, relevance, topics, stances: {target: favor|against|neutral}, coder,
codebook, coded_at, weight}; title, text and lang may stand beside. A list of topics is complete, a target that is not listed
is not coded. A CSV row is one label: columns document_id or url, target (a target or topic of the codebook, or
`relevance`), label, and coder, codebook, coded_at, weight; further columns are left alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.codebook import Codebook
from pipeline.errors import ConfigError

YES = {"yes": "yes", "true": "yes", "1": "yes", "no": "no", "false": "no", "0": "no"}
SIDES = {name: name for name in ("favor", "against", "neutral")}
LONGEST_CELL = 10_000_000  # characters: exports carry whole texts, the default of csv is too short for some


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One label of one document by one coder."""

    line: int  # of the file, the head of a CSV included
    document: str  # document_id or url
    coder: str
    codebook_version: str
    coded_at: datetime
    kind: str  # relevance | topic | stance
    target: str  # of the codebook; "relevance" for relevance
    label: str  # favor | against | neutral for a stance, else yes | no
    weight: float | None  # documents of the population that this one stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that cannot be taken, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What counts where a line does not say it."""

    codebook: Codebook
    coder: str | None
    coded_at: datetime


class _Line(BaseModel):
    """What every line may say; pydantic checks what people wrote."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    document_id: str | None = None
    id: str | None = None
    url: str | None = None
    coder: str | None = None
    codebook: str | None = None
    coded_at: datetime | None = None
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class _Document(_Line):
    """A JSON line. A misspelt name is an error: it would lose labels without a word."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    text: str | None = None
    lang: str | None = None
    relevance: bool | None = None
    topics: list[str] | None = None
    stances: dict[str, str] | None = None


class _Cell(_Line):
    """A CSV row."""

    target: str = ""
    label: str = ""


def read_codings(text: str, defaults: Defaults) -> Iterator[Coding | Fault]:
    """Yield every label of the file in its order, and a fault for each line that cannot be taken whole.

    Lines that carry no label yet yield nothing. Raises ConfigError where a CSV lacks a column that it needs.
    """
    lines = _json_lines(text) if text.lstrip().startswith("{") else _csv_rows(text)
    for number, found in lines:
        try:
            if isinstance(found, Exception):
                raise found
            yield from [_coding(number, found, label, defaults) for label in _labels(found, defaults.codebook)]
        except ValidationError as error:
            first = error.errors()[0]
            yield Fault(line=number, why=f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}")
        except (ValueError, csv.Error) as error:
            yield Fault(line=number, why=str(error))


def _json_lines(text: str) -> Iterator[tuple[int, _Line | Exception]]:
    for number, line in enumerate(text.split("\n"), 1):  # only a line feed ends a line
        if line.strip():
            try:
                yield number, _Document.model_validate(json.loads(line))
            except (ValueError, RecursionError) as error:
                yield number, error if isinstance(error, ValidationError) else ValueError(f"no JSON: {error}")


def _csv_rows(text: str) -> Iterator[tuple[int, _Line | Exception]]:
    """A spreadsheet may separate by semicolon or tab: the head tells."""
    csv.field_size_limit(LONGEST_CELL)
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    columns = {name.strip().lower(): name for name in reader.fieldnames or []}
    if not {"target", "label"} <= set(columns) or not {"document_id", "id", "url"} & set(columns):
        raise ConfigError("neither JSON lines nor a CSV with the columns document_id or url, target and label")
    known = {columns[name]: name for name in _Cell.model_fields if name in columns}
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
            yield start, _cell(row, known)
        except StopIteration:
            return
        except (csv.Error, ValueError) as error:
            yield start, error


def _cell(row: dict[str | Any, Any], known: dict[str, str]) -> _Cell:
    if None in row or None in row.values():
        raise ValueError("has not as many cells as the head")
    return _Cell.model_validate({name: row[column] for column, name in known.items() if row[column].strip()})


def _labels(line: _Line, book: Codebook) -> list[tuple[str, str, str]]:
    """Return (kind, target, label) of everything that a line says."""
    if isinstance(line, _Cell):
        return [_one(line.target, line.label, book)] if line.label else []
    assert isinstance(line, _Document)
    found = [] if line.relevance is None else [_one("relevance", str(line.relevance), book)]
    if line.topics is not None:
        strange = sorted(set(line.topics) - {topic.id for topic in book.topics})
        if strange:
            raise ValueError(f"the codebook has no topic {', '.join(strange)}")
        found += [("topic", topic.id, "yes" if topic.id in line.topics else "no") for topic in book.topics]
    return found + [_one(target, side, book, ("stance",)) for target, side in (line.stances or {}).items()]


def _one(
    target: str, label: str, book: Codebook, kinds: tuple[str, ...] = ("relevance", "stance", "topic")
) -> tuple[str, str, str]:
    """Tell what kind of label it is by its target, and spell it as it is stored."""
    names = {"relevance": ["relevance"], "stance": [t.id for t in book.targets], "topic": [t.id for t in book.topics]}
    kind = next((kind for kind in kinds if target in names[kind]), None)
    if kind is None:
        raise ValueError(f"the codebook has no {' or '.join(kinds)} {target!r}; it has {', '.join(names[kinds[-1]])}")
    spelt = SIDES if kind == "stance" else YES
    if label.lower() not in spelt:
        raise ValueError(f"{target}: {label!r} is none of {', '.join(spelt)}")
    return kind, target, spelt[label.lower()]


def _coding(number: int, line: _Line, label: tuple[str, str, str], defaults: Defaults) -> Coding:
    version = defaults.codebook.version
    document, coder = line.document_id or line.url or line.id, line.coder or defaults.coder
    when = line.coded_at or defaults.coded_at
    if not document:
        raise ValueError("names no document: document_id or url is missing")
    if not coder:
        raise ValueError("names no coder: give --coder NAME")
    if line.codebook and line.codebook != version:
        raise ValueError(f"coded with codebook {line.codebook}, at hand is {version}: name the other with --codebook")
    return Coding(
        line=number, document=document, coder=coder, codebook_version=version,
        coded_at=when if when.tzinfo else when.replace(tzinfo=UTC),
        kind=label[0], target=label[1], label=label[2], weight=line.weight,
    )  # fmt: skip

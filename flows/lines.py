"""JSON lines in, JSON lines out: `entries`, `extract` and `classify` over files and standard input.

Each line in gets exactly one line out, in order, also where it cannot be processed. Memory holds one batch.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from flows.stages import classifier_for
from pipeline.errors import Rejected
from pipeline.poll import read_feed
from pipeline.pool import Extractors, RawPage
from pipeline.records import Document, Labels
from pipeline.settings import Settings
from pipeline.urls import normalise_url

MAX_LINE = 64_000_000  # characters
BATCH = 16


class BadLine(ValueError):
    """A line that cannot be processed; the message says why."""


def read_lines(stream: IO[bytes]) -> Iterator[dict[str, Any] | BadLine]:
    """Yield each line as an object, or as the BadLine that says what is wrong with it. Only a line feed ends a line."""
    number = 0
    while raw := stream.readline(MAX_LINE):
        number += 1
        if len(raw) >= MAX_LINE and not raw.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield BadLine(f"line {number} is longer than {MAX_LINE} bytes")
            continue
        yield _parsed(raw, number)


def _parsed(raw: bytes, number: int) -> dict[str, Any] | BadLine:
    try:
        line = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        return BadLine(f"line {number} is not JSON: {error}")
    return line if isinstance(line, dict) else BadLine(f"line {number} is not a JSON object")


def write_line(stream: IO[str], record: dict[str, Any]) -> None:
    """Write one record; separators that end a line elsewhere (U+2028 and the like) and lone surrogates are escaped."""
    text = json.dumps(record, ensure_ascii=False)
    stream.write("".join(c if c not in "\u2028\u2029\x85\x7f" and not _lone(c) else f"\\u{ord(c):04x}" for c in text))
    stream.write("\n")


def _lone(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def each_line(
    path: Path | None, work: Callable[[Iterable[dict[str, Any] | BadLine]], Iterator[dict[str, Any]]]
) -> None:
    """Run `work` from a file (None or `-`: standard input) to standard output."""
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False)  # noqa: SIM115
    source = sys.stdin.buffer if path is None or str(path) == "-" else path.open("rb")
    with source, out:
        for record in work(read_lines(source)):
            write_line(out, record)


def _identity(line: dict[str, Any]) -> Any:
    return line.get("id")


def _needed(line: dict[str, Any], *names: str) -> list[str]:
    for name in names:
        if not isinstance(line.get(name), str):
            raise BadLine(f"field {name} is missing or no string")
    return [line[name] for name in names]


def entries_of(lines: Iterable[dict[str, Any] | BadLine]) -> Iterator[dict[str, Any]]:
    """Manifest lines {id, url, path} of feed bodies to {id, entries, error}."""
    for line in lines:
        try:
            if isinstance(line, BadLine):
                raise line
            url, path = _needed(line, "url", "path")
            found, refused = read_feed(Path(path).read_bytes(), "", url, datetime.now(UTC))
        except (BadLine, OSError, Rejected, ValueError) as error:
            yield {"id": _identity(line) if isinstance(line, dict) else None, "entries": [], "error": str(error)}
            continue
        listed = sorted([*found, *(entry for entry, _ in refused)], key=lambda entry: entry.position)
        yield {
            "id": _identity(line),
            "entries": [
                {
                    "url": entry.url or None,
                    "title": entry.title,
                    "published_at": entry.published_at.isoformat() if entry.published_at else None,
                    "date_doubt": entry.date_doubt,
                }
                for entry in listed
            ],
            "error": None,
        }


def documents_of(lines: Iterable[dict[str, Any] | BadLine]) -> Iterator[dict[str, Any]]:
    """Manifest lines {id, url, path} of pages to documents; what a page does to its process costs that page alone."""
    waiting: deque[tuple[dict[str, Any], BadLine | None]] = deque()
    with Extractors() as extractors:
        for document in extractors.extract(_pages(lines, waiting)):
            yield from _unread(waiting)
            yield document_record(_identity(waiting.popleft()[0]), document)
    yield from _unread(waiting)


def _pages(
    lines: Iterable[dict[str, Any] | BadLine], waiting: deque[tuple[dict[str, Any], BadLine | None]]
) -> Iterator[RawPage]:
    """Yield the pages of a manifest; every line joins `waiting`, with its error where there is no page to yield."""
    for line in lines:
        given = {} if isinstance(line, BadLine) else line
        try:
            if isinstance(line, BadLine):
                raise line
            url, path = _needed(line, "url", "path")
            page = RawPage(Path(path).read_bytes(), normalise_url(url))
        except (BadLine, OSError, ValueError) as error:
            waiting.append((given, BadLine(str(error))))
            continue
        waiting.append((given, None))
        yield page


def _unread(waiting: deque[tuple[dict[str, Any], BadLine | None]]) -> Iterator[dict[str, Any]]:
    """Yield the records of the lines without a page that are next."""
    names = ("canonical_url", "title", "published_at", "date_source", "lang", "text")
    while waiting and (error := waiting[0][1]) is not None:
        given, _ = waiting.popleft()
        refused = {"stage": "extract", "reason": "bad_input", "detail": str(error)}
        empty: dict[str, Any] = dict.fromkeys(names)
        yield {"id": given.get("id"), "url": given.get("url"), **empty, "authors": [], "rejection": refused}


def document_record(identity: Any, document: Document) -> dict[str, Any]:
    """Return a document in the format of `extract`."""
    refused = document.rejection
    return {
        "id": identity,
        "url": document.url,
        "canonical_url": document.canonical_url,
        "title": document.title,
        "authors": list(document.authors),
        "published_at": document.published_at,
        "date_source": document.date_source,
        "lang": document.lang,
        "text": document.text,
        "rejection": {"stage": refused.stage, "reason": refused.reason, "detail": refused.detail} if refused else None,
    }


def labels_of(lines: Iterable[dict[str, Any] | BadLine], settings: Settings) -> Iterator[dict[str, Any]]:
    """Lines {id, title, text[, lang]} to labels, a batch at a time."""
    classifier, book = classifier_for(settings)
    model = {"id": classifier.model_id, "revision": classifier.revision, "codebook": book.hash}
    batch: list[tuple[Any, tuple[str, str, str | None] | BadLine]] = []

    def flush() -> Iterator[dict[str, Any]]:
        labels = iter(classifier.label([given for _, given in batch if not isinstance(given, BadLine)]))
        for identity, given in batch:
            yield (
                refused_record(identity, given)
                if isinstance(given, BadLine)
                else label_record(identity, next(labels), model)
            )
        batch.clear()

    for line in lines:
        try:
            if isinstance(line, BadLine):
                raise line
            title = line.get("title") or ""
            (text,) = _needed(line, "text")
            if not isinstance(title, str) or not isinstance(line.get("lang"), str | None):
                raise BadLine("fields title and lang must be strings")
            batch.append((_identity(line), (title, text, line.get("lang"))))
        except BadLine as error:
            batch.append((_identity(line) if isinstance(line, dict) else None, error))
        if len(batch) >= BATCH:
            yield from flush()
    yield from flush()


def refused_record(identity: Any, error: BadLine) -> dict[str, Any]:
    """Return the record of a line that cannot be labelled."""
    refused = {"stage": "label", "reason": "bad_input", "detail": str(error)}
    return {
        "id": identity, "lang": None, "relevance": None, "topics": [], "stances": [], "model": None, "rejection": refused,
    }  # fmt: skip


def label_record(identity: Any, labels: Labels, model: dict[str, str]) -> dict[str, Any]:
    """Return labels in the format of `classify`."""
    return {
        "id": identity,
        "lang": labels.lang,
        "relevance": {"p": labels.p_relevant, "label": labels.relevant},
        "topics": [{"topic": t.topic, "p": t.p, "label": t.label} for t in labels.topics],
        "stances": [
            {
                "target": s.target,
                "addressed": s.addressed,
                "p_favor": s.p_favor,
                "p_against": s.p_against,
                "p_neutral": s.p_neutral,
                "label": s.label,
                "abstain": s.abstain,
                "evidence": [asdict(e) for e in s.evidence],
            }
            for s in labels.stances
        ],
        "model": model,
        "rejection": None,
    }

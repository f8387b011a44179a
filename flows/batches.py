"""A batch of pages in its work folder: what was fetched in, lines and raw pages out, an entry a line in order.

`fetched.jsonl` names the WARC file of each page; what its owner does not want kept lies in one that is dropped.
`extracted.jsonl` has the same lines with their documents, `labelled.jsonl` the labels of what was to be labelled. A file is
there whole or not at all: a process or machine that was given up and still writes harms nobody.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.archive import blank
from pipeline.errors import ConfigError, ItemError, Transient
from pipeline.pool import RawPage
from pipeline.records import Document, Labels, Page, Rejection
from pipeline.reservations import may_keep
from pipeline.urls import normalise_url
from pipeline.warc.read import read_warc
from pipeline.warc.write import WarcFiles, write_pages
from warehouse.spool import iso

log = logging.getLogger(__name__)
PAGES, UNKEPT = "pages.warc.gz", "unkept.warc.gz"  # what is kept, and what its owner does not want kept
Line = dict[str, Any]
_LABELS = TypeAdapter(Labels)


def write_fetched(
    folder: Path, entries: Sequence[dict[str, Any]], results: Sequence[Page | ItemError], places: Sequence[str] = ()
) -> Path:
    """Write two WARC files and fetched.jsonl. `places`: where pages are kept already."""
    files: dict[str, list[Page]] = {PAGES: [], UNKEPT: []}
    names = []  # of the files of the pages, in order
    for page in results:
        if isinstance(page, Page):
            names.append(PAGES if may_keep(page) else UNKEPT)
            files[names[-1]].append(page)
    named = iter(names)
    offsets = {name: iter(write_pages(folder / name, pages)) for name, pages in files.items()}
    lines = []
    for number, (entry, page) in enumerate(zip(entries, results, strict=True)):
        line: Line = {"entry": entry}
        if isinstance(page, Page):
            file = next(named)
            line |= {"fetched_at": iso(page.fetched_at), "file": file, "offset": next(offsets[file])}
            line["place"] = places[number] if places else None
        else:
            log.info("page %s (feed %s): %s", entry["url"], entry["feed_id"], page)
            line["failure"] = [isinstance(page, Transient), page.reason, page.detail, page.retry_after]
        lines.append(line)
    return write_lines(folder / "fetched.jsonl", lines)


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> Path:
    """Write a file of JSON lines, whole or not at all; return its folder."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with draft.open("w", encoding="utf-8", newline="\n") as stream:
        for line in lines:
            stream.write(json.dumps(line) + "\n")
    draft.replace(path)
    return path.parent


def lines_of(path: Path) -> Iterator[Line]:
    """Read a file of JSON lines."""
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def raw_pages(folder: Path, lines: Sequence[Line]) -> Iterator[RawPage]:
    """Return the pages of the lines that have one, in order."""
    files = {name: read_warc(folder / name) for name in (PAGES, UNKEPT)}
    for line in lines:
        if "failure" not in line:
            url, _, body = next(files[line["file"]])
            yield RawPage(body, url, line["entry"]["published_at"])


def document_of(line: dict[str, Any]) -> Document | None:
    """Return the document of an extracted line, None where the page could not be fetched."""
    fields = line.get("document")
    if fields is None:
        return None
    refused = fields["rejection"]
    return Document(
        **{**fields, "authors": tuple(fields["authors"]), "rejection": Rejection(**refused) if refused else None}
    )


def write_labels(folder: Path, label_run: str, labels: Iterable[Labels | str]) -> Path:
    """Write labelled.jsonl: the label run, then the labels of a document a line, or the reason why it has none."""
    lines = [{"failed": each} if isinstance(each, str) else asdict(each) for each in labels]
    return write_lines(folder / "labelled.jsonl", [{"label_run": label_run}, *lines])


def labels_of(folder: Path, label_run: str) -> list[Labels | str]:
    """Read labelled.jsonl. Raises ConfigError where another model, codebook or version than ours did the work."""
    head, *lines = lines_of(folder / "labelled.jsonl")
    if head["label_run"] != label_run:
        raise ConfigError(
            "who labelled has another model, codebook or version of Stancewatch: give all machines the same"
        )
    return [line["failed"] if "failed" in line else _LABELS.validate_python(line) for line in lines]


def keep_pages(
    warc: WarcFiles, folder: Path, lines: Sequence[Line], erased: Set[str] = frozenset()
) -> Callable[[Line], str | None]:
    """Put the pages of a batch with those kept before; return what says of a line where its page is, `file#offset`.

    Of documents that were `erased`, no page is kept.
    """
    documents = filter(None, map(document_of, lines))
    if gone := {document.url for document in documents if document.document_id in erased}:
        blank(folder / PAGES, lambda url, _: normalise_url(url) in gone)
    if not any(line.get("file") == PAGES and line["place"] is None for line in lines):
        return lambda line: line["place"]
    path, begin = warc.keep(folder / PAGES)
    return lambda line: line["place"] or (f"{path}#{begin + line['offset']}" if line["file"] == PAGES else None)

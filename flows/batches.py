"""A batch of pages in its work folder: what was fetched in, lines and raw pages out, an entry a line in order.

`fetched.jsonl` names the WARC file of each page; what its owner does not want kept lies in one that is dropped.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from pipeline.archive import blank
from pipeline.errors import ItemError, Transient
from pipeline.pool import RawPage
from pipeline.records import Document, Page, Rejection
from pipeline.reservations import may_keep
from pipeline.urls import normalise_url
from pipeline.warc.read import read_warc
from pipeline.warc.write import WarcFiles, write_pages
from warehouse.spool import iso

log = logging.getLogger(__name__)
PAGES, UNKEPT = "pages.warc.gz", "unkept.warc.gz"  # what is kept, and what its owner does not want kept
Line = dict[str, Any]


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
    with (folder / "fetched.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for number, (entry, page) in enumerate(zip(entries, results, strict=True)):
            line: Line = {"entry": entry}
            if isinstance(page, Page):
                file = next(named)
                line |= {"fetched_at": iso(page.fetched_at), "file": file, "offset": next(offsets[file])}
                line["place"] = places[number] if places else None
            else:
                log.info("page %s: %s", entry["url"], page)
                line["failure"] = [isinstance(page, Transient), page.reason, page.detail, page.retry_after]
            stream.write(json.dumps(line) + "\n")
    return folder


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

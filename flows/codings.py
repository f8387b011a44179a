"""Labels by people, into the warehouse and out of it: a coded file in; a sample of documents to code out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.codebook import load_codebook
from pipeline.coding import Coding, Defaults, Fault, read_codings
from pipeline.errors import ConfigError
from pipeline.settings import Settings
from warehouse.human import find_documents
from warehouse.load import load_folder
from warehouse.publish import publish
from warehouse.query import run_query
from warehouse.spool import deal, iso, new_id, write_load


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file: labels that it holds, labels that were new, and the lines that could not be taken."""

    labels: int
    new: int
    faults: tuple[Fault, ...]


def import_codings(settings: Settings, path: Path, coder: str | None) -> Imported:
    """Store the labels of a coded file and publish; the good lines go in, whatever the others are.

    Needs no pass lock: it is one short load, from a folder of its own; killed before, the file is still there.
    """
    text, changed_at = _read(path)
    defaults = Defaults(codebook=load_codebook(settings.codebook), coder=coder, coded_at=changed_at)
    found = list(read_codings(text, defaults))
    codings = [each for each in found if isinstance(each, Coding)]
    documents = find_documents(settings.warehouse, {each.document for each in codings})
    rows, refused = _rows(codings, documents)
    with TemporaryDirectory() as folder:
        load = write_load(deal(Path(folder)), new_id(), "human", {"human_label": rows})
        new = load_folder(settings.warehouse, load).get("human_label", 0)
    publish(settings.warehouse)
    faults = {*refused, *(each for each in found if isinstance(each, Fault))}
    return Imported(labels=len(rows), new=new, faults=tuple(sorted(faults, key=lambda fault: fault.line)))


def _read(path: Path) -> tuple[str, datetime]:
    """Return the text and when it was last changed."""
    if str(path) == "-":
        raw, when = sys.stdin.buffer.read(), datetime.now(UTC)
    else:
        raw, when = path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        return raw.decode("utf-8-sig"), when
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8; save the file as UTF-8, nothing was imported") from error


def _rows(codings: Sequence[Coding], documents: dict[str, str]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Return the rows to load, and a fault for an unknown document or two labels of one coder, target and time."""
    rows: dict[tuple[object, ...], tuple[Coding, dict[str, Any]]] = {}
    faults = []
    for each in codings:
        document_id = documents.get(each.document)
        if document_id is None:
            faults.append(Fault(line=each.line, why=f"no document {each.document} in the warehouse"))
            continue
        key = (document_id, each.coder, each.kind, each.target, each.coded_at)
        first, _ = rows.setdefault(key, (each, _row(document_id, each)))
        if first.label != each.label:
            why = f"{each.target} is {each.label}, but {first.label} in line {first.line}: give coded_at, the later one counts"
            faults.append(Fault(line=each.line, why=why))
    return [row for _, row in rows.values()], faults


def _row(document_id: str, coding: Coding) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "coder": coding.coder,
        "kind": coding.kind,
        "target": coding.target,
        "label": coding.label,
        "codebook_version": coding.codebook_version,
        "coded_at": iso(coding.coded_at),
        "weight": coding.weight,
    }


def sample(settings: Settings, size: int, seed: int, lang: str | None) -> Iterator[dict[str, Any]]:
    """Yield documents to code {id, title, text, url, lang, weight}; weights add up to the labelled documents.

    Raises ConfigError where the sample is too small to hold every label of the model.
    """
    params = {"size": str(size), "seed": str(seed), **({"lang": lang} if lang else {})}
    columns, found = run_query(settings.warehouse, "coding_sample", params)
    rows = [dict(zip(columns, each, strict=True)) for each in found]
    if rows and len(rows) < rows[0]["strata"]:
        raise ConfigError(f"the documents have {rows[0]['strata']} kinds of labels: draw at least one of each")
    for row in rows:
        yield {name: value for name, value in row.items() if name != "strata"}

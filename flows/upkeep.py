"""Upkeep of a warehouse: retention, compaction and checks; the erasure of a document. Each holds the lock of a pass."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.report.make import figures_of, make_report, standing_report
from flows.stages import Pass, take_over
from pipeline.archive import blank, drop, expired, warc_files
from pipeline.errors import ConfigError, WarehouseError
from pipeline.extract import document_id_of
from pipeline.records import stable_id
from pipeline.settings import Settings
from pipeline.urls import normalise_url, same_owner
from warehouse import ducklake, retention
from warehouse.compact import compact
from warehouse.connect import is_there
from warehouse.ducklake import is_lake
from warehouse.health import record_checks
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import CHECKS, run_checks
from warehouse.spool import new_id

log = logging.getLogger(__name__)
NO_TIME = timedelta(0)
AT_ONCE: dict[str, Any] = {
    "keep": NO_TIME,
    "grace": NO_TIME,
    "least_deleted": 0.0,
}  # of a lake, also for who reads it now


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What maintenance did."""

    removed: dict[str, int]  # rows by table, files under `warc`
    compacted: dict[str, int]  # bytes of the file `before` and `after`; of a lake, files by what became of them
    findings: tuple[str, ...]  # what the checks found, in words


def maintain(settings: Settings, wait: float = 0) -> Maintained:
    """Apply retention, compact, check and publish; wait so many seconds for a pass that is running.

    Compaction comes after retention, so that what expired is not left in the file; checks see all of it, and what they
    find is recorded, for `stancewatch status` to tell.
    """
    target = settings.warehouse
    _expect(target)
    with pass_lock(target, settings.share, wait):
        removed = _retain(settings, datetime.now(UTC))
        compacted = _compact(target)
        broken = run_checks(target)
        record_checks(target, {path.stem: len(broken.get(path.stem, [])) for path in CHECKS.glob("*.sql")})
        publish(target)
    findings = tuple(in_words(name, len(rows), rows[0]) for name, rows in broken.items())
    return Maintained(removed=removed, compacted=compacted, findings=findings)


def _expect(target: str) -> None:
    if not is_there(target):  # before the lock leaves its file there
        raise WarehouseError(f"no warehouse at {target}: a pass (stancewatch run) creates it")


def _compact(target: str, **limits: Any) -> dict[str, int]:
    if is_lake(target):
        return ducklake.compact(target, **limits)
    before, after = compact(target)
    return {"before": before, "after": after}


def _retain(settings: Settings, now: datetime) -> dict[str, int]:
    """Note what goes before the files go: a kill between leaves files that the next maintenance takes."""

    def since(days: int) -> datetime | None:
        return now - timedelta(days=days) if days else None

    warc = since(settings.keep_warc_days)
    old = expired(warc_files(settings.data), warc, settings.keep_warc_bytes)
    texts, polls = since(settings.keep_text_days), since(settings.keep_poll_days)
    removed = retention.expire(
        settings.warehouse, now, texts=texts, polls=polls, warc=warc or now, warc_files=len(old)
    )  # fmt: skip
    drop(old)
    return removed


def in_words(name: str, n: int, first: object) -> str:
    """Say what a check found: the rule that the head of its file states, how many break it, and the first of them."""
    head = re.match(r"(-- .*\n)+", (CHECKS / f"{name}.sql").read_text(encoding="utf-8"))
    rule = " ".join(line.removeprefix("-- ") for line in head.group().splitlines()) if head else name
    return f"{name}: {n} rows break the rule “{rule}” The first: {first}"


def erase(settings: Settings, name: str, reason: str) -> tuple[str, int]:
    """Erase a document, named by id or address, everywhere; return its id and how many WARC records were blanked.

    Killed at any point it can be started again: the pages go first, as long as the warehouse knows their addresses, and an
    erased document is found again by the hashes of its addresses. Raises ConfigError where no document or more than one is meant.
    """
    _expect(settings.warehouse)
    with pass_lock(settings.warehouse, settings.share):
        take_over(Pass(settings, new_id()))  # what a killed pass prepared may hold the document
        document_id = _find(settings.warehouse, name)
        found = _traces(settings.warehouse, document_id, name)
        records = sum(blank(path, _page_of(document_id, found)) for path in _files(settings.data, found))
        _drop_quarantined(settings.data, document_id)
        retention.erase(settings.warehouse, document_id, reason)
        _compact(settings.warehouse, **AT_ONCE)  # deleted rows stay in the files until then
        publish(settings.warehouse)
        if (page := standing_report(settings)).exists():  # it shows sentences
            make_report(settings, page, figures_of(settings))
    log.info("erased document %s and %d records of its page", document_id, records)
    return document_id, records


def _traces(target: str, document_id: str, name: str) -> retention.Traces:
    """The address that it was named by counts too: an erased document's are known to nobody else, as to another share's pages."""
    found = retention.traces(target, document_id)
    return replace(found, addresses=found.addresses | ({_normal(name)} - {document_id}))


def _find(target: str, name: str) -> str:
    url = _normal(name)
    found = retention.find_document(target, name, url, stable_id(url))
    if len(found) != 1:
        several = f"more than one document: name one by its id ({', '.join(found)})" if found else "no document"
        raise ConfigError(f"{name} is {several}; nothing was erased")
    return found[0]


def _normal(name: str) -> str:
    try:
        return normalise_url(name)
    except ValueError:
        return name


def _files(data: Path, found: retention.Traces) -> list[Path]:
    """Any younger file may have the page: of an address that turned out to be a duplicate, or of a pass that was killed."""
    named = {data / name for name in found.files}
    return [path for path in warc_files(data) if path in named or path.stat().st_mtime >= found.since]


def _page_of(document_id: str, found: retention.Traces) -> Callable[[str, bytes | None], bool]:
    """A record is the document's by its address, or because its page names that of the document, which only its owner's can."""

    def judge(url: str, body: bytes | None) -> bool:
        url = _normal(url)
        if url in found.addresses:
            return True
        owned = body is not None and any(same_owner(url, address) for address in found.addresses)
        return owned and document_id_of(body or b"", url) == document_id

    return judge


def _drop_quarantined(data: Path, document_id: str) -> None:
    """Drop loads that were set aside and name the document: what they hold is pending still."""
    for folder in (data / "spool-quarantine").glob("*"):
        if any(document_id.encode() in path.read_bytes() for path in folder.glob("*.jsonl")):
            shutil.rmtree(folder)

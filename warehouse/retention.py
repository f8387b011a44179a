"""What leaves the warehouse for good: old texts and details of polls by retention, a document by erasure. Each is a load.

A row of `removal` says what went, so that a query as of an earlier load can say what it no longer has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse.connect import Connection, Row, Target, fetch_rows, reading, writing
from warehouse.kept import keep_up
from warehouse.load import again_on_conflict, record_load, run_step
from warehouse.spool import new_id

_FOUND = """
    SELECT document_id FROM document WHERE document_id IN ($name, $id)
    UNION SELECT document_id FROM document WHERE url IN ($name, $url) OR canonical_url IN ($name, $url)
    UNION SELECT document_id FROM entry SEMI JOIN document USING (document_id) WHERE entry_id = $id OR url IN ($name, $url)
"""
_TRACES = """
    SELECT list(DISTINCT address) FILTER (address IS NOT NULL) AS addresses, list(DISTINCT place) FILTER (place IS NOT NULL) AS places,
        epoch_us(min(since)) AS since
    FROM (
        SELECT unnest([url, canonical_url]) AS address, warc_path AS place, first_seen_at AS since FROM document WHERE document_id = $id
        UNION ALL SELECT NULL, warc_path, NULL FROM document_revision WHERE document_id = $id
        UNION ALL SELECT content ->> 'url', NULL, NULL FROM past_row WHERE record = 'document' AND (content ->> 'document_id') = $id
        UNION ALL SELECT url, NULL, first_seen_at FROM entry WHERE document_id = $id
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where a document has left something outside of the warehouse."""

    addresses: frozenset[str]  # its own, and those of the entries that led to it
    files: frozenset[str]  # WARC files with its page, below the data folder
    since: float  # when it was first seen, in seconds since 1970: younger files may have its page again


@again_on_conflict
def expire(
    target: Target,
    now: datetime,
    *,
    texts: datetime | None,
    polls: datetime | None,
    warc: datetime | None,
    warc_files: int,
) -> dict[str, int]:
    """Remove texts and details of polls that are older than the times, note `warc_files` beside; return rows by record."""
    before = {"texts_before": texts, "polls_before": polls, "warc_before": warc, "warc_files": warc_files}
    load_id = new_id()
    with writing(target) as con:
        run_step(con, "retain", {**before, "now": now, "load_id": load_id})
        gone = fetch_rows(con, "SELECT record, n FROM removal WHERE load_id = $id ORDER BY record", {"id": load_id})
        if gone:
            record_load(con, _head(load_id, "retention", now))
    return {row["record"]: row["n"] for row in gone}


def find_document(target: Target, name: str, url: str, url_id: str) -> list[str]:
    """Return the documents that an id or address leads to, also erased ones: their ids are hashes of their addresses."""
    with reading(target) as con:
        rows = fetch_rows(con, _FOUND, {"name": name, "url": url, "id": url_id})
    return sorted(row["document_id"] for row in rows)


def traces(target: Target, document_id: str) -> Traces:
    """Say where to look for a document's page."""
    with reading(target) as con:
        (row,) = fetch_rows(con, _TRACES, {"id": document_id})
    files = frozenset(place.partition("#")[0] for place in row["places"] or ())
    return Traces(addresses=frozenset(row["addresses"] or ()), files=files, since=(row["since"] or 0) / 1e6)


@again_on_conflict
def erase(target: Target, document_id: str, reason: str) -> bool:
    """Remove a document's text, evidence, title, authors and addresses; say no where it was erased before."""
    now, load_id = datetime.now(UTC), new_id()
    with writing(target) as con:
        if document_id in erased_in(con):
            return False
        con.execute(
            "INSERT INTO removal BY NAME SELECT 'document' AS record, $id AS document_id, 1 AS n, 'erasure' AS reason, $detail AS detail,"
            " $now AS removed_at, $load_id AS load_id",
            {"id": document_id, "detail": reason, "now": now, "load_id": load_id},
        )
        run_step(con, "touched", {"load_id": load_id})
        run_step(con, "scrub", {"load_id": load_id, "all_past": True})
        keep_up(con)
        record_load(con, _head(load_id, "erasure", now))
    return True


def erased_documents(target: Target) -> frozenset[str]:
    """Return the documents that were erased."""
    with reading(target) as con:
        return erased_in(con)


def erased_in(con: Connection) -> frozenset[str]:
    """Return the documents that were erased, over an open connection; none in a warehouse of before there was erasure."""
    if not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'removal'").fetchone():
        return frozenset()
    rows: list[Row] = fetch_rows(con, "SELECT DISTINCT document_id FROM removal WHERE record = 'document'")
    return frozenset(row["document_id"] for row in rows)


def _head(load_id: str, kind: str, now: datetime) -> dict[str, Any]:
    return {"load_id": load_id, "run_id": load_id, "kind": kind, "created_at": now.isoformat()}

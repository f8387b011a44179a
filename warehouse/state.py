"""What the next pass has to do, read from the warehouse: due feeds, pending entries, unlabelled documents; and outcomes.

Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from warehouse.connect import Row, Target, fetch_rows, reading
from warehouse.query import readers_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORK = """entry.entry_id, entry.url, entry.feed_id, entry.outlet_id, entry.title,
            epoch_us(entry.published_at) AS published_at, coalesce(attempts, 0) AS attempts,
            epoch_us(entry.first_seen_at) AS first_seen_at, document.document_id, document.title AS stored_title, text_hash
        FROM entry LEFT JOIN document ON document.entry_id = entry.entry_id"""


def due_feeds(target: Target, now: datetime, all_feeds: bool = False, *, of: Sequence[str] | None = None) -> list[Row]:
    """Return what is known of the enabled feeds that are due, longest waiting first; `of`: only among these.

    Keys: feed_id, etag, last_modified, body_hash, failures, and those of feed_schedule from poll_interval to wishes.
    """
    sql = """
        SELECT feed.feed_id, etag, last_modified, body_hash, coalesce(failures, 0) AS failures, poll_interval,
            coalesce(strain, 0) AS strain, epoch_us(fresh_at) AS fresh_at, epoch_us(read_at) AS read_at, poll_url,
            moved_to, epoch_us(moved_at) AS moved_at, epoch_us(gone_at) AS gone_at, wishes
        FROM feed
        LEFT JOIN feed_schedule AS schedule ON schedule.feed_id = feed.feed_id AND schedule.url = feed.url
        WHERE enabled AND ($of IS NULL OR feed.feed_id IN (SELECT unnest($of)))
            AND ($all_feeds OR next_poll_at IS NULL OR next_poll_at <= $now OR decided_at > $now) -- decided by a wrong clock
        ORDER BY next_poll_at NULLS FIRST, feed.feed_id
    """
    with reading(target) as con:
        rows = fetch_rows(con, sql, {"now": now, "all_feeds": all_feeds, "of": _listed(of)})
    return [_timed(row, "fresh_at", "read_at", "moved_at", "gone_at") for row in rows]


def known_hosts(target: Target) -> list[Row]:
    """Return {host, updated_at, strikes, free_at, day, requests, bytes} of every host that was asked."""
    sql = """
        SELECT host, epoch_us(updated_at) AS updated_at, strikes, epoch_us(free_at) AS free_at, day, requests, bytes
        FROM host ORDER BY host
    """
    with reading(target) as con:
        return [_timed(row, "updated_at", "free_at") for row in fetch_rows(con, sql)]


def known_events(target: Target) -> set[str]:
    """Return the keys of the stored events."""
    with reading(target) as con:
        return {str(row["event_id"]) for row in fetch_rows(con, "SELECT event_id FROM event")}


def known_entries(target: Target, entry_ids: Sequence[str]) -> set[str]:
    """Return those of the entries that are stored."""
    with reading(target) as con:
        rows = fetch_rows(
            con, "SELECT entry_id FROM entry WHERE entry_id IN (SELECT unnest($ids))", {"ids": list(entry_ids)}
        )
    return {row["entry_id"] for row in rows}


def pending_entries(
    target: Target,
    now: datetime,
    limit_per_feed: int | None = None,
    *,
    of: Sequence[str] | None = None,
    most: int | None = None,
) -> list[Row]:
    """Return the entries to be tried now, the top of every feed first; at most `limit_per_feed` of a feed, `most` in all.

    `of`: only those of these feeds.

    After them come loaded ones that are to be fetched again, with `document_id`, `stored_title` and `text_hash` of what
    they became. What is in quarantine is left out. The order depends on nothing but the entries themselves, so that a
    killed pass goes on where it was; and it deals the feeds out evenly, so that no batch waits for the pace of one host.
    """
    sql = f"""
        SELECT {_WORK}
        WHERE ((outcome = 'pending' AND quarantined_at IS NULL AND (next_attempt_at IS NULL OR next_attempt_at <= $now
                OR next_attempt_at > $now + INTERVAL 2 DAY)) -- no wait is as long: the clock was ahead
            OR (outcome = 'loaded' AND revise_at <= $now)) AND ($of IS NULL OR entry.feed_id IN (SELECT unnest($of)))
        QUALIFY row_number() OVER (
            PARTITION BY entry.feed_id ORDER BY outcome = 'loaded', entry.first_seen_at, position, entry.entry_id) <= $a_feed
        ORDER BY outcome = 'loaded', position, entry.feed_id, entry.entry_id
        LIMIT $most
    """
    bounds = {"a_feed": 2**62 if limit_per_feed is None else limit_per_feed, "most": 2**62 if most is None else most}
    with reading(target) as con:
        rows = fetch_rows(con, sql, {"now": now, "of": _listed(of), **bounds})
    return [_timed(row, "published_at", "first_seen_at") for row in rows]


def pending_of(target: Target, entry_ids: Sequence[str]) -> dict[str, Row]:
    """Return those of these entries that are pending, in quarantine too, by their ids, with the keys of `pending_entries`."""
    sql = f"SELECT {_WORK} WHERE outcome = 'pending' AND entry.entry_id IN (SELECT unnest($ids))"
    with reading(target) as con:
        rows = fetch_rows(con, sql, {"ids": list(entry_ids)})
    return {row["entry_id"]: _timed(row, "published_at", "first_seen_at") for row in rows}


def run_outcomes(target: Target, run_id: str) -> dict[str, Any]:
    """Return what became of a pass: {offered, loaded, duplicate, rejected, pending, reasons, carried}.

    The first five concern the items that this pass was offered, and add up. `reasons` counts its rejections by reason.
    `carried` counts by outcome the entries of earlier passes that this pass tried again.
    """
    own = "SELECT offered, loaded, duplicate, rejected, pending FROM outcome_by_run WHERE run_id = $run_id"
    reasons = """
        SELECT reason, count(*) AS n FROM entry WHERE run_id = $run_id AND outcome = 'rejected' GROUP BY reason ORDER BY n DESC, reason
    """
    carried = """
        SELECT entry.outcome, count(*) AS n FROM entry JOIN load USING (load_id)
        WHERE load.run_id = $run_id AND load.kind = 'documents' AND entry.run_id <> $run_id AND rechecks IS NULL
        GROUP BY entry.outcome ORDER BY entry.outcome
    """
    with reading(target) as con:
        rows = fetch_rows(con, own, {"run_id": run_id})
        counts: dict[str, Any] = (
            rows[0] if rows else dict.fromkeys(("offered", "loaded", "duplicate", "rejected", "pending"), 0)
        )
        counts["reasons"] = {row["reason"]: row["n"] for row in fetch_rows(con, reasons, {"run_id": run_id})}
        counts["carried"] = {row["outcome"]: row["n"] for row in fetch_rows(con, carried, {"run_id": run_id})}
    return counts


def poll_outcomes(target: Target, run_id: str) -> dict[str, int]:
    """Return how many polls of a pass ended in each outcome (ok, unchanged, error)."""
    sql = "SELECT outcome, count(*) AS n FROM poll WHERE run_id = $run_id GROUP BY outcome ORDER BY outcome"
    with reading(target) as con:
        return {str(row["outcome"]): int(row["n"]) for row in fetch_rows(con, sql, {"run_id": run_id})}


def last_polled_day(target: Target) -> date | None:
    """Return the newest day (UTC) on which any outlet was asked, in the copy for readers."""
    with reading(readers_path(target)) as con:
        (row,) = con.execute("SELECT max(day) FROM current_outlet_day WHERE polls > 0").fetchall()
    return cast("date | None", row[0])


def was_offline(target: Target, run_id: str) -> bool:
    """Say whether a pass found its own network down: not one of its polls reached a host."""
    sql = "SELECT count(*) > 0 AND bool_and(starts_with(error, 'offline')) AS offline FROM poll WHERE run_id = $run_id"
    with reading(target) as con:
        return bool(fetch_rows(con, sql, {"run_id": run_id})[0]["offline"])


def unlabelled(target: Target, label_run_id: str, limit: int | None = None) -> list[str]:
    """Return the documents that a label run has not labelled yet, at most `limit`.

    In the order of their ids, which are hashes: the first thousand are a cross-section of all.
    """
    sql = """
        SELECT document_id FROM document_text
        JOIN document USING (document_id)
        ANTI JOIN (SELECT document_id, text_revision FROM relevance_label WHERE label_run_id = $label_run_id)
            USING (document_id, text_revision)
        ORDER BY document_id LIMIT $most
    """
    with reading(target) as con:
        rows = fetch_rows(con, sql, {"label_run_id": label_run_id, "most": 2**62 if limit is None else limit})
    return [row["document_id"] for row in rows]


def stored_documents(target: Target, document_ids: Sequence[str]) -> list[Row]:
    """Return {document_id, title, text, lang} of these documents, in the order of their ids."""
    sql = """
        SELECT document_id, coalesce(title, '') AS title, text, lang
        FROM document JOIN document_text USING (document_id)
        WHERE document_id IN (SELECT unnest($ids)) ORDER BY document_id
    """
    with reading(target) as con:
        return fetch_rows(con, sql, {"ids": list(document_ids)})


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _timed(row: Row, *names: str) -> Row:
    """Turn microseconds since 1970 into times; no pytz is needed that way."""
    times = {name: None if row[name] is None else _EPOCH + timedelta(microseconds=row[name]) for name in names}
    return {**row, **times}

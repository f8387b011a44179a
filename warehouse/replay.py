"""Put entries out of quarantine: a filter in, the entries out; the next pass fetches them as if for the first time."""

from __future__ import annotations

from datetime import UTC, datetime

from warehouse.connect import Row, Target, execute_all, fetch_rows, reading, writing
from warehouse.load import again_on_conflict, record_load
from warehouse.spool import iso, new_id

CHOSEN = """
    outcome = 'pending' AND quarantined_at IS NOT NULL AND ($reason IS NULL OR reason = $reason)
    AND ($host IS NULL OR regexp_extract(url, '^https?://([^/?#]+)', 1) = $host) AND ($url IS NULL OR url = $url)
"""
SHOWN = f"SELECT entry_id, url, reason, attempts, epoch_us(quarantined_at) AS since FROM entry WHERE {CHOSEN} ORDER BY reason, url"  # noqa: S608 - our own text
PUT_BACK = f"""
    INSERT INTO past_row BY NAME
    SELECT 'entry' AS record, to_json(entry) AS content, load_id AS written_by, $load_id AS load_id FROM entry WHERE {CHOSEN};
    UPDATE entry SET quarantined_at = NULL, next_attempt_at = NULL, attempts = 0, load_id = $load_id WHERE {CHOSEN}
"""  # noqa: S608 - our own text


@again_on_conflict
def replay(
    target: Target,
    *,
    reason: str | None = None,
    host: str | None = None,
    url: str | None = None,
    dry_run: bool = False,
    wait: float = 60,
) -> list[Row]:
    """Put back what is in quarantine and fits; all of it without a filter. `dry_run`: only say what that would be.

    Returns {entry_id, url, reason, attempts, quarantined_at} as they were. A pass may run meanwhile: it has none of them.
    """
    chosen = {"reason": reason, "host": host, "url": url}
    if dry_run:
        with reading(target, wait=wait) as con:
            return [_shown(row) for row in fetch_rows(con, SHOWN, chosen)]
    head = {"load_id": new_id(), "run_id": "replay", "kind": "replay", "created_at": iso(datetime.now(UTC))}
    with writing(target, wait=wait) as con:
        found = fetch_rows(con, SHOWN, chosen)
        if found:
            execute_all(con, PUT_BACK, {**chosen, "load_id": head["load_id"]})
            record_load(con, head)
    return [_shown(row) for row in found]


def _shown(row: Row) -> Row:
    since = datetime.fromtimestamp(row.pop("since") / 1e6, UTC)
    return {**row, "quarantined_at": iso(since.replace(microsecond=0))}

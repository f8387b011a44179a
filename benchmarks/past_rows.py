#!/usr/bin/env python3
"""Bytes that an earlier version of an entry and of a feed takes in a compacted warehouse.

python benchmarks/past_rows.py [--rows 200000]
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path

from warehouse.compact import compact
from warehouse.connect import connect
from warehouse.migrate import migrate

ENTRY = """
    INSERT INTO entry BY NAME
    SELECT sha256('e' || i) AS entry_id, 'feed-' || (i % 500) AS feed_id, sha256('o' || (i % 500)) AS outlet_id,
        'https://news' || (i % 500) || '.example/2026/11/' || (i % 28) || '/' || md5('u' || i) || '-a-slug-of-words' AS url,
        'A headline of some words about ' || md5('t' || i) || ' and ' || md5('s' || i) AS title, now() - to_seconds(i) AS published_at,
        i % 50 AS position, now() AS first_seen_at, 'pending' AS outcome, 0 AS attempts, 'run-' || (i // 1000) AS run_id,
        'load-' || (i // 64) AS load_id
    FROM range($rows) AS each(i)
"""
FEED = """
    INSERT INTO feed BY NAME
    SELECT 'feed-' || i AS feed_id, sha256('o' || i) AS outlet_id, 'https://news' || i || '.example/feed.xml' AS url, 'en' AS language,
        'news' AS kind, true AS enabled, md5('v' || i) AS etag, 'Tue, 24 Nov 2026 10:00:00 GMT' AS last_modified,
        sha256('b' || i) AS body_hash, now() AS next_poll_at, 0 AS failures, 'load-' || (i // 32) AS load_id
    FROM range(500) AS each(i)
"""
PAST = """
    INSERT INTO past_row BY NAME
    SELECT '{table}' AS record, to_json({table}) AS content, load_id AS written_by, load_id || n AS load_id
    FROM {table}, range({times}) AS change(n) ORDER BY n
"""


def grown(target: Path, *statements: tuple[str, dict[str, int]]) -> int:
    """Run statements and return the size of the compacted file."""
    with closing(connect(target)) as con:
        migrate(con)
        for sql, params in statements:
            con.execute(sql, params)
    return compact(target)[1]


def main() -> None:
    """Print bytes a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        for table, fill, times in (("entry", (ENTRY, {"rows": rows}), 1), ("feed", (FEED, {}), rows // 500)):
            target = Path(folder) / f"{table}.duckdb"
            empty, filled = grown(target), grown(target, fill)
            past = grown(target, (PAST.format(table=table, times=times), {}))
            count = rows if table == "entry" else 500
            print(
                f"{table}: {(filled - empty) / count:.0f} bytes a row, {(past - filled) / (count * times):.0f} a past row"
            )


if __name__ == "__main__":
    main()

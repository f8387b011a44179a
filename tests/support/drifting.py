"""Nine weeks of labelled documents, sixty a week, that end the day before the newest load."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.store import Store, entry, feed, outlet, poll
from warehouse.connect import writing
from warehouse.kept import rebuild
from warehouse.load import finish_run
from warehouse.publish import publish

A_WEEK = 60
Week = dict[str, int]  # documents by language


def weeks(
    store: Store, languages: Sequence[Week], favor: Sequence[int] | None = None, now: datetime | None = None
) -> None:
    """Store weeks of documents, the newest first; `favor` says how many of each week are for binding rules, the others against."""
    now = now or datetime.now(UTC)
    rows = [
        (f"d-{back}-{n}", lang, now - timedelta(days=1 + 7 * back + n % 7), n < (favor or [30] * 9)[back])
        for back, week in enumerate(languages)
        for n, lang in enumerate(lang for lang, count in week.items() for _ in range(count))
    ]
    with writing(store.target) as con:
        columns = "CAST(? AS VARCHAR[])) AS id, unnest(CAST(? AS VARCHAR[])) AS lang, unnest(CAST(? AS TIMESTAMPTZ[])) AS seen_at, unnest(CAST(? AS BOOLEAN[])) AS favor"
        con.execute(f"CREATE TEMP TABLE made AS SELECT unnest({columns}", list(map(list, zip(*rows, strict=True))))
        con.execute("""
            INSERT INTO label_run BY NAME SELECT 'm1' AS label_run_id, 'tiny' AS model_id, now() AS created_at, '1' AS load_id;
            INSERT INTO entry BY NAME SELECT id AS entry_id, 'f1' AS feed_id, 'o1' AS outlet_id, 'https://x/' || id AS url,
                seen_at AS published_at, seen_at AS first_seen_at, 'loaded' AS outcome, id AS document_id, 'run-1' AS run_id, '1' AS load_id FROM made;
            INSERT INTO document BY NAME SELECT id AS document_id, id AS entry_id, 'o1' AS outlet_id, 'f1' AS feed_id, lang, 1 AS text_revision,
                seen_at AS fetched_at, '1' AS load_id FROM made;
            INSERT INTO relevance_label BY NAME SELECT id AS document_id, 'm1' AS label_run_id, 0.93 AS p, true AS label, false AS abstain,
                1 AS text_revision, '1' AS load_id FROM made;
            INSERT INTO stance_label BY NAME SELECT id AS document_id, 'm1' AS label_run_id, 'binding_rules' AS target, true AS addressed,
                if(favor, 'favor', 'against') AS label, false AS abstain, 1 AS text_revision, '1' AS load_id FROM made;
            DROP TABLE made
        """)
        rebuild(con)
    finish_run(store.target, "run-1", now, {}, now=now)


def troubled(folder: Path) -> Store:
    """A warehouse with everything that source-health tells: O1 went dark yesterday, languages and stances shifted, fetches were given up."""
    store = Store(folder)
    store.load("feeds", outlet=[outlet("o1"), outlet("o2")], feed=[feed("f1", "o1"), feed("f2", "o2")])
    given_up = [entry(f"q{n}", n, "f2", "o2") for n in range(12)]
    store.load("poll", poll=[poll("p1", "f2", offered=12)], entry=given_up)
    weeks(store, [{"en": 12, "pt": 48}, *[{"en": 30, "de": 30}] * 8], [57, *[30] * 8])
    with writing(store.target) as con:
        con.execute(
            "UPDATE entry SET quarantined_at = now() - INTERVAL 2 HOUR, reason = 'timeout' WHERE entry_id LIKE 'q%'"
        )
        con.execute("""
            INSERT INTO outlet_day BY NAME SELECT outlet_id, current_date - CAST(back AS INTEGER) AS day, polls, failed_polls, complete, load_id,
                if(outlet_id = 'o1' AND back < 7, 0, 3) AS n_seen
            FROM (SELECT unnest(['o1', 'o2']) AS outlet_id, 4 AS polls, 0 AS failed_polls, true AS complete, 'zz' AS load_id), range(36) AS days(back)
        """)
        rebuild(con)
    publish(store.target)
    return store

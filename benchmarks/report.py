#!/usr/bin/env python3
"""Time to write the report and time to open it, over a generated warehouse and over a small one with the same form.

    python benchmarks/report.py [--documents 100000] [--small 1000] [--keep FOLDER]

The documents are generated: 300 outlets of which few write most, 23 countries, a year, one document in three about AI
governance, days and targets uneven. Opened is the file in headless Chromium, three times; printed are medians of the time from
the request to the load event, of the time until the first marks' sentences stand there after a click, and ratios between the two warehouses.
Numbers of different machines do not compare; ratios do.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.report.make import figures_of, make_report
from pipeline.codebook import load_codebook
from pipeline.settings import load_settings
from tests.support.browser import find_browser
from tests.support.page import browse
from warehouse.connect import writing
from warehouse.kept import rebuild
from warehouse.publish import publish

TURNS = 3
COUNTRIES = [
    "US",
    "CN",
    "DE",
    "FR",
    "IT",
    "ES",
    "PL",
    "GB",
    "JP",
    "CA",
    "IN",
    "BR",
    "ZA",
    "RU",
    "KE",
    "NG",
    "EG",
    "AR",
    "MX",
    "ID",
    "CH",
    "NO",
    "XX",
]
BLOCS = {"US": "us", "CN": "china", "DE": "eu", "FR": "eu", "IT": "eu", "ES": "eu", "PL": "eu", "GB": "g7", "JP": "g7", "CA": "g7",
         "IN": "brics", "BR": "brics", "ZA": "brics", "RU": "brics", "CH": "europe", "NO": "europe", "XX": "international"}  # fmt: skip
FILL = """
    CREATE TEMP MACRO dice(n, salt) AS (hash(n * 1000 + salt) % 1000003) / 1000003;
    CREATE TEMP TABLE country AS SELECT unnest($countries) AS country, unnest($blocs) AS bloc, unnest(range(len($countries))) AS n;
    INSERT INTO load BY NAME SELECT 'l1' AS load_id, 'r1' AS run_id, 'documents' AS kind, TIMESTAMPTZ '2025-12-31 06:00:00+00' AS loaded_at;
    INSERT INTO outlet BY NAME SELECT 'o' || i AS outlet_id, 'Outlet ' || i AS name, country, bloc, 'en' AS language, 'private' AS ownership,
        'news' AS kind, 'l1' AS load_id FROM range(300) AS t(i) JOIN country ON n = CAST(floor(len($countries) * dice(i, 1) ** 1.7) AS INTEGER);
    INSERT INTO feed BY NAME SELECT 'f' || i AS feed_id, 'o' || i AS outlet_id, 'https://x.example/' || i AS url, 'en' AS language, true AS enabled,
        'l1' AS load_id FROM range(300) AS t(i);
    CREATE TEMP TABLE made AS SELECT i, 'd' || i AS id, 'o' || CAST(floor(300 * dice(i, 2) ** 2.5) AS INTEGER) AS outlet_id,
        DATE '2025-01-01' + CAST(floor(364 * dice(i, 3) ** 0.8) AS INTEGER) AS day, dice(i, 4) < 0.33 AS relevant FROM range($documents) AS t(i);
    INSERT INTO entry BY NAME SELECT id AS entry_id, 'f' || substr(outlet_id, 2) AS feed_id, outlet_id, 'https://x.example/' || id AS url,
        'Story ' || i AS title, CAST(day AS TIMESTAMPTZ) AS published_at, CAST(day AS TIMESTAMPTZ) AS first_seen_at, 'loaded' AS outcome,
        id AS document_id, 'r1' AS run_id, 'l1' AS load_id FROM made;
    INSERT INTO document BY NAME SELECT id AS document_id, outlet_id, 'f' || substr(outlet_id, 2) AS feed_id, id AS entry_id,
        'https://x.example/' || id AS url, 'Story ' || i || ' of the rules that machines are to keep' AS title, day AS published_on, 'jsonld' AS date_source,
        'en' AS lang, 'l1' AS load_id FROM made;
    INSERT INTO outlet_day BY NAME SELECT outlet_id, day, count(*) AS n_seen, 48 AS polls, 0 AS failed_polls,
        dice(CAST(substr(outlet_id, 2) AS INTEGER) * 500 + dayofyear(day), 5) < 0.92 AS complete, 'l1' AS load_id FROM made GROUP BY outlet_id, day;
    INSERT INTO label_run BY NAME SELECT 'm1' AS label_run_id, 'generated' AS model_id, 'none' AS revision, 'none' AS codebook_version,
        'none' AS codebook_hash, now() AS created_at, 'l1' AS load_id;
    INSERT INTO relevance_label BY NAME SELECT id AS document_id, 'm1' AS label_run_id, 0.9 AS p, relevant AS label, dice(i, 6) < 0.02 AS abstain, 'l1' AS load_id FROM made;
    INSERT INTO topic_label BY NAME SELECT id AS document_id, 'm1' AS label_run_id, topic, 0.9 AS p, dice(i, 20 + n) < 0.4 / (n + 1) AS label, 'l1' AS load_id
        FROM made, (SELECT unnest($topics) AS topic, unnest(range(len($topics))) AS n) WHERE relevant;
    CREATE TEMP TABLE lean AS SELECT id, i, target, greatest(least(0.5 + 0.35 * sin(hash(bloc || target) % 7) + 0.3 * (dice(i, 50 + t.n) - 0.5)
        + CASE WHEN day >= DATE '2025-07-23' THEN 0.1 ELSE 0 END, 0.98), 0.02) AS favor, dice(i, 40 + t.n) < 0.3 AS addressed, dice(i, 60 + t.n) < 0.1 AS abstain
        FROM made JOIN outlet USING (outlet_id), (SELECT unnest($targets) AS target, unnest(range(len($targets))) AS n) AS t WHERE relevant;
    INSERT INTO stance_label BY NAME SELECT id AS document_id, 'm1' AS label_run_id, target, addressed, favor AS p_favor, 0.98 - favor AS p_against,
        0.02 AS p_neutral, CASE WHEN favor > 0.49 THEN 'favor' ELSE 'against' END AS label, abstain, 'l1' AS load_id FROM lean;
    INSERT INTO evidence BY NAME SELECT id AS document_id, 'm1' AS label_run_id, target, CAST(n AS INTEGER) AS rank, 0 AS sentence_start, 90 AS sentence_end,
        'Sentence ' || n || ' of document ' || i || ' says at some length what its writer thinks of ' || target || ', and why others ought to think so too.' AS text,
        'own' AS voice, 'l1' AS load_id FROM lean, range(2) AS t(n) WHERE addressed;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds to write, seconds to open, seconds from a click to sentences, and bytes of the file."""

    write: float
    open: float
    click: float
    size: int


def fill(target: str, documents: int) -> None:
    """Generate a warehouse and publish it."""
    book = load_codebook()
    values = {
        "documents": documents, "countries": COUNTRIES, "blocs": [BLOCS.get(each, "global_south") for each in COUNTRIES],
        "topics": [topic.id for topic in book.topics], "targets": [each.id for each in book.targets],
    }  # fmt: skip
    with writing(target) as con:
        for statement in con.extract_statements(FILL):
            con.execute(statement, {name: values[name] for name in statement.named_parameters})
        rebuild(con)
    publish(target)


def measure(target: str, folder: Path) -> Timing:
    """Write the report and open it, three times each."""
    writes = []
    for _ in range(TURNS):
        start = time.perf_counter()
        settings = load_settings(warehouse=target)
        page = make_report(settings, folder / "report.html", figures_of(settings))
        writes.append(time.perf_counter() - start)
    opened, clicked = zip(*look(page), strict=True)
    middle = statistics.median
    return Timing(write=middle(writes), open=middle(opened), click=middle(clicked), size=page.stat().st_size)


def look(page: Path) -> Iterator[tuple[float, float]]:
    """Open the page in a fresh browser and yield the two times of each turn."""
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as profile, browse(find_browser() or "", Path(profile)) as tab:
            tab.open(page.resolve().as_uri())
            seconds = tab.ask("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
            script = "(start => (document.querySelector('#attention .mark').dispatchEvent(new MouseEvent('click', {bubbles: true})),"
            yield seconds, tab.ask(f"{script} performance.now() - start))(performance.now()) / 1000")


@contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """Give a folder: a temporary one, or one to keep."""
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep


def main() -> None:
    """Print a line a warehouse, then the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with place(given.keep) as folder:
        found = []
        for documents in (given.small, given.documents):
            target = str(folder / f"{documents}.duckdb")
            fill(target, documents)
            found.append(measure(target, folder / str(documents)))
            one = found[-1]
            print(
                f"{documents} documents: written in {one.write:.2f} s, {one.size / 1e6:.2f} MB, opened in {one.open:.2f} s, click {one.click:.3f} s"
            )
        small, large = found
        print(
            f"ratios: written {large.write / small.write:.1f}, size {large.size / small.size:.1f}, opened {large.open / small.open:.1f}"
        )


if __name__ == "__main__":
    main()

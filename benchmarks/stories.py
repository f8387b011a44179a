#!/usr/bin/env python3
"""How well copies are found, and what it costs.

    python benchmarks/stories.py pairs                      # precision and recall on tests/data/stories.toml, by kind
    python benchmarks/stories.py passages                   # wrong translations among the project's passages, which have none
    python benchmarks/stories.py cost [--documents 100000]  # CPU time of linking generated documents, and of a further pass

`cost` makes documents of 60 to 600 words drawn by Zipf's law from 50,000, of 500 outlets that end each text with a line of
their own, spread over 28 days; one in five is a copy, cut or under another lead, of one of the three days before. Printed
are CPU seconds of this process for 1,000 documents, also for the first and the last tenth: where the work grew with the
square of the number, the last tenth would take ten times as long.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from itertools import combinations, product
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.stories import find_source, piece, sketches  # noqa: E402
from tests.support.stories import pairs, read_set  # noqa: E402
from warehouse.connect import writing  # noqa: E402
from warehouse.kept import rebuild  # noqa: E402
from warehouse.load import load_folder  # noqa: E402
from warehouse.spool import deal, write_load  # noqa: E402
from warehouse.stories import places, unlinked, unsketched  # noqa: E402

BATCH = 1000
VOCABULARY = ["".join(each) for each in product("bdfgklmnprstvz", "aeiou", "bdfgklmnprst", "aeiou", "bdfgklmnprst")][
    :50_000
]


def measure_pairs() -> None:
    """Print precision and recall, over all and over what was written after the thresholds were chosen."""
    documents = read_set()
    pieces = {
        each.name: piece({"document_id": each.name, "outlet_id": each.outlet, "lang": each.lang, "text": each.text})
        for each in documents
    }
    found = [
        (pair, find_source(pieces[pair.other.name], [pieces[pair.one.name]]) is not None) for pair in pairs(documents)
    ]
    kinds: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for pair, linked in found:
        kinds[not pair.same, pair.kind].append(linked)
    for (differ, kind), linked in sorted(kinds.items()):
        print(f"{'other story' if differ else 'same story':<12} {kind:<28} {sum(linked):>5} linked of {len(linked)}")
    for title, part in (
        ("all", found),
        ("held out", [each for each in found if each[0].one.held_out and each[0].other.held_out]),
    ):
        right = sum(pair.same and linked for pair, linked in part)
        print(f"{title}: {len(part)} pairs, precision {right / sum(linked for _, linked in part):.3f},"
              f" recall {right / sum(pair.same for pair, _ in part):.3f}")  # fmt: skip


def measure_passages() -> None:
    """Print how many of the pairs of passages in two languages are taken for translations."""
    texts = [json.loads(line) for path in sorted((ROOT / "tools" / "passages" / "written").glob("*.jsonl"))
             for line in path.read_text("utf-8").splitlines()]  # fmt: skip
    by_mark: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(texts):
        for mark in sketches(row["text"])[1]:
            by_mark[mark].append(place)
    near = {pair for places_ in by_mark.values() for pair in combinations(places_, 2)}
    asked = [(one, other) for one, other in sorted(near) if texts[one]["lang"][:2] != texts[other]["lang"][:2]]
    pieces = {
        place: piece({"document_id": str(place), "outlet_id": str(place), **texts[place]})
        for place in {n for pair in asked for n in pair}
    }
    wrong = [pair for pair in asked if find_source(pieces[pair[1]], [pieces[pair[0]]])]
    languages = Counter(row["lang"][:2] for row in texts)
    total = sum(languages[one] * languages[other] for one, other in combinations(languages, 2))
    print(
        f"{len(texts)} passages, {total} pairs in two languages, {len(asked)} with a mark in common, {len(wrong)} taken for translations"
    )


def generate(target: str, number: int, start: int = 0) -> None:
    """Put generated documents into the tables that linking reads."""
    chance = np.random.default_rng(start)
    total = start + number
    texts: list[str] = []
    rows = []
    for n in range(start, total):
        if len(texts) > 100 and chance.random() < 0.2:
            words = texts[-int(chance.integers(1, min(len(texts), max(2, total // 10))))].split()[:-12]
            words = (
                words[: int(len(words) * chance.uniform(0.4, 1))]
                if chance.random() < 0.5
                else ["Agencies", "report", *words[20:]]
            )
        else:
            words = [VOCABULARY[int(rank) - 1] for rank in 50_000 ** chance.random(int(chance.integers(60, 600)))]
        who = int(chance.integers(500))
        texts.append(" ".join([*words, *(f"{VOCABULARY[who]}line{VOCABULARY[k]}" for k in range(12))]))
        rows.append((f"d{n:07}", f"o{who}", n / total * 28, texts[-1]))
    with writing(target) as con:
        con.execute("CREATE TEMP TABLE made (document_id VARCHAR, outlet_id VARCHAR, day DOUBLE, text VARCHAR)")
        columns = {
            name: np.array([row[k] for row in rows], object if k != 2 else float)
            for k, name in enumerate(("document_id", "outlet_id", "day", "text"))
        }
        con.register("columns_of", columns)
        con.execute("INSERT INTO made SELECT * FROM columns_of")
        con.execute("INSERT INTO entry BY NAME SELECT document_id AS entry_id, outlet_id, 'loaded' AS outcome, document_id,"
                    " TIMESTAMPTZ '2026-01-01' + to_microseconds(CAST(day * 86400e6 AS BIGINT)) AS published_at FROM made")  # fmt: skip
        con.execute(
            "INSERT INTO document BY NAME SELECT document_id, document_id AS entry_id, outlet_id, 'en' AS lang FROM made"
        )
        con.execute("INSERT INTO document_text BY NAME SELECT document_id, text FROM made")
        rebuild(con)


def linked(target: str, data: Path) -> list[float]:
    """Link what waits as a pass does; return the CPU seconds of each batch of the second step, after those of the first in all."""
    begun = time.process_time()
    while rows := unsketched(target, BATCH):
        load_folder(target, write_load(deal(data), "run", "stories", {"sketch": rows}))
    spent = [time.process_time() - begun]
    while waiting := unlinked(target, BATCH):
        begun = time.process_time()
        load_folder(target, write_load(deal(data), "run", "stories", {"story": places(target, waiting)}))
        spent.append(time.process_time() - begun)
    return spent


def measure_cost(number: int) -> None:
    """Print CPU seconds for 1,000 documents: sketching, linking, and a pass of 500 documents more."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "w.duckdb")
        generate(target, number)
        sketching, *batches = linked(target, Path(folder))
        tenth = max(1, len(batches) // 10)
        print(f"{number} documents; CPU seconds for 1,000: sketch {sketching / number * 1000:.2f}, link {sum(batches) / len(batches):.2f}"
              f" (first tenth {np.mean(batches[:tenth]):.2f}, last tenth {np.mean(batches[-tenth:]):.2f})")  # fmt: skip
        generate(target, 500, start=number)
        print(f"a further pass with 500 documents: {sum(linked(target, Path(folder))):.2f} CPU seconds")
        with writing(target) as con:
            print(
                "stories of documents: ",
                con.execute("SELECT link, count(*) FROM current_story GROUP BY ALL ORDER BY ALL").fetchall(),
            )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "passages", "cost"))
    parser.add_argument("--documents", type=int, default=100_000)
    given = parser.parse_args()
    if given.what == "cost":
        measure_cost(given.documents)
    else:
        {"pairs": measure_pairs, "passages": measure_passages}[given.what]()


if __name__ == "__main__":
    main()

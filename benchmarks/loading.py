"""How fast the loader is: generated documents as folders of the spool in, documents with labels a second out.

The folders are what a pass would write: a poll with its entries, then the documents with text, labels and evidence. They are taken
from a generated warehouse of another seed, so that no document is in the warehouse that they are loaded into.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.timing import spent
from warehouse.connect import Connection, connect
from warehouse.load import OF_A_DOCUMENT, load_folder
from warehouse.snapshot import find_snapshot
from warehouse.spool import iso, new_id

OTHER_SEED = 7


def loaded_a_second(source: Path, target: Path, batch: int, batches: int) -> tuple[float, float]:
    """Load batches of documents and return (documents a second, documents a CPU second)."""
    seconds = cpu = 0.0
    with closing(connect(source, read_only=True)) as con:
        folders = list(_folders(con, target.parent / f"spool-of-{target.stem}", batch, batches))
    for folder in folders:
        took, used = spent(partial(load_folder, str(target), folder))
        if folder.name.endswith("documents"):
            seconds, cpu = seconds + took, cpu + used
    return batch * batches / seconds, batch * batches / cpu


def _folders(con: Connection, spool: Path, batch: int, batches: int) -> Iterator[Path]:
    for number in range(batches):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT document_id, entry_id FROM document ORDER BY rowid LIMIT $batch OFFSET $start",
            {"batch": batch, "start": number * batch},
        )
        yield _write(con, spool, "poll", {
            "entry": "SELECT entry_id, feed_id, outlet_id, url, title, published_at, position, first_seen_at FROM entry SEMI JOIN chosen USING (entry_id)",
        })  # fmt: skip
        labels = {name: f"SELECT t.* EXCLUDE (load_id, text_revision), entry_id FROM {name} AS t JOIN chosen USING (document_id)"
                  for name in OF_A_DOCUMENT if name != "document_text"}  # fmt: skip
        yield _write(con, spool, "documents", {
            "entry": "SELECT entry_id, 'loaded' AS outcome, 1 AS attempts, document_id FROM chosen",
            "document": "SELECT d.* EXCLUDE (load_id, text_revision) FROM document AS d SEMI JOIN chosen USING (document_id)",
            "document_text": "SELECT document_id, text, entry_id FROM document_text JOIN chosen USING (document_id)",
            "label_run": "SELECT * EXCLUDE (load_id) FROM label_run",
            **labels,
        })  # fmt: skip


def _write(con: Connection, spool: Path, kind: str, tables: dict[str, str]) -> Path:
    load_id = f"{new_id()}-{kind}"
    folder = spool / load_id
    folder.mkdir(parents=True)
    for name, sql in tables.items():
        con.execute(f"COPY ({sql}) TO '{folder / name}.jsonl' (FORMAT json)")
    head = {"load_id": load_id, "run_id": "loading", "kind": kind, "created_at": iso(find_snapshot(con).at)}
    (folder / "load.json").write_text(json.dumps(head), encoding="utf-8")
    return folder

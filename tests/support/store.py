"""A warehouse and a spool in a folder, and the smallest rows that fill it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from warehouse.connect import fetch_rows, reading
from warehouse.load import load_folder
from warehouse.spool import new_id

Rows = list[dict[str, Any]]
BOTH = pytest.mark.parametrize("store", ["file", "lake"], indirect=True)  # a test that runs on a file and on a lake
T1 = "2026-11-20T08:00:00Z"


class Store:
    """A warehouse and a spool: writes loads, loads them, reads tables."""

    def __init__(self, folder: Path, target: str | None = None) -> None:
        self.target = target or str(folder / "w.duckdb")
        self.spool = folder / "spool"

    def prepare(self, kind: str, run_id: str = "run-1", /, **tables: Rows) -> Path:
        """Write a load folder and return it."""
        load_id = new_id()
        folder = self.spool / load_id
        folder.mkdir(parents=True)
        head = {"load_id": load_id, "run_id": run_id, "kind": kind, "created_at": T1}
        (folder / "load.json").write_text(json.dumps(head), encoding="utf-8")
        for name, rows in tables.items():
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        return folder

    def load(self, kind: str, run_id: str = "run-1", /, **tables: Rows) -> dict[str, int]:
        """Write and load."""
        return self.load_prepared(self.prepare(kind, run_id, **tables))

    def load_prepared(self, folder: Path) -> dict[str, int]:
        """Load a folder that `prepare` wrote."""
        return load_folder(self.target, folder)

    def rows(self, sql: str, **params: object) -> Rows:
        """Read from the warehouse."""
        with reading(self.target) as con:
            return fetch_rows(con, sql, params)


def outlet(outlet_id: str, bloc: str = "us") -> dict[str, Any]:
    return {
        "outlet_id": outlet_id,
        "name": outlet_id.upper(),
        "country": "XX",
        "bloc": bloc,
        "language": "en",
        "ownership": "public",
        "kind": "news",
    }


def feed(feed_id: str, outlet_id: str, **more: Any) -> dict[str, Any]:
    return {
        "feed_id": feed_id,
        "outlet_id": outlet_id,
        "url": f"https://{feed_id}/rss",
        "language": "en",
        "kind": "news",
        "enabled": True,
        **more,
    }


def poll(poll_id: str, feed_id: str, outcome: str = "ok", **more: Any) -> dict[str, Any]:
    return {
        "poll_id": poll_id,
        "feed_id": feed_id,
        "polled_at": T1,
        "status": 200,
        "outcome": outcome,
        "offered": 0,
        **more,
    }


def entry(entry_id: str, position: int = 0, feed_id: str = "f1", outlet_id: str = "o1", **more: Any) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "feed_id": feed_id,
        "outlet_id": outlet_id,
        "url": f"https://x/{entry_id}",
        "title": f"{entry_id} of {feed_id}",
        "position": position,
        "first_seen_at": T1,
        "outcome": "pending",
        "published_at": "2026-11-19T23:30:00Z",
        **more,
    }


def done(entry_id: str, document_id: str) -> dict[str, Any]:
    return {"entry_id": entry_id, "outcome": "loaded", "document_id": document_id, "attempts": 1}


TEXT = "Die KI \U0001f916 braucht Regeln. 规则应当具有约束力。 So ist es."
SENTENCE = "规则应当具有约束力。"


def document_rows(
    document_id: str, entry_id: str, outlet_id: str = "o1", feed_id: str = "f1", run: str = "m1", **more: Any
) -> dict[str, Rows]:
    """Everything that a labelled document brings."""
    key = {"document_id": document_id, "label_run_id": run}
    start = TEXT.index(SENTENCE)
    return {
        "document": [
            {
                "document_id": document_id,
                "entry_id": entry_id,
                "outlet_id": outlet_id,
                "feed_id": feed_id,
                "title": document_id,
                "url": f"https://x/{entry_id}",
                "authors": ["A", "B"],
                "published_on": "2026-11-19",
                "fetched_at": T1,
                "lang": "de",
                "text_length": len(TEXT),
                **more,
            }
        ],
        "document_text": [{"document_id": document_id, "text": TEXT}],
        "label_run": [
            {
                "label_run_id": run,
                "model_id": "tiny",
                "revision": "abc",
                "created_at": T1,
                "calibration": '{"shift": {}}',
            }
        ],
        "relevance_label": [{**key, "p": 0.9, "label": True, "abstain": False, "input_hash": "h"}],
        "topic_label": [
            {**key, "topic": "law", "p": 0.8, "label": True},
            {**key, "topic": "trade", "p": 0.1, "label": False},
        ],
        "stance_label": [
            {
                **key,
                "target": "binding_rules",
                "addressed": True,
                "p_favor": 0.8,
                "p_against": 0.1,
                "p_neutral": 0.1,
                "label": "favor",
                "abstain": False,
            }
        ],
        "evidence": [
            {
                **key,
                "target": "binding_rules",
                "rank": 0,
                "sentence_start": start,
                "sentence_end": start + len(SENTENCE),
                "text": SENTENCE,
                "voice": "reported",
                "speaker": "Ministry of Trade",
            }
        ],
    }


def merged(*parts: dict[str, Rows]) -> dict[str, Rows]:
    """Join the rows of several documents in order."""
    return {name: [row for part in parts for row in part[name]] for name in parts[0]}


def human(document_id: str, coder: str, label: str, **more: Any) -> dict[str, Any]:
    """A person's stance toward the target of `document_rows`."""
    row = {"document_id": document_id, "coder": coder, "kind": "stance", "target": "binding_rules", "label": label}
    return {**row, "codebook_version": "1", "coded_at": T1, **more}


def stanced(store: Store, stances: dict[str, str], lang: str = "en", relevant: bool = True) -> None:
    """Load documents with the model's stance toward binding_rules; `favor?` is favor with an abstention."""
    names = [f"e-{name}" for name in stances]
    store.load("poll", poll=[poll(f"p-{names[0]}", "f1", offered=len(names))], entry=[entry(name) for name in names])
    rows = merged(*(document_rows(name, f"e-{name}", lang=lang) for name in stances))
    for row, said in zip(rows["stance_label"], stances.values(), strict=True):
        row |= {"label": said.rstrip("?"), "abstain": said.endswith("?")}
    for row in rows["relevance_label"]:
        row["label"] = relevant
    store.load("documents", entry=[done(f"e-{name}", name) for name in stances], **rows)

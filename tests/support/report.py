"""A warehouse for the report: the July weeks of 2025, a full cell, a small one, and strings that mean harm."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.connect import writing
from warehouse.kept import rebuild
from warehouse.publish import publish

HOSTILE = "</script><script>window.hacked = 1</script><!-- <img src=https://evil.example/x onerror='window.hacked = 1'> \u2028"
ARABIC = "قواعد الذكاء الاصطناعي يجب أن تكون ملزمة"
FULL, SMALL = "net/binding_rules/china/2025-07-21", "net/binding_rules/us/2025-07-21"
SENTENCES = [f"Rule {n} should bind those who build the machines." for n in range(6)]


def summer(folder: Path) -> Store:
    """Eight documents toward binding_rules in one week: of six Chinese outlets, one of them against, and two of one of the United States."""
    store = Store(folder)
    outlets = [{**outlet(f"o{n}", "china"), "name": f"观察{n}", "country": "CN"} for n in range(6)]
    outlets.append({**outlet("us", "us"), "name": HOSTILE, "country": "US"})
    store.load("feeds", outlet=outlets, feed=[feed(f"f-{each['outlet_id']}", each["outlet_id"]) for each in outlets])
    days = [date(2025, 7, 21) + timedelta(days=n % 5) for n in range(8)]
    owners = [(f"f-{name}", name) for name in ("o0", "o1", "o2", "o3", "o4", "o5", "us", "us")]
    entries = [
        entry(f"e{n}", n, *owners[n], published_at=f"{day}T10:00:00Z", first_seen_at=f"{day}T11:00:00Z")
        for n, day in enumerate(days)
    ]
    store.load("poll", poll=[poll("p1", "f-o0", offered=8)], entry=entries)
    rows = merged(*(document_rows(f"d{n}", f"e{n}", owners[n][1], owners[n][0]) for n in range(8)))
    _speak(rows)
    store.load("documents", entry=[done(f"e{n}", f"d{n}") for n in range(8)], **rows)
    _see(store, days)
    publish(store.target)
    return store


def _speak(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Let the first document oppose, and the last two bring what means harm and what runs from right to left."""
    texts = [*SENTENCES, HOSTILE, ARABIC]
    for n, (document, stance, said) in enumerate(
        zip(rows["document"], rows["stance_label"], rows["evidence"], strict=True)
    ):
        stance["p_favor"] = 0.8 + n / 100
        said.update(text=texts[n], speaker=None, voice="own")
        document.update(title=f"Title {n}", url=f"https://news.example/{n}?a=1&b=2")
    rows["stance_label"][0].update(p_favor=0.1, p_against=0.85, p_neutral=0.05, label="against")
    rows["document"][6].update(title=HOSTILE, url="javascript:window.hacked=1", lang="en")
    rows["document"][7].update(title=ARABIC, url='https://news.example/"onmouseover=window.hacked=1//', lang="ar")


def _see(store: Store, days: list[date]) -> None:
    """Of the Chinese outlets every day was seen whole, of the other one none."""
    with writing(store.target) as con:
        con.execute(
            "INSERT INTO outlet_day BY NAME SELECT outlet_id, day, 10 AS n_seen, 4 AS polls, 0 AS failed_polls,"
            " bloc = 'china' AS complete, '2' AS load_id FROM outlet, (SELECT unnest(CAST(? AS DATE[])) AS day)",
            [sorted(set(days))],
        )
        rebuild(con)

"""A warehouse for the report: the July weeks of 2025, a full cell, a small one, and strings that mean harm."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.support.store import Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.connect import writing
from warehouse.publish import publish

HOSTILE = "</script><script>window.hacked = 1</script><!-- <img src=https://evil.example/x onerror='window.hacked = 1'> \u2028"
ARABIC = "قواعد الذكاء الاصطناعي يجب أن تكون ملزمة"
FULL, SMALL = "net/binding_rules/china/2025-07-21", "net/binding_rules/us/2025-07-21"
SENTENCES = [f"Rule {n} should bind those who build the machines." for n in range(6)]


def summer(folder: Path) -> Store:
    """Eight documents toward binding_rules in one week: six Chinese ones, of which one is against, two of the United States."""
    store = Store(folder)
    outlets = [{**outlet("o1", "china"), "name": "观察", "country": "CN"}, {**outlet("o2", "us"), "name": HOSTILE, "country": "US"}]
    store.load("feeds", outlet=outlets, feed=[feed("f1", "o1"), feed("f2", "o2")])
    days = [date(2025, 7, 21) + timedelta(days=n % 5) for n in range(8)]
    owners = [("f1", "o1")] * 6 + [("f2", "o2")] * 2
    entries = [
        entry(f"e{n}", n, *owners[n], published_at=f"{day}T10:00:00Z", first_seen_at=f"{day}T11:00:00Z") for n, day in enumerate(days)
    ]
    store.load("poll", poll=[poll("p1", "f1", offered=8)], entry=entries)
    rows = merged(*(document_rows(f"d{n}", f"e{n}", owners[n][1], owners[n][0]) for n in range(8)))
    _speak(rows)
    store.load("documents", entry=[done(f"e{n}", f"d{n}") for n in range(8)], **rows)
    _see(store, days)
    publish(store.target)
    return store


def _speak(rows: dict[str, list[dict[str, Any]]]) -> None:
    for n, (document, stance, said) in enumerate(zip(rows["document"], rows["stance_label"], rows["evidence"], strict=True)):
        stance |= {"p_favor": 0.8 + n / 100} if n else {"p_favor": 0.1, "p_against": 0.85, "p_neutral": 0.05, "label": "against"}
        said |= {"text": (SENTENCES + [HOSTILE, ARABIC])[n], "speaker": None, "voice": "own"}
        document |= {"title": f"Title {n}", "url": f"https://news.example/{n}?a=1&b=2"}
    rows["document"][6] |= {"title": HOSTILE, "url": "javascript:window.hacked=1", "lang": "en"}
    rows["document"][7] |= {"title": ARABIC, "url": "https://news.example/\"onmouseover=window.hacked=1//", "lang": "ar"}


def _see(store: Store, days: list[date]) -> None:
    """Of the first outlet every day was seen whole, of the other one none."""
    with writing(store.target) as con:
        for day in sorted(set(days)):
            for name, whole in (("o1", True), ("o2", False)):
                con.execute("INSERT INTO outlet_day BY NAME SELECT ? AS outlet_id, ? AS day, 10 AS n_seen, 4 AS polls, 0 AS failed_polls, ? AS complete, '2' AS load_id", [name, day, whole])

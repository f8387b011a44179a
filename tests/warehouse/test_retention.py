"""What leaves the warehouse for good leaves everything else as it was, and is said wherever it is missed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.store import SENTENCE, TEXT, Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.compact import compact
from warehouse.connect import reading
from warehouse.load import finish_run
from warehouse.query import run_checks
from warehouse.result import Result, answer, as_csv
from warehouse.retention import erase, expire, find_document, traces
from warehouse.snapshot import find_snapshot, travel
from warehouse.state import pending_entries, unlabelled

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COUNTED = ("daily_share", "net_stance", "outcomes", "prevalence", "source_health", "speakers")
WIDE = {"daily_share": {"complete": "false"}, "net_stance": {"least": "1"}, "speakers": {"target": "binding_rules"}}


def ask(store: Store, name: str, as_of: str | None = None, **params: str) -> Result:
    return answer(store.target, name, {**WIDE.get(name, {}), **params}, as_of)


def counted(store: Store, as_of: str | None = None) -> dict[str, str]:
    return {name: as_csv((found := ask(store, name, as_of)).columns, found.rows) for name in COUNTED}


def snapshot(store: Store) -> str:
    with reading(store.target) as con:
        return find_snapshot(con).load_id


def expire_before(store: Store, texts: str | None = None, polls: str | None = None) -> dict[str, int]:
    times = {
        name: datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
        for name, day in (("texts", texts), ("polls", polls))
    }
    return expire(store.target, NOW, **times, warc=None, warc_files=0)


@pytest.fixture
def grown(filled: Store) -> Store:
    """Two documents fetched on the 20th, one fetched a week later; polls of both days."""
    later = "2026-11-27T08:00:00Z"
    filled.load(
        "poll", poll=[poll("p9", "f1", offered=1, polled_at=later, etag="new", error=None)], entry=[entry("e9")]
    )
    filled.load("documents", entry=[done("e9", "d9")], **document_rows("d9", "e9", fetched_at=later))
    finish_run(filled.target, "run-1", NOW, {}, now=NOW)
    return filled


def test_old_texts_go_and_labels_evidence_and_counts_stay(grown: Store) -> None:
    before, known = snapshot(grown), counted(grown)
    evidence = grown.rows("FROM evidence ORDER BY document_id")
    assert expire_before(grown, texts="2026-11-21") == {"document_text": 2}
    assert grown.rows("SELECT document_id FROM document_text") == [{"document_id": "d9"}]
    assert grown.rows("FROM evidence ORDER BY document_id") == evidence
    assert counted(grown) == known == counted(grown, before)
    assert unlabelled(grown.target, "another run") == ["d9"]
    assert run_checks(grown.target) == {}
    (row,) = grown.rows("SELECT record, before_at, n, reason, removed_at FROM removal")
    assert row == {"record": "document_text", "before_at": datetime(2026, 11, 21, tzinfo=UTC), "n": 2, "reason": "retention", "removed_at": NOW}  # fmt: skip
    assert grown.rows("SELECT kind FROM load ORDER BY loaded_at DESC LIMIT 1") == [{"kind": "retention"}]
    assert expire_before(grown, texts="2026-11-21") == {}


def test_a_query_as_of_an_earlier_load_says_what_it_misses(grown: Store) -> None:
    before = snapshot(grown)
    complete = ask(grown, "coding_sample", before)
    assert (len(complete.rows), complete.missing) == (3, ())
    expire_before(grown, texts="2026-11-21")
    since = ask(grown, "coding_sample", before)
    assert len(since.rows) == 1
    assert since.missing == ("removed since by retention: 2 of document_text (last on 2026-11-24)",)
    assert ask(grown, "coding_sample").missing == (), "the newest state misses nothing"


def test_details_of_old_polls_go_and_what_is_counted_from_them_stays(grown: Store) -> None:
    known, rows = counted(grown), grown.rows("SELECT count(*) AS n FROM poll")
    con_polls = (
        "SELECT poll_id FROM poll WHERE coalesce(etag, last_modified, body_hash, error) IS NOT NULL ORDER BY poll_id"
    )
    grown.load("poll", poll=[poll("p8", "f2", "error", error="timeout", polled_at="2026-11-20T09:00:00Z")])
    grown.load("poll", poll=[poll("p7", "f2", etag="newest", polled_at="2026-11-28T09:00:00Z")])
    assert [row["poll_id"] for row in grown.rows(con_polls)] == ["p7", "p8", "p9"]
    assert expire_before(grown, polls="2026-11-21") == {"poll": 1}
    assert [row["poll_id"] for row in grown.rows(con_polls)] == ["p7", "p9"]
    assert grown.rows("SELECT count(*) AS n FROM poll") == [{"n": rows[0]["n"] + 2}]
    assert grown.rows("SELECT etag FROM feed ORDER BY feed_id") == [{"etag": "new"}, {"etag": "newest"}]
    finish_run(grown.target, "run-2", NOW, {}, now=NOW)
    assert counted(grown)["daily_share"] == known["daily_share"]
    assert run_checks(grown.target) == {}


def test_earlier_versions_of_feeds_go_with_the_polls_that_made_them(grown: Store) -> None:
    kept = {row["record"]: row["n"] for row in grown.rows("SELECT record, count(*) AS n FROM past_row GROUP BY ALL")}
    assert set(kept) == {"feed", "entry"}
    assert expire_before(grown, polls="2100-01-01")["past_row"] == kept["feed"]
    assert grown.rows("SELECT record, count(*) AS n FROM past_row GROUP BY ALL") == [{"record": "entry", "n": kept["entry"]}]  # fmt: skip
    assert run_checks(grown.target) == {}


def test_an_erased_document_leaves_the_fact_its_labels_and_its_counts(grown: Store) -> None:
    grown.load("poll", poll=[poll("p5", "f2", offered=1)], entry=[entry("e1-again", feed_id="f2", outlet_id="o2")])
    grown.load("documents", entry=[done("e1-again", "d1")], **document_rows("d1", "e1-again"))
    before, known = snapshot(grown), counted(grown)
    assert erase(grown.target, "d1", "the author asked for it")
    compact(grown.target)
    (document,) = grown.rows("FROM document WHERE document_id = 'd1'")
    gone = {name for name, value in document.items() if value is None}
    assert {"title", "authors", "url", "canonical_url", "warc_path"} <= gone
    assert {"outlet_id", "published_on", "lang", "load_id"}.isdisjoint(gone)
    for table in ("document_text", "evidence"):
        assert grown.rows(f"SELECT 1 FROM {table} WHERE document_id = 'd1'") == []
        assert grown.rows(f"SELECT 1 FROM {table} WHERE document_id = 'd2'") != []
    entries = grown.rows("SELECT entry_id, outcome, url, title FROM entry WHERE document_id = 'd1' ORDER BY entry_id")
    assert entries == [
        {"entry_id": "e1", "outcome": "loaded", "url": None, "title": None},
        {"entry_id": "e1-again", "outcome": "duplicate", "url": None, "title": None},
    ]
    assert (
        grown.rows("SELECT content FROM past_row WHERE content LIKE '%https://x/e1\"%' OR content LIKE '%e1 of f1%'")
        == []
    )
    assert grown.rows("SELECT document_id, detail FROM removal") == [
        {"document_id": "d1", "detail": "the author asked for it"}
    ]
    same = set(COUNTED) - {"speakers"}  # which counts sentences of evidence
    assert {name: counted(grown)[name] for name in same} == {name: known[name] for name in same}
    assert {name: counted(grown, before)[name] for name in same} == {name: known[name] for name in same}
    strongest = ask(grown, "strongest_sentences", before, target="binding_rules", label="favor")
    assert strongest.missing == (f"removed since by erasure: 1 of document (last on {datetime.now(UTC):%Y-%m-%d})",)
    assert {row[strongest.columns.index("document_id")] for row in strongest.rows} == {"d2", "d9"}
    assert run_checks(grown.target) == {}
    assert not erase(grown.target, "d1", "again"), "once is enough"


def corrected(store: Store) -> None:
    """d1 gets another title and text a week later."""
    when: dict[str, Any] = {"updated_at": "2026-11-27T08:00:00Z", "first_seen_at": "2026-11-27T09:00:00Z"}
    store.load("poll", poll=[poll("p4", "f1", offered=1)], entry=[entry("e1", **when)])
    rows = document_rows("d1", "e1", title="Another", text_hash="h2", fetched_at="2026-11-27T11:00:00Z", warc_path="warc/b.warc.gz#1")  # fmt: skip
    del rows["stance_label"], rows["evidence"]
    rows["document_text"][0] |= {"entry_id": "e1", "text": "Kurz."}
    rows["relevance_label"][0] |= {"entry_id": "e1", "input_hash": None}
    store.load("documents", entry=[done("e1", "d1")], **rows)
    assert store.rows("SELECT text_revision, warc_path FROM document_revision") == [{"text_revision": 0, "warc_path": "warc/a.warc.gz#7"}]  # fmt: skip


@pytest.fixture
def revised(store: Store) -> Store:
    """A document with an earlier revision, d1; a story of it, d0 and d3, and one of d4 alone."""
    names = ("d0", "d1", "d3", "d4")
    store.load("poll", poll=[poll("p1", "f1", offered=4)], entry=[entry(f"e{name[1]}") for name in names])
    rows = merged(*(document_rows(name, f"e{name[1]}", warc_path="warc/a.warc.gz#7") for name in names))
    store.load("documents", entry=[done(f"e{name[1]}", name) for name in names], **rows)
    when = {"method": "1", "computed_at": "2026-11-20T10:00:00Z"}
    alone = [{"document_id": name, "story_id": name, "link": "origin", **when} for name in ("d0", "d1", "d4")]
    sketch = [{"document_id": name, "method": "1", "shingles": [1, 2], "marks": [3]} for name in names]
    store.load("stories", sketch=sketch, story=alone)
    copies = [("d1", "d0", "d0"), ("d3", "d1", "d0")]
    store.load("stories", story=[{"document_id": name, "parent_id": parent, "story_id": story, "link": "copy", "similarity": 1.0, **when} for name, parent, story in copies])  # fmt: skip
    corrected(store)
    return store


def test_erasure_reaches_earlier_revisions_sketches_and_stories(revised: Store) -> None:
    assert traces(revised.target, "d1").files == {"warc/a.warc.gz", "warc/b.warc.gz"}
    before = snapshot(revised)
    erase(revised.target, "d1", "asked for")
    (row,) = revised.rows("SELECT title, text, warc_path, text_hash FROM document_revision")
    assert {row["title"], row["text"], row["warc_path"]} == {None}
    assert revised.rows("SELECT document_id FROM sketch ORDER BY ALL") == [{"document_id": name} for name in ("d0", "d3", "d4")]  # fmt: skip
    assert revised.rows("SELECT document_id FROM story") == [{"document_id": "d4"}], "the others are linked again"
    assert revised.rows("SELECT DISTINCT story_id FROM current_story ORDER BY ALL") == [{"story_id": name} for name in ("d0", "d1", "d3", "d4")]  # fmt: skip
    assert revised.rows("SELECT 1 FROM past_row WHERE content LIKE '%Regeln%' OR content LIKE '%Another%' OR content LIKE '%warc%'") == []  # fmt: skip
    with reading(revised.target) as con:
        travel(con, find_snapshot(con, before))
        assert con.execute("SELECT title, warc_path FROM document WHERE document_id = 'd1'").fetchall() == [(None, None)]  # fmt: skip
    again: dict[str, Any] = {"updated_at": "2026-11-28T08:00:00Z", "first_seen_at": "2026-11-28T09:00:00Z"}
    revised.load("poll", poll=[poll("p9", "f1", offered=1)], entry=[entry("e1", **again)])
    assert pending_entries(revised.target, datetime(2026, 11, 30, tzinfo=UTC)) == [], "it is not fetched again"
    assert run_checks(revised.target) == {}


def test_texts_of_earlier_revisions_go_by_their_own_age(revised: Store) -> None:
    first = revised.rows("SELECT load_id FROM load WHERE kind = 'documents' ORDER BY loaded_at LIMIT 1")[0]["load_id"]
    assert expire_before(revised, texts="2026-11-21") == {"document_text": 3, "document_revision": 1}
    assert revised.rows("SELECT title, text FROM document_revision") == [{"title": "d1", "text": None}]
    assert revised.rows("SELECT document_id FROM document_text") == [{"document_id": "d1"}]
    with reading(revised.target) as con:
        travel(con, find_snapshot(con, first))
        assert con.execute("FROM document_text").fetchall() == []
    assert expire_before(revised, texts="2026-11-21") == {}
    assert run_checks(revised.target) == {}


def test_nothing_brings_an_erased_document_back(grown: Store) -> None:
    erase(grown.target, "d1", "asked for")
    grown.load("poll", poll=[poll("p6", "f1", offered=2)], entry=[entry("e1", title="its title"), entry("e7", title="its title")])  # fmt: skip
    relabelled = document_rows("d1", "e1", run="m2")
    grown.load("documents", **{name: relabelled[name] for name in ("label_run", "relevance_label", "topic_label", "stance_label", "evidence")})  # fmt: skip
    grown.load("documents", entry=[done("e7", "d1")], **document_rows("d1", "e7", title="its title"))
    assert grown.rows("SELECT outcome, url, title FROM entry WHERE entry_id = 'e7'") == [
        {"outcome": "duplicate", "url": None, "title": None}
    ]
    assert grown.rows("SELECT 1 FROM evidence WHERE document_id = 'd1'") == []
    assert grown.rows("SELECT 1 FROM stance_label WHERE document_id = 'd1' AND label_run_id = 'm2'") != []
    every = "SELECT content FROM past_row UNION ALL SELECT title FROM document UNION ALL SELECT title FROM entry"
    assert not any("its title" in (row["content"] or "") for row in grown.rows(every))
    assert run_checks(grown.target) == {}


def test_no_byte_of_an_erased_text_is_left_in_the_file(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    rows = document_rows("d1", "e1", title="Szczebrzeszyn")
    rows["document_text"][0]["text"] = TEXT + " Chrząszcz brzmi w trzcinie."
    store.load("documents", entry=[done("e1", "d1")], **rows)
    assert "Chrząszcz".encode() in Path(store.target).read_bytes(), "else this test cannot fail"
    erase(store.target, "d1", "asked for")
    before, after = compact(store.target)
    assert after <= before
    data = Path(store.target).read_bytes()
    for word in ("Chrząszcz", "Szczebrzeszyn", SENTENCE, "https://x/e1"):
        assert word.encode() not in data, word


def test_an_erased_document_is_found_again_by_the_hash_of_its_address(store: Store) -> None:
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    store.load("documents", entry=[done("e1", "d1")], **document_rows("d1", "e1", canonical_url="https://x/final", warc_path="warc/a.warc.gz#77"))  # fmt: skip
    for name in ("d1", "https://x/e1", "https://x/final"):
        assert find_document(store.target, name, name, "no such hash") == ["d1"]
    found = traces(store.target, "d1")
    assert found.addresses == {"https://x/e1", "https://x/final"}
    assert found.files == {"warc/a.warc.gz"}
    assert found.since == datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp()
    erase(store.target, "d1", "asked for")
    assert find_document(store.target, "https://x/e1", "https://x/e1", "no such hash") == []
    assert find_document(store.target, "https://x/e1", "https://x/e1", "e1") == ["d1"]
    assert find_document(store.target, "https://x/final", "https://x/final", "d1") == ["d1"]
    assert find_document(store.target, "https://x/other", "https://x/other", "d2") == []

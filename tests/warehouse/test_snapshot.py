"""Snapshots: what a query said after a load it says for ever, whatever is loaded, relabelled and coded since."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from tests.support.store import TEXT, Store, document_rows, done, entry, feed, human, merged, outlet, poll
from warehouse.connect import connect, fetch_rows, reading
from warehouse.load import finish_run
from warehouse.query import QUERIES, list_queries, load_query, run_checks
from warehouse.replay import replay
from warehouse.result import answer, as_parquet
from warehouse.snapshot import find_snapshot, travel

DAY = datetime(2026, 11, 20, 8, tzinfo=UTC)
PARAMS = {  # wide enough that few documents are an answer
    "net_stance": {"least": "1"},
    "daily_share": {"complete": "false"},
    "over_coverage": {"least": "1"},
    "strongest_sentences": {"target": "binding_rules", "label": "favor"},
    "speakers": {"target": "binding_rules"},
    "prevalence": {"least": "1"},
    "event_shift": {"event": "2026-11-20", "least": "1", "complete": "false"},
    "burst_days": {"least": "1", "z": "-9", "complete": "false"},
    "telling_words": {"target": "binding_rules", "lang": "de", "least": "1"},
}


def a_first_pass(store: Store) -> None:
    store.load("feeds", outlet=[outlet("o1", "china"), outlet("o2")], feed=[feed("f1", "o1"), feed("f2", "o2")])
    entries = [entry(f"e{n}", n) for n in range(4)] + [entry("x1", 0, "f2", "o2", published_at=None)]
    polls = [poll("p1", "f1", offered=4, etag='"1"'), poll("p2", "f2", offered=1)]
    store.load("poll", poll=polls, entry=entries)
    rows = merged(document_rows("d0", "e0"), document_rows("d1", "e1", title='"It", they said'))
    gone = {
        "entry_id": "e2",
        "url": "https://x/e2",
        "stage": "fetch",
        "reason": "http_404",
        "rejected_at": DAY.isoformat(),
    }
    store.load("documents", entry=[done("e0", "d0"), done("e1", "d1"), {"entry_id": "e2", "outcome": "rejected", "reason": "http_404"}], rejection=[gone], **rows)  # fmt: skip
    finish_run(store.target, "run-1", DAY, {}, now=DAY + timedelta(days=1))


GIVEN_UP = {
    "entry_id": "e7",
    "outcome": "pending",
    "reason": "timeout",
    "attempts": 6,
    "quarantined_at": DAY.isoformat(),
}


def a_failed_attempt(store: Store) -> None:
    again = (DAY + timedelta(days=40)).isoformat()
    store.load("documents", "run-2", entry=[{"entry_id": "e3", "outcome": "pending", "reason": "timeout", "attempts": 1, "next_attempt_at": again}])  # fmt: skip


def a_pass_later(store: Store) -> None:
    store.load(
        "feeds",
        "run-3",
        outlet=[outlet("o1", "china") | {"name": "Renamed"}],
        feed=[feed("f1", "o1"), feed("f2", "o2")],
    )
    when = {"polled_at": (DAY + timedelta(days=1)).isoformat()}
    changed = poll("p3", "f1", offered=4, etag='"2"', **when)
    store.load("poll", "run-3", poll=[changed, poll("p4", "f2", "error", error="timeout", **when)], entry=[entry("e9", 0), entry("e0", 1), entry("e8", 2, published_at="2026-11-21T01:00:00Z"), entry("e7", 3)])  # fmt: skip
    rows = merged(
        document_rows("d3", "e3"),
        document_rows("d8", "e8"),
        document_rows("x1", "x1", "o2", "f2", published_on="2026-11-20"),
    )
    store.load(
        "documents",
        "run-3",
        entry=[done("e3", "d3"), done("x1", "x1"), done("e8", "d8"), done("e9", "d1"), GIVEN_UP],
        **rows,
    )
    finish_run(store.target, "run-3", DAY, {}, now=DAY + timedelta(days=2))


def a_newer_model(store: Store) -> None:
    rows = merged(*(document_rows(name, f"e{name[1]}", run="m2") for name in ("d0", "d1")))
    for row in rows["stance_label"]:
        row |= {"label": "against", "p_favor": 0.1, "p_against": 0.8}
    for row in rows["evidence"]:  # another sentence of the text
        row |= {"text": TEXT.partition(" 规")[0], "sentence_start": 0, "sentence_end": len(TEXT.partition(" 规")[0])}
    del rows["document"], rows["document_text"]
    rows["label_run"] = [{**rows["label_run"][0], "revision": "new", "created_at": "2026-11-21T08:00:00Z"}]
    store.load("documents", "relabel", **rows)


def event(day: str, name: str) -> dict[str, str]:
    return {"event_id": f"{day} {name}", "day": day, "name": name}


def people(store: Store) -> None:
    store.load("events", event=[event("2026-11-22", "Vote"), event("2026-11-30", "Summit")])
    store.load("human", human_label=[human("d0", "ada", "favor"), human("d1", "ada", "neutral"), human("d0", "bob", "against")])  # fmt: skip


def a_changed_mind(store: Store) -> None:
    store.load("feeds", "run-4", outlet=[outlet("o1", "china") | {"name": "Renamed"}], feed=[feed("f1", "o1")])
    store.load("human", human_label=[human("d0", "ada", "against", coded_at="2026-11-22T08:00:00Z")])


def a_correction(store: Store) -> None:
    """A feed moves and calls e1 changed; its page is read again and has another text."""
    when = {"polled_at": "2026-11-22T08:00:00Z"}
    moved = {"feed_id": "f1", "url": "https://f1/rss", "decided_at": when["polled_at"], "moved_to": "https://f1/new"}
    again = entry("e1", updated_at="2026-11-22T07:00:00Z", first_seen_at=when["polled_at"])
    store.load("poll", "run-5", poll=[poll("p5", "f1", offered=1, **when)], entry=[again], feed_schedule=[moved], host=[asked(5)])  # fmt: skip
    rows = document_rows("d1", "e1", title="corrected", text_hash="h2", fetched_at="2026-11-22T10:00:00Z")
    for name in ("document_text", "relevance_label", "topic_label", "stance_label", "evidence"):
        rows[name] = [{**row, "entry_id": "e1"} for row in rows[name]]
    rows["document_text"][0]["text"] += " Berichtigt."
    rows["relevance_label"][0]["input_hash"] = None
    store.load("documents", "run-5", entry=[done("e1", "d1")], host=[asked(6)], **rows)


def asked(requests: int) -> dict[str, Any]:
    return {"host": "x", "updated_at": f"2026-11-22T08:00:0{requests}Z", "requests": requests, "day": "2026-11-22"}


def quarantine_and_replay(store: Store) -> None:
    gone = {"feed_id": "f1", "url": "https://f1/rss", "decided_at": "2026-11-23T08:00:00Z", "gone_at": "2026-11-23T08:00:00Z"}  # fmt: skip
    store.load("poll", "run-6", poll=[poll("p6", "f1", offered=1, polled_at="2026-11-23T08:00:00Z")], entry=[entry("e6")], feed_schedule=[gone])  # fmt: skip
    aside = {"entry_id": "e6", "outcome": "pending", "reason": "timeout", "quarantined_at": "2026-11-23T09:00:00Z"}
    store.load("documents", "run-6", entry=[aside])
    replay(store.target)


def stories(store: Store) -> None:
    """A copy over there: first it is a story of its own, then that of another outlet. And a vote that was put off."""
    store.load("events", event=[event("2026-11-24", "Vote"), event("2026-11-30", "Summit")])
    when = {"method": "1", "computed_at": "2026-11-23T10:00:00Z"}
    origin = {"link": "origin", **when}
    store.load("stories", story=[{"document_id": name, "story_id": name, **origin} for name in ("d0", "d1", "x1")])
    copy = {"document_id": "x1", "story_id": "d0", "parent_id": "d0", "link": "copy", "similarity": 0.9, **when}
    store.load("stories", sketch=[{"document_id": "x1", "method": "1", "shingles": [1], "marks": []}], story=[copy])


STEPS: list[Callable[[Store], None]] = [
    *(a_first_pass, a_failed_attempt, a_pass_later, a_newer_model, people, a_changed_mind),
    *(a_correction, quarantine_and_replay, stories),
]


def state(store: Store, as_of: str | None = None) -> dict[str, list[str]]:
    """Return the rows of every table that has a load_id, now or as of a snapshot."""
    with reading(store.target) as con:
        sql = "SELECT DISTINCT table_name FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (table_oid) WHERE column_name = 'load_id'"
        tables = [row["table_name"] for row in fetch_rows(con, sql)]
        if as_of:
            travel(con, find_snapshot(con, as_of))
        return {table: sorted(map(str, fetch_rows(con, f"FROM {table}"))) for table in sorted(tables)}


def answers(store: Store, as_of: str | None = None) -> dict[str, str]:
    return {name: answer(store.target, name, PARAMS.get(name, {}), as_of).as_json() for name, _ in list_queries()}


def newest(store: Store) -> str:
    with reading(store.target) as con:
        return find_snapshot(con).load_id


@pytest.mark.parametrize("store", ["lake"], indirect=True)
def test_a_lake_has_snapshots_too(store: Store) -> None:
    then = {}
    for step in STEPS:
        step(store)
        then[newest(store)] = state(store)
    for _ in range(2):
        for load_id, tables in then.items():
            assert state(store, load_id) == tables
            assert answer(store.target, "coding_sample", {}, load_id).missing == ()
    assert run_checks(store.target) == {}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, Any]]:
    """A warehouse after all steps, and what it held and answered after each of them."""
    store = Store(tmp_path_factory.mktemp("told"))
    then = {}
    for step in STEPS:
        step(store)
        then[newest(store)] = (state(store), answers(store))
    return store, then


def test_every_table_is_again_what_it_was_after_a_load(told: tuple[Store, dict[str, Any]]) -> None:
    store, then = told
    for load_id, (tables, _) in then.items():
        assert state(store, load_id) == tables
    changed = [row["record"] for row in store.rows("SELECT DISTINCT record FROM past_row ORDER BY record")]
    assert changed == ["document", "document_text", "entry", "event", "feed", "feed_schedule", "host", "outlet"]


def test_every_query_gives_the_same_bytes_as_after_a_load(told: tuple[Store, dict[str, Any]]) -> None:
    store, then = told
    for load_id, (_, said) in then.items():
        assert answers(store, load_id) == said
    for name, _ in list_queries():
        versions = {said[name].partition('"rows"')[2] for _, said in then.values()}
        assert len(versions) > 1, f"{name} says the same of every state: this test shows nothing of it"


def test_parquet_too_and_the_newest_snapshot_is_what_is_asked_without_one(told: tuple[Store, dict[str, Any]]) -> None:
    store, then = told
    last, first = list(then)[-1], next(iter(then))
    for name in ("net_stance", "coding_sample", "outcomes"):
        _, plain = as_parquet(store.target, name, {})
        assert as_parquet(store.target, name, {}, last)[1] == plain
        assert as_parquet(store.target, name, {}, first)[1] != plain


def test_a_snapshot_fixes_which_label_run_counts(told: tuple[Store, dict[str, Any]]) -> None:
    store, then = told
    runs = [[run["label_run_id"] for run in answer(store.target, "net_stance", {}, load_id).label_runs] for load_id in then]  # fmt: skip
    assert runs == [["m1"], ["m1"], ["m1"], *[["m1", "m2"]] * 6]
    before, after = (
        answer(store.target, "strongest_sentences", {"target": "binding_rules", "label": "favor"}, load_id).rows
        for load_id in list(then)[2:4]
    )
    assert (len(before), len(after)) == (5, 3)


def test_a_time_means_the_last_load_until_then(told: tuple[Store, dict[str, Any]]) -> None:
    store, then = told
    with reading(store.target) as con:
        for load_id in then:
            at = find_snapshot(con, load_id).at
            assert find_snapshot(con, at.isoformat()).load_id == load_id
            assert find_snapshot(con, (at - timedelta(microseconds=1)).isoformat()).load_id != load_id
        last = find_snapshot(con)
        assert find_snapshot(con, f"{last.at:%Y-%m-%dT%H:%M:%S.%fZ}") == last
        for asked, why in (
            (
                (last.at + timedelta(microseconds=1)).isoformat(),
                "this copy ends at .* the newest load, " + last.load_id,
            ),
            ("2026-01-01", "nothing was loaded by then"),
            ("yesterday", "no load of this id here, and no time"),
        ):
            with pytest.raises(ConfigError, match=why):
                find_snapshot(con, asked)


def test_what_was_prepared_before_and_stored_after_a_snapshot_is_not_in_it(store: Store) -> None:
    """A load id sorts by the time of preparation; a batch that is prepared may wait while others are stored."""
    late = store.prepare("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    store.load("poll", poll=[poll("p2", "f2", offered=1)], entry=[entry("x1", 0, "f2", "o2")])
    snapshot, before = newest(store), state(store)
    assert late.name < snapshot
    store.load_prepared(late)
    assert state(store, snapshot) == before
    assert state(store) != before


def test_loads_stay_in_order_when_the_clock_is_set_back(store: Store) -> None:
    con = connect(store.target)
    con.execute("UPDATE load SET loaded_at = now() + INTERVAL 1 DAY")
    con.close()
    before, known = newest(store), state(store)
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    assert newest(store) != before
    assert state(store, before) == known


def test_a_table_that_nobody_named_is_part_of_a_snapshot(store: Store) -> None:
    first = newest(store)
    store.load("poll", poll=[poll("p1", "f1", offered=1)], entry=[entry("e1")])
    con = connect(store.target)
    con.execute("CREATE TABLE fresh (word VARCHAR, load_id VARCHAR)")
    con.executemany("INSERT INTO fresh VALUES (?, ?)", [("old", first), ("new", newest_of(con))])
    con.close()
    assert [row[:14] for row in state(store, first)["fresh"]] == ["{'word': 'old'"]


def newest_of(con: Any) -> str:
    return find_snapshot(con).load_id


def test_rows_that_no_load_kept_are_said_to_be_missing(told: tuple[Store, dict[str, Any]], tmp_path: Path) -> None:
    """A warehouse that an older version filled has no past rows of what that one changed."""
    store = Store(tmp_path)
    a_first_pass(store)
    snapshot = newest(store)
    a_failed_attempt(store)
    con = connect(store.target)
    con.execute("DELETE FROM past_row")
    con.execute("UPDATE migration SET applied_at = now()")
    con.close()
    (said,) = answer(store.target, "pending", {}, snapshot).missing
    assert said.startswith("loads before 2")
    assert "did not keep what they changed" in said
    assert all(not answer(told[0].target, "pending", {}, load_id).missing for load_id in told[1])


def test_no_query_asks_the_clock_or_the_dice() -> None:
    for path in QUERIES.glob("*.sql"):
        code = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8")).lower()
        clock = r"(?<!\$)\b(now|today|current_date|current_time|current_timestamp|random|uuid)\b"
        assert not re.search(clock, code), path
        if load_query(path.stem).sql.count("ORDER BY") == 0:
            pytest.fail(f"{path.stem} has rows in no order")


def test_what_a_load_changes_is_kept_first() -> None:
    """A step that changes rows of a table with a load_id has to keep them as they were."""
    for path in (Path(QUERIES.parent) / "steps").glob("*.sql"):
        if path.stem in ("retain", "scrub"):  # what these take away is not to be had again; removal says what it was
            continue
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        changed = set(re.findall(r"\bUPDATE (?!SET\b|BY\b)(\w+)|\bDELETE FROM (\w+)", code))
        merged_into = [part for part in re.split(r"MERGE INTO ", code)[1:] if "THEN UPDATE" in part.partition(";")[0]]
        tables = {name for pair in changed for name in pair if name} | {part.split()[0] for part in merged_into}
        for table in tables - set(re.findall(r"CREATE TEMP TABLE (\w+)", code)):
            assert f"'{table}' AS record" in code, f"{path.name} changes {table}"

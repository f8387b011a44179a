"""Named queries: rows in, rows out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.errors import ConfigError
from tests.support.store import SENTENCE, Store, document_rows, done, entry, feed, merged, outlet, poll
from warehouse.load import finish_run
from warehouse.publish import publish
from warehouse.query import list_queries, load_query, run_query

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
Table = list[dict[str, object]]


def ask(store: Store, name: str, **params: str) -> Table:
    """Run a query and return dictionaries."""
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_every_query_has_a_help_line_and_runs_with_its_defaults(filled: Store) -> None:
    publish(filled.target)
    assert [name for name, _ in list_queries()] == [
        "agreement",
        "amplification",
        "burst_days",
        "coding_sample",
        "completeness",
        "coverage",
        "daily_share",
        "drift",
        "event_shift",
        "feed_health",
        "first_to_publish",
        "label_changes",
        "net_stance",
        "outcomes",
        "over_coverage",
        "pending",
        "prevalence",
        "quarantine_growth",
        "source_health",
        "speakers",
        "strongest_sentences",
        "telling_words",
    ]
    for name, words in list_queries():
        assert len(words) > 20
        columns, _ = run_query(filled.target, name, {})
        assert len(columns) == len(set(columns))
        assert all(f"${param.name}" in load_query(name).sql for param in load_query(name).params)


def test_daily_share(store: Store) -> None:
    day = "2026-11-20T05:00:00Z"
    store.load("poll", poll=[poll("p1", "f1", offered=4), poll("p2", "f2", offered=2)],
               entry=[*(entry(f"a{n}", n, published_at=day) for n in range(4)), *(entry(f"b{n}", n, "f2", "o2", published_at=day) for n in range(2))])  # fmt: skip
    rows = merged(
        document_rows("d1", "a0"), document_rows("d2", "b0", "o2", "f2"), document_rows("d3", "b1", "o2", "f2")
    )
    rows["relevance_label"][2] |= {"abstain": True}
    store.load("documents", entry=[done("a0", "d1"), done("b0", "d2"), done("b1", "d3")], **rows)
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    share = {
        "day": date(2026, 11, 20),
        "relevant": 2,
        "seen": 6,
        "pooled_share": 0.3333,
        "outlet_mean_share": 0.375,
        "outlets": 2,
        "stories": 2,
        "votes": 2,
        "distinct_share": 0.3333,
        **dict.fromkeys(("pooled_low", "pooled_high", "mean_low", "mean_high")),
    }
    assert ask(store, "daily_share") == [{**share, "complete_outlets": 2}]
    assert [row["seen"] for row in ask(store, "daily_share", bloc="us")] == [2]
    assert [row["relevant"] for row in ask(store, "daily_share", topic="trade")] == [0]
    assert ask(store, "daily_share", since="2026-11-21") == []


def test_daily_share_leaves_out_days_that_were_not_fully_seen(filled: Store) -> None:
    finish_run(filled.target, "run-1", NOW, {}, now=NOW)
    assert ask(filled, "daily_share") == []
    (row,) = ask(filled, "daily_share", complete="false")
    assert (row["relevant"], row["seen"], row["outlets"], row["complete_outlets"]) == (2, 4, 2, 0)


def test_strongest_sentences(filled: Store) -> None:
    rows = ask(filled, "strongest_sentences", target="binding_rules", label="favor")
    assert [(row["document_id"], row["sentence"], row["p"], row["model_id"]) for row in rows] == [
        ("d1", SENTENCE, 0.8, "tiny"),
        ("d2", SENTENCE, 0.8, "tiny"),
    ]
    assert [
        row["outlet"] for row in ask(filled, "strongest_sentences", target="binding_rules", label="favor", bloc="china")
    ] == ["O1"]
    assert ask(filled, "strongest_sentences", target="binding_rules") == []
    assert len(ask(filled, "strongest_sentences", target="binding_rules", label="favor", most="1")) == 1


def test_speakers(store: Store) -> None:
    store.load("poll", poll=[poll("p1", "f1", offered=4)], entry=[entry(f"a{n}", n) for n in range(4)])
    rows = merged(*(document_rows(f"d{n}", f"a{n}") for n in range(4)))
    rows["stance_label"][1] |= {"label": "against"}
    rows["evidence"][1] |= {"speaker": "MINISTRY of trade"}  # the same office, written otherwise
    rows["evidence"][2] |= {"voice": "own", "speaker": None}
    rows["evidence"][3] |= {"voice": None, "speaker": None}  # labelled by an older version, which heard no voices
    store.load("documents", entry=[done(f"a{n}", f"d{n}") for n in range(4)], **rows)
    found = ask(store, "speakers", target="binding_rules")
    assert [(row["speaker"], row["favor"], row["against"], row["documents"]) for row in found] == [
        ("ministry of trade", 1, 1, 2),
        ("(own voice)", 1, 0, 1),
    ]
    assert ask(store, "speakers", target="binding_rules", least="3") == []


def test_source_health(store: Store) -> None:
    for back in range(34):
        when = NOW - timedelta(days=back)
        day = when.strftime("%Y-%m-%dT05:00:00Z")
        seen = [] if back < 7 else [entry(f"a{back}", published_at=day)]
        other = [entry(f"b{back}-{n}", n, "f2", "o2", published_at=day) for n in range(1 + back % 2)]
        polls = [
            poll(f"p{back}", "f1", offered=len(seen), polled_at=day),
            poll(f"q{back}", "f2", offered=len(other), polled_at=day),
        ]
        store.load("poll", poll=polls, entry=[*seen, *other])
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    dark, fine = ask(store, "source_health")
    assert (dark["outlet"], dark["status"], dark["seen_a_day"], dark["before_a_day"]) == ("O1", "dark", 0.0, 0.96)
    assert (fine["outlet"], fine["status"], fine["polls"], fine["complete_days"]) == ("O2", "ok", 7, 6)
    assert ask(store, "source_health", status="low") == []
    assert {row["status"] for row in ask(store, "source_health", as_of="2026-10-20")} == {"new"}


def test_feeds_that_are_gone_are_named_and_their_outlet_too(store: Store) -> None:
    gone = {"status": 410, "error": "http_410: gone", "failures": 3, "next_poll_at": "2026-11-22T00:00:00Z"}
    since = {
        "url": "https://f1/rss",
        "decided_at": "2026-11-20T08:00:00Z",
        "strain": 3,
        "gone_at": "2026-11-18T08:00:00Z",
    }
    moved = {"url": "https://f2/rss", "decided_at": "2026-11-20T08:00:00Z", "moved_to": "https://new/rss"}
    store.load(
        "poll",
        poll=[poll("p1", "f1", "error", **gone), poll("p2", "f2", failures=0)],
        feed_schedule=[{"feed_id": "f1", **since}, {"feed_id": "f2", **moved, "poll_interval": 1800}],
    )
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    first, second = ask(store, "feed_health")
    assert (first["feed_id"], first["status"], first["gone_since"]) == ("f1", "gone", "2026-11-18T08:00:00Z")
    assert (first["strain"], first["error"], first["next_poll"]) == (3.0, "http_410: gone", "2026-11-22T00:00:00Z")
    assert (second["status"], second["moved_to"], second["interval_minutes"]) == ("moved", "https://new/rss", 30.0)
    outlets = [(row["outlet"], row["status"], row["feeds"], row["feeds_gone"]) for row in ask(store, "source_health")]
    assert outlets[0] == ("O1", "gone", 1, 1)
    assert outlets[1][2:] == (1, 0)


def test_a_seldom_outlet_is_not_dark_and_a_wide_spread_hides_no_fall(store: Store) -> None:
    for back in range(35):
        when = NOW - timedelta(days=back)
        day = when.strftime("%Y-%m-%dT05:00:00Z")
        seldom = [entry("a", published_at=day)] if back == 20 else []
        wild = [
            entry(f"b{back}-{n}", n, "f2", "o2", published_at=day)
            for n in range(30 if back % 7 == 0 and back > 6 else 0)
        ]
        wild += [entry("b0", 0, "f2", "o2", published_at=day)] if back == 1 else []
        polls = [
            poll(f"p{back}", "f1", offered=len(seldom), polled_at=day),
            poll(f"q{back}", "f2", offered=len(wild), polled_at=day),
        ]
        store.load("poll", poll=polls, entry=[*seldom, *wild])
    finish_run(store.target, "run-1", NOW, {}, now=NOW)
    assert [(row["outlet"], row["status"]) for row in ask(store, "source_health")] == [("O2", "low"), ("O1", "ok")]


def test_net_stance(filled: Store) -> None:
    rows = ask(filled, "net_stance", least="1")
    assert [(row["target"], row["bloc"], row["week"], row["n"], row["net"]) for row in rows] == [
        ("binding_rules", "china", date(2026, 11, 16), 1, None),  # of one outlet: its number, and nothing more
        ("binding_rules", "us", date(2026, 11, 16), 1, None),
    ]


def test_outcomes(filled: Store) -> None:
    (row,) = ask(filled, "outcomes")
    assert [row[name] for name in ("offered", "loaded", "duplicate", "rejected", "pending")] == [5, 2, 1, 1, 1]
    assert (row["finished"], row["rejected_for"]) == (False, "http_404 1")


def test_pending(filled: Store) -> None:
    new = {"state": "pending", "reason": "not tried yet", "next_attempt": "now", "feed_off": 0, "most_attempts": 0}
    seen = {"outlets": 1, "oldest_seen_at": "2026-11-20T08:00:00Z"}
    assert ask(filled, "pending") == [{**new, **seen, "entries": 1}]
    down = {"reason": "http_503", "attempts": 2, "next_attempt_at": "2100-01-01T07:59:00Z"}
    due = {"reason": "timeout", "attempts": 1, "next_attempt_at": "2026-11-20T09:00:00Z"}
    filled.load("poll", poll=[poll("p3", "f2", offered=3)], entry=[*(entry(f"d{n}", n, "f2", "o2", **down) for n in range(2)), entry("t", 2, "f2", "o2", **due)])  # fmt: skip
    filled.load("feeds", outlet=[outlet("o2", "us")], feed=[feed("f2", "o2")])  # f1 is no longer listed
    waiting = [
        {**new, **seen, "entries": 1, "feed_off": 1},
        {**new, **seen, "entries": 1, "reason": "timeout", "most_attempts": 1},
        {**new, **seen, "entries": 2, "reason": "http_503", "most_attempts": 2, "next_attempt": "2100-01-01T07:00Z"},
    ]
    assert ask(filled, "pending") == waiting
    assert ask(filled, "pending", outlet="O2") == waiting[1:]


def test_the_published_copy_is_read_where_there_is_one(filled: Store) -> None:
    publish(filled.target)
    filled.load("poll", "run-2", poll=[poll("p9", "f1", polled_at="2026-11-20T12:00:00Z")])
    assert [row["run_id"] for row in ask(filled, "outcomes")] == ["run-1"]
    publish(filled.target)
    assert [row["run_id"] for row in ask(filled, "outcomes")] == ["run-2", "run-1"]


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("no_such", {}, "there are: agreement"),
        ("outcomes", {"limit": "3"}, "it has: run, most"),
        ("outcomes", {"most": "many"}, "not of type int"),
        ("daily_share", {"complete": "perhaps"}, "not of type bool"),
        ("daily_share", {"since": "yesterday"}, "not of type date"),
    ],
)
def test_misuse(filled: Store, name: str, params: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run_query(filled.target, name, params)

"""The command line as other programs use it: formats, order, and an answer for every line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from flows.cli import app
from tests.support.store import T1, Store, entry, feed, outlet, poll


def stancewatch(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], input=stdin, capture_output=True, cwd=cwd, check=False
    )


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.endswith(b"\n")
    return [json.loads(line) for line in done.stdout[:-1].split(b"\n")]


def test_extract_answers_every_line_in_order(tmp_path: Path) -> None:
    text = "The assembly asked every state to share what it knows about the new machines, and to write the rules together. "
    (tmp_path / "a.html").write_text(f"<html><body><article><h1>Rules</h1><p>{text * 4}</p></article></body></html>")
    manifest = [
        json.dumps({"id": 1, "url": "https://news.example/a", "path": str(tmp_path / "a.html")}),
        "no json",
        json.dumps({"id": 3, "url": "https://news.example/b", "path": str(tmp_path / "missing.html")}),
        json.dumps({"id": 4, "url": "nonsense", "path": str(tmp_path / "a.html")}),
        json.dumps([1]),
    ]
    found = lines(stancewatch("extract", stdin="\n".join(manifest).encode()))
    assert [line["id"] for line in found] == [1, None, 3, 4, None]
    assert found[0]["rejection"] is None
    assert text.strip() in found[0]["text"]
    keys = {
        "id",
        "url",
        "canonical_url",
        "title",
        "authors",
        "published_at",
        "date_source",
        "lang",
        "text",
        "rejection",
    }
    assert all(set(line) == keys for line in found)
    assert all(set(line["rejection"]) == {"stage", "reason", "detail"} for line in found[1:])


def test_entries_answers_every_line_in_order(tmp_path: Path) -> None:
    (tmp_path / "f.xml").write_text(
        "<rss version='2.0'><channel><item><title>One</title><link>/1</link></item><item><title>No link</title></item></channel></rss>"
    )
    (tmp_path / "g.xml").write_text("not a feed")
    manifest = [
        json.dumps({"id": n, "url": "https://news.example/feed", "path": str(tmp_path / n)}) for n in ("f.xml", "g.xml")
    ]
    found = lines(stancewatch("entries", stdin="\n".join(manifest).encode()))
    assert [entry["url"] for entry in found[0]["entries"]] == ["https://news.example/1", None]
    assert found[0]["error"] is None
    assert "not_a_feed" in found[1]["error"]


def test_classify_answers_every_line_in_order() -> None:
    texts: list[Any] = [
        {
            "id": "a",
            "title": "Rules",
            "text": "The UN should write binding rules for AI.\u2028All countries must have a say.",
        },
        {"id": "b", "title": "x"},
        {"id": "c", "title": "", "text": ""},
        {"id": "d", "text": "半\ud800截"},
    ]
    found = lines(stancewatch("classify", stdin="\n".join(json.dumps(t) for t in texts).encode()))
    assert [line["id"] for line in found] == ["a", "b", "c", "d"]
    assert found[1]["rejection"]["reason"] == "bad_input"
    assert len(found[0]["topics"]) == 10
    assert [s["target"] for s in found[0]["stances"]] == [
        "multilateral",
        "restriction",
        "binding_rules",
        "china_initiative",
        "us_approach",
    ]
    for stance in found[0]["stances"]:
        assert abs(stance["p_favor"] + stance["p_against"] + stance["p_neutral"] - 1) < 1e-4
        assert all(texts[0]["text"][e["start"] : e["end"]] == e["text"] for e in stance["evidence"])


def test_status_shows_outcomes_pending_and_health_also_as_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    store.load("poll", poll=[poll("p1", "f1", offered=2)], entry=[entry("e1", 0), entry("e2", 1)])
    done = stancewatch("status", "--json", "--warehouse", store.target)
    assert done.returncode == 1, "no pass has ended"

    def no_json(word: str) -> None:
        pytest.fail(f"{word} is no JSON")

    shown = json.loads(done.stdout, parse_constant=no_json)
    assert list(shown) == ["healthy", "reasons", "vitals", "machine", "outcomes", "pending", "feed_health", "source_health", "loads_set_aside"]  # fmt: skip
    assert [(row["reason"], row["next_attempt"], row["entries"]) for row in shown["pending"]] == [("not tried yet", "now", 2)]  # fmt: skip
    assert shown["outcomes"][0]["pending"] == 2
    tables = stancewatch("status", "--warehouse", store.target).stdout.decode()
    assert all(name in tables for name in ("outcomes", "pending", "feed_health", "source_health", "not tried yet"))


def test_replay_puts_back_what_is_in_quarantine_and_fits(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
    store.load("poll", poll=[poll("p1", "f1", offered=3)], entry=[entry("e1", 0), entry("e2", 1), entry("e3", 2)])
    aside = {"outcome": "pending", "attempts": 8, "quarantined_at": T1}
    store.load("documents", entry=[{"entry_id": "e1", "reason": "timeout", **aside}, {"entry_id": "e2", "reason": "http_500", **aside}])  # fmt: skip

    def replay(*arguments: str) -> Any:
        done = stancewatch("replay", "--json", "--warehouse", store.target, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    waiting = [(row["state"], row["reason"], row["entries"]) for row in json.loads(stancewatch("status", "--json", "--warehouse", store.target).stdout)["pending"]]  # fmt: skip
    assert waiting == [("pending", "not tried yet", 1), ("quarantined", "http_500", 1), ("quarantined", "timeout", 1)]
    dry = replay("--dry-run", "--host", "x")
    assert (dry["put_back"], [row["entry_id"] for row in dry["entries"]]) == (False, ["e2", "e1"])
    assert replay("--reason", "timeout", "--host", "elsewhere.example")["entries"] == []
    (row,) = replay("--reason", "timeout")["entries"]
    assert row == {"entry_id": "e1", "url": "https://x/e1", "reason": "timeout", "attempts": 8, "quarantined_at": T1}
    assert [row["entry_id"] for row in replay("--url", "https://X/e2#top")["entries"]] == ["e2"]
    assert store.rows("SELECT entry_id, attempts FROM entry WHERE quarantined_at IS NULL ORDER BY entry_id") == [
        {"entry_id": name, "attempts": 0} for name in ("e1", "e2", "e3")
    ]
    assert replay()["entries"] == []
    assert stancewatch("replay", "--url", "ftp://x", "--warehouse", store.target).returncode == 2


def test_misuse_and_missing_things_have_their_exit_status(tmp_path: Path) -> None:
    assert stancewatch("nonsense").returncode == 2
    assert stancewatch("query", "daily_share", "--warehouse", str(tmp_path / "none.duckdb")).returncode == 1
    done = stancewatch("feeds", "check", str(tmp_path / "none.toml"))
    assert done.returncode == 1
    assert b"none.toml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_default_feeds_are_many_and_diverse(tmp_path: Path) -> None:
    done = stancewatch("feeds", "check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    words = done.stdout.decode().split()
    assert int(words[0]) >= 80
    assert int(words[4]) >= 30
    assert int(words[6]) >= 8


def commands(group: Any = None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command, of the groups too; () is the program itself."""
    group = group or typer.main.get_command(app)
    inner = getattr(group, "commands", {})
    return [path, *(words for name, one in inner.items() for words in commands(one, (*path, name)))]


HEAVY = {"prefect", "duckdb", "torch", "transformers", "onnxruntime", "numpy", "trafilatura", "httpx"}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_comes_fast_and_ends_with_an_example_to_copy(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "flows.cli", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith(f"  Example: {' '.join(('stancewatch', *words))}")
    assert "..." not in done.stdout.partition("Commands:")[2]  # every line of the list says all that it has to say
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & HEAVY


def test_statements_without_an_encoder_to_teach_are_refused(tmp_path: Path) -> None:
    done = stancewatch("train", str(tmp_path / "c.jsonl"), "--out", str(tmp_path / "m"), "--statements", "s.jsonl")
    assert done.returncode != 0
    assert b"--base" in done.stderr

"""A real pass over a dozen hosts that misbehave, all at once, beside two that do not: outcomes, good pages, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.feeds import feeds_toml
from pipeline.records import Feed
from tests.support import hostile
from tests.support.hostile import HEAD, OPEN, dripping, forever, huge, redirect, says
from tests.support.raw import RawWeb, Script, answer, serve_raw
from warehouse.query import run_checks

TEXT = (
    "Ministers of {n} countries met on the island to talk about rules for artificial intelligence. The host asked for a treaty "
    "that binds all sides, and a delegate from the north said that voluntary promises would do. "
)
MAX_BODY = 1_000_000
PEAK = 1_500_000_000  # bytes that the pass may hold at most; the model and Prefect are most of it
MEASURED = """
import resource, subprocess, sys  # a small process between: the system counts to a child what its parent held before exec
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(code)
"""


def rss(*links: str) -> bytes:
    items = "".join(f"<item><title>Talks {n}</title><link>{link}</link></item>" for n, link in enumerate(links))
    return f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()


def page(number: int) -> Script:
    body = f"<!doctype html><html><title>Talks {number}</title><article><h1>Talks {number}</h1>{f'<p>{TEXT.format(n=number)}</p>' * 4}"
    return answer(body.encode())


BAD_FEEDS: dict[str, Script] = {
    "endless": forever(OPEN, b"<item/>" * 999), "bomb": answer(hostile.gzip_bomb(rss("/a")), "content-encoding: gzip"),
    "laughs": answer(hostile.laughs().encode() + rss("/a")), "drip": dripping(OPEN), "loop": redirect("/feed"),
    "flood": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "file": redirect("file:///etc/passwd"), "reset": says(HEAD, None),
}  # fmt: skip
BAD_PAGES: dict[str, tuple[Script, str]] = {  # what answers for the page, and the outcome
    "endless": (forever(OPEN, b"<p>more</p>" * 999), "rejected too_large"),
    "100 MB": (huge(100_000_000), "rejected too_large"),
    "bomb": (answer(hostile.gzip_bomb(), "content-encoding: gzip"), "rejected too_large"),
    "drip": (dripping(OPEN), "pending timeout"),
    "silent": (hostile.silent, "pending timeout"),
    "headers": (says(HEAD + b"a:b\r\n" * 9_000 + b"\r\n"), "rejected too_many_headers"),
    "reset": (says(HEAD, None), "pending network"),
    "inside": (redirect("http://127.0.0.1:9/secret"), "rejected private_address"),
    "data": (redirect("data:text/html,x"), "rejected bad_"),
    "tags": (answer(b"<!doctype html><html>" + b"<p>" * 200_000), "rejected too_large"),
    "attributes": (answer(b"<!doctype html><html><p " + b"a=1 " * 200_000 + b">"), "rejected too_large"),
    "deep": (answer(b"<!doctype html><html>" + b"<div>" * 10_000), "rejected"),
    "NULs": (answer(b"\0" * 900_000), "rejected"),
    "partial": (answer(b"<p>text</p>", status="206 Partial"), "pending http_206"),
}  # fmt: skip


def feed(name: str, web: RawWeb) -> Feed:
    return Feed(feed_id=name, url=f"{web.url}/feed", outlet=name, country="KE", bloc="global_south", language="en", ownership="private",
                kind="news")  # fmt: skip


@pytest.fixture
def hosts() -> Iterator[dict[str, RawWeb]]:
    """One server a bad feed and a bad page, and two good ones; the first lists all bad pages, first and last a good one."""
    with ExitStack() as stack:
        webs = {
            name: stack.enter_context(serve_raw())
            for name in ("good", "fine", *(f"{kind} feed" for kind in BAD_FEEDS), *BAD_PAGES)
        }
        for kind, script in BAD_FEEDS.items():
            webs[f"{kind} feed"].scripts["/feed"] = script
        for kind, (script, _) in BAD_PAGES.items():
            webs[kind].scripts["/page"] = script
        for name in ("good", "fine"):
            webs[name].scripts.update({f"/{number}": page(number) for number in range(3)})
        bad = [f"{webs[kind].url}/page" for kind in BAD_PAGES]
        webs["good"].scripts["/feed"] = answer(
            rss("/0", *bad, "javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/x", "/1", "/2")
        )
        webs["fine"].scripts["/feed"] = answer(rss("/0", "/1", "/2"))
        yield webs


def ran(api: str, folder: Path, hosts: dict[str, RawWeb]) -> tuple[str, int]:
    """Make one pass in a process of its own; return its warehouse and the bytes that it held at most."""
    listing, warehouse = folder / "feeds.toml", str(folder / "w.duckdb")
    feeds = [feed(name, web) for name, web in hosts.items() if "/feed" in web.scripts]
    listing.write_text(feeds_toml(feeds), encoding="utf-8")
    chosen = {
        "ALLOW_HOSTS": json.dumps([web.host for web in hosts.values()]), "REQUEST_TIMEOUT": "8", "MAX_BODY": str(MAX_BODY),
    }  # fmt: skip
    environment = {**os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "home")}
    environment |= {f"STANCEWATCH_{name}": value for name, value in chosen.items()}
    command = [sys.executable, "-m", "flows.cli", "run", "--all", "--feeds", str(listing), "--warehouse", warehouse]
    with (folder / "log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *command], env=environment, stdout=subprocess.PIPE, stderr=log, check=False
        )
    assert done.returncode == 0, (folder / "log").read_text()
    return warehouse, int(done.stdout)


def ask(warehouse: str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(warehouse, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_pass_over_the_worst_hosts_ends_with_every_item_accounted_for(
    api: str, tmp_path: Path, hosts: dict[str, RawWeb]
) -> None:
    warehouse, peak = ran(api, tmp_path, hosts)
    assert peak < PEAK
    ((offered, *outcomes),) = ask(warehouse, "SELECT offered, loaded, duplicate, rejected, pending FROM run")
    assert offered == sum(outcomes) == len(BAD_PAGES) + 3 + 6
    polls = Counter(outcome for (outcome,) in ask(warehouse, "SELECT outcome FROM poll"))
    assert polls == {"error": len(BAD_FEEDS), "ok": 2}
    ended = {
        url: f"{outcome} {reason or ''}".strip()
        for url, outcome, reason in ask(warehouse, "SELECT url, outcome, reason FROM entry")
    }
    for name in ("good", "fine"):
        assert [ended[f"{hosts[name].url}/{number}"] for number in range(3)] == ["loaded"] * 3, ended
    for kind, (_, expected) in BAD_PAGES.items():
        assert ended[f"{hosts[kind].url}/page"].startswith(expected), kind
    assert ended["http://169.254.169.254/x"].startswith("rejected private_address")
    assert ask(warehouse, "SELECT count(*) FROM rejection WHERE reason = 'no_link'") == [(2,)]
    assert {name: rows for name, rows in run_checks(warehouse).items() if rows} == {}
    for name, web in hosts.items():
        assert sum(web.sent.values()) < 4 * MAX_BODY + 10_000_000, name  # sockets buffer some megabytes

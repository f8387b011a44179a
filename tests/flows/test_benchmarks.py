"""The benchmarks over a generated web still run: tiny ones here, the sizes that tell something in docs/benchmarks.md."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.extract import extract
from pipeline.poll import read_feed
from warehouse.query import run_checks

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the modules of the benchmarks be imported, as their scripts do."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(str(sys.modules[name].__file__)).parent == BENCHMARKS:
            del sys.modules[name]


@pytest.mark.usefixtures("benchmarks")
def test_every_page_of_the_generated_web_is_an_article_of_its_language() -> None:
    import web_pages as web  # type: ignore[import-not-found]

    shape = web.Shape(hosts=8, feeds=16, pages=64)
    for number in range(16):
        base = "http://127.0.0.1:1"
        body = web.page(shape, number, base)
        assert body == web.page(shape, number, base)
        assert 30_000 <= len(body) <= 150_000
        document = extract(body, base + web.page_path(number))
        title, paragraphs = web.article(shape, number)
        assert document.rejection is None
        assert document.title == title
        assert document.lang == web.language(shape.host_of_page(number))
        assert (document.published_at or "")[:10] == web.published(number).date().isoformat()
        assert all(part in document.text for part in paragraphs)


@pytest.mark.usefixtures("benchmarks")
def test_the_server_answers_as_servers_do() -> None:
    import web_pages as pages
    import web_server as server  # type: ignore[import-not-found]

    shape = pages.Shape(hosts=2, feeds=4, pages=12)
    with server.served(shape) as web, httpx.Client(trust_env=False) as client:
        feed = client.get(web.feeds[3].url)
        entries, refused = read_feed(feed.content, "f", web.feeds[3].url, datetime.now(UTC))
        assert [entry.url for entry in entries] == [web.urls[3], web.urls[7], web.urls[11]]
        assert not refused
        assert all(client.get(url).status_code == 200 for url in web.urls)
        again = client.get(web.feeds[3].url, headers={"if-none-match": feed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "Disallow: /private/" in client.get(f"{web.base(0)}/robots.txt").text
        assert client.get(f"{web.base(0)}/2026/11/01/99-story.html").status_code == 404


def run(script: str, *arguments: str, said: str = "", **environment: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    root = str(BENCHMARKS.parent)
    given = {**os.environ, "PYTHONPATH": root, **environment}
    done = subprocess.run(command, input=said, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_ours_beside_the_extractor_alone_and_peers_that_are_not_here() -> None:
    said = run("web.py", "--hosts", "2", "--feeds", "4", "--pages", "8", "--only", "peers")
    assert "of the speed of the extractor alone (median of 1" in said
    assert "news-please    skipped: not installed" in said


@pytest.mark.usefixtures("benchmarks")
def test_a_pass_by_prefect_is_watched_stage_by_stage(api: str, tmp_path: Path) -> None:
    import soak  # type: ignore[import-not-found]
    import web_pages as pages
    import web_server as server

    shape = pages.Shape(hosts=2, feeds=4, pages=20)
    with server.served(shape) as web:
        said = json.dumps({"shape": {"hosts": 2, "feeds": 4, "pages": 20, "seed": 7}, "ports": web.ports})
        home = str(tmp_path / "home")
        run("soak.py", "--inside", str(tmp_path), "--server", str(os.getpid()), said=said, PREFECT_API_URL=api,
            PREFECT_HOME=home, STANCEWATCH_BATCH_SIZE="5")  # fmt: skip
    found = json.loads((tmp_path / "soak.json").read_text())
    assert found["counts"] == {"offered": 20, "loaded": 20, "duplicate": 0, "rejected": 0, "pending": 0}
    assert [sum(name == stage for _, name, _ in found["latencies"]) for stage in ("fetch", "extract", "label")] == [
        4
    ] * 3
    assert run_checks(str(tmp_path / "web.duckdb")) == {}
    rows = soak.tenths(samples_of(found), 20)
    assert len(rows) == 10
    assert any("flat" in line for line in soak.verdicts(rows))


def samples_of(found: dict[str, Any]) -> dict[str, Any]:
    """Two looks in each tenth, as a pass of half a minute leaves them, with what this one measured."""
    known = {"memory": 400.0, "server": 200.0, "warc": 1.0, "prefect": 1.0}
    looks = [{**known, "documents": n, "warehouse": float(n)} for n in range(20)]
    assert not any(math.isnan(seconds) for _, _, seconds in found["latencies"])
    return {**found, "samples": looks}

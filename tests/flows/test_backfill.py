"""Backfills through real parts: a loopback server, a Prefect server, DuckDB files, WARC files; crashes at every load."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import stages
from flows.backfill import backfill
from flows.survey import survey
from pipeline.records import Page
from pipeline.settings import load_settings
from pipeline.warc.read import capture_at
from pipeline.warc.write import write_pages
from tests.pipeline.test_warc_write import AT
from tests.support.server import Web, serve_web
from warehouse.load import load_folder
from warehouse.query import run_checks

PAGES = 6
CONTENT = "SELECT document_id, title, text_hash, published_on, outlet_id FROM document ORDER BY ALL"
OUTCOMES = "SELECT entry_id, outcome, reason FROM entry ORDER BY ALL"


def article(number: int) -> str:
    said = (
        f"Ministers of the coast met for day {number} of their talks and argued that binding rules for artificial "
        "intelligence are needed, and that every model should be tested before a harbour relies on it. "
    )
    body = "".join(f"<p>{said}Point {n} of the day was settled.</p>" for n in range(4))
    date = f"<meta property='article:published_time' content='2026-07-{10 + number}T10:00:00Z'>"
    return f"<html lang=en><head><title>Harbour talks, day {number}</title>{date}</head><body><article><h1>Harbour talks, day {number}</h1>{body}</article></body></html>"


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        pages = "".join(f"<url><loc>/a{n}</loc><lastmod>2026-07-{10 + n}</lastmod></url>" for n in range(PAGES))
        urlset = (
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{pages}<url><loc>/gone</loc></url></urlset>'
        )
        served.page("/sitemap.xml.gz", gzip.compress(urlset.encode()), kind="application/gzip")
        for n in range(PAGES):
            served.page(f"/a{n}", article(n))
        yield served


@pytest.fixture
def settings(api: str, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STANCEWATCH_ALLOW_HOSTS", json.dumps([web.host]))
    monkeypatch.setenv("STANCEWATCH_BATCH_SIZE", "2")
    with temporary_settings({PREFECT_API_URL: api}):
        yield


def ask(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def run(warehouse: Path, **sources: Any) -> dict[str, Any]:
    done = backfill(warehouse=str(warehouse), **sources)
    assert isinstance(done, dict)
    assert done["offered"] == done["loaded"] + done["duplicate"] + done["rejected"] + done["pending"]
    assert {name: rows for name, rows in run_checks(str(warehouse)).items() if rows} == {}
    return done


def archive(path: Path, number: int = PAGES) -> Path:
    """A WARC file of another collector: no request records, one address twice."""
    names = [*range(number), 0]
    headers = {"content-type": "text/html"}
    write_pages(
        path,
        [
            Page(url=f"https://coast.example/{n}", status=200, headers=headers, body=article(n).encode(), fetched_at=AT)
            for n in names
        ],
    )
    return path


@pytest.mark.usefixtures("settings")
def test_a_sitemap_in_portions_then_the_same_out_of_our_own_warc_without_a_request(web: Web, tmp_path: Path) -> None:
    sitemap = [f"{web.url}/sitemap.xml.gz"]
    first = tmp_path / "a" / "w.duckdb"
    _, rows = survey(
        load_settings(warehouse=str(first)), sitemaps=sitemap, lists=None, opml=None, warcs=None, since=None, until=None
    )
    assert rows[0][1:5] == ("XX", PAGES + 1, 0, PAGES + 1)
    assert not first.exists()
    assert set(web.hits) == {"/sitemap.xml.gz"}

    done = run(first, sitemaps=sitemap, limit=2)
    assert (done["offered"], done["loaded"], done["pending"]) == (PAGES + 1, 2, PAGES - 1)
    done = run(first)  # goes on without a source
    assert (done["offered"], web.hits["/sitemap.xml.gz"]) == (0, 2)
    assert ask(first, "SELECT outcome, count(*) FROM entry GROUP BY 1 ORDER BY 1") == [
        ("loaded", PAGES),
        ("rejected", 1),
    ]
    assert run(first, sitemaps=sitemap)["duplicate"] == PAGES + 1
    assert all(web.hits[f"/a{n}"] == 1 for n in range(PAGES))
    assert web.hits["/robots.txt"] >= 1
    assert ask(first, "SELECT bool_or(complete) FROM outlet_day") == [(False,)]
    assert ask(first, "SELECT country, bloc FROM outlet") == [("XX", None)]
    for url, place in ask(first, "SELECT url, warc_path FROM document"):
        file, _, offset = place.partition("#")
        assert capture_at(first.parent / file, int(offset), 10**6).url == url

    asked = web.hits.total()
    again = tmp_path / "b" / "w.duckdb"
    files = sorted(map(str, (first.parent / "warc").rglob("*.warc.gz")))
    assert run(again, warcs=files)["loaded"] == PAGES
    assert ask(again, CONTENT) == ask(first, CONTENT)
    assert run(first, warcs=files)["duplicate"] == PAGES
    assert web.hits.total() == asked


class Crash(BaseException):
    """What a kill is to the code."""


@pytest.mark.usefixtures("settings")
def test_a_backfill_that_dies_at_any_load_and_is_repeated_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [str(archive(tmp_path / "coast.warc.gz", 4))]
    undisturbed = tmp_path / "u" / "w.duckdb"
    done = run(undisturbed, warcs=files)
    assert (done["offered"], done["loaded"], done["duplicate"]) == (5, 4, 1)
    broken = tmp_path / "k" / "w.duckdb"
    for survivors in range(5):
        left = [survivors]

        def dies(target: str, folder: Path, left: list[int] = left) -> dict[str, int]:
            if not left[0]:
                raise Crash
            left[0] -= 1
            return load_folder(target, folder)

        monkeypatch.setattr(stages, "load_folder", dies)
        with pytest.raises(Crash):
            backfill(warehouse=str(broken), warcs=files)
    monkeypatch.setattr(stages, "load_folder", load_folder)
    run(broken, warcs=files)
    assert ask(broken, CONTENT) == ask(undisturbed, CONTENT)
    assert ask(broken, OUTCOMES) == ask(undisturbed, OUTCOMES)


def test_a_killed_command_goes_on_where_it_was(api: str, tmp_path: Path) -> None:
    file, warehouse = archive(tmp_path / "coast.warc.gz"), tmp_path / "k" / "w.duckdb"
    environment = {**os.environ, "PREFECT_API_URL": api, "STANCEWATCH_BATCH_SIZE": "1"}
    command = [sys.executable, "-m", "flows.cli", "backfill", "--warc", str(file), "--warehouse", str(warehouse),
               "--outlet", "The Coast", "--country", "KE"]  # fmt: skip
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and not warehouse.exists():
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Outcomes" in done.stdout
    assert ask(warehouse, "SELECT outcome, count(*) FROM entry GROUP BY 1") == [("loaded", PAGES)]
    assert ask(warehouse, "SELECT DISTINCT name, country FROM outlet") == [("The Coast", "KE")]
    assert {name: rows for name, rows in run_checks(str(warehouse)).items() if rows} == {}

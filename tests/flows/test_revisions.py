"""Stages over a real server: corrections, owners' wishes and failures, from the feed to the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import poll_rows, stages
from pipeline.extract import extract
from pipeline.pace import Host
from pipeline.schedule import FeedState
from pipeline.session import open_session
from pipeline.settings import Settings
from tests.support.network import feed_at
from tests.support.server import Web, serve_web
from tests.support.store import Store
from warehouse import state
from warehouse.query import run_checks
from warehouse.replay import replay
from warehouse.spool import deal, new_id, write_load

TEXT = (
    "The assembly asked every state to share what it knows about the new machines, and to write binding rules together. "
    * 4
)
PAGE = "<html><head><title>{0}</title>{1}</head><body><article><h1>{0}</h1><p>{2}</p></article></body></html>"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>H</title><id>h</id><updated>2026-01-01T00:00:00Z</updated>{}</feed>'
ENTRY = '<entry><title>{0}</title><id>{0}</id><link href="{1}"/><published>2026-01-01T00:00:00Z</published><updated>{2}</updated></entry>'


class Desk:
    """A feed of one web, and passes over it without Prefect."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web = web
        self.feed = feed_at(f"{web.url}/feed")
        self.store = Store(folder)
        self.settings = Settings(warehouse=self.store.target, allow_hosts=[web.host], max_attempts=2)

    def offer(self, updated: str = "2026-01-01T00:00:00Z", *paths: str) -> None:
        items = "".join(ENTRY.format(path, self.web.url + path, updated) for path in paths)
        self.web.page("/feed", ATOM.format(items), kind="application/atom+xml")

    def one_pass(self) -> None:
        """Poll and fetch whatever is due in a day from now, as the ingest flow does."""
        target = self.settings.warehouse
        one = stages.Pass(self.settings, new_id())
        stages.take_over(one)
        stages.load(target, write_load(deal(one.data), one.run_id, "feeds", poll_rows.feed_tables([self.feed])))
        with open_session(self.settings, [Host(**row) for row in state.known_hosts(target)]) as one.session:
            (row,) = state.due_feeds(target, datetime.now(UTC), all_feeds=True)
            known: tuple[Any, Any, FeedState] = (
                self.feed,
                poll_rows.validators(row),
                poll_rows.feed_state(self.feed, row),
            )
            stages.load(target, stages.poll(one, [known], deal(one.data)))
            entries = stages.pending(target, [self.feed], None, datetime.now(UTC) + timedelta(days=1))
            if entries:
                fetched = stages.fetch(one, entries, deal(one.data))
                stages.load(target, stages.label(one, stages.extract_batch(fetched)))
        assert run_checks(target) == {}

    def entries(self) -> dict[str, tuple[str, str | None]]:
        rows = self.store.rows("SELECT url, outcome, reason FROM entry")
        return {row["url"].removeprefix(self.web.url): (row["outcome"], row["reason"]) for row in rows}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serve_web() as web:
        yield Desk(web, tmp_path)


def test_a_corrected_article_is_read_again_and_its_labels_belong_to_what_they_read(desk: Desk) -> None:
    desk.web.page("/a", PAGE.format("Rules", "", TEXT))
    desk.offer("2026-01-01T00:00:00Z", "/a")
    desk.one_pass()
    desk.one_pass()
    assert desk.web.hits["/a"] == 1, "nothing called it changed"
    desk.web.page("/a", PAGE.format("Rules, corrected", "", TEXT + "A correction was added later."))
    desk.offer("2099-01-01T00:00:00Z", "/a")
    desk.one_pass()
    (now,) = desk.store.rows(
        "SELECT title, text, text_revision FROM document_current JOIN document_text USING (document_id)"
    )
    assert (now["title"], now["text_revision"]) == ("Rules, corrected", 1)
    assert now["text"].endswith("later.")
    assert [
        row["text_revision"] for row in desk.store.rows("SELECT text_revision FROM relevance_label ORDER BY ALL")
    ] == [0, 1]
    assert desk.store.rows("SELECT title FROM document_revision") == [{"title": "Rules"}]
    assert desk.entries() == {"/a": ("loaded", None)}
    desk.offer("2099-01-02T00:00:00Z", "/a", "/none")
    desk.one_pass()
    assert desk.store.rows("SELECT text_revision FROM document") == [{"text_revision": 1}], (
        "the same text is no revision"
    )


def test_what_fails_is_tried_again_set_aside_and_put_back(desk: Desk) -> None:
    desk.web.page("/later", "x", status=500)
    desk.offer("2026-01-01T00:00:00Z", "/later", "/none")
    desk.one_pass()
    assert desk.entries() == {"/later": ("pending", "http_500"), "/none": ("rejected", "http_404")}
    desk.one_pass()
    assert desk.store.rows(
        "SELECT attempts, quarantined_at IS NOT NULL AS aside FROM entry WHERE outcome = 'pending'"
    ) == [{"attempts": 2, "aside": True}]
    desk.web.page("/later", PAGE.format("Rules", "", TEXT))
    desk.one_pass()
    assert desk.web.hits["/later"] == 2, "quarantine is left alone"
    assert [row["reason"] for row in replay(desk.store.target, host=desk.web.host)] == ["http_500"]
    desk.one_pass()
    assert desk.entries()["/later"] == ("loaded", None)


def test_owners_wishes_are_outcomes_and_what_is_not_to_be_kept_is_read_only(desk: Desk) -> None:
    desk.web.page("/noai", PAGE.format("A", '<meta name="robots" content="noai">', TEXT))
    desk.web.page("/unkept", PAGE.format("B", '<meta name="robots" content="noarchive">', TEXT))
    desk.web.page("/kept", PAGE.format("C", "", TEXT))
    desk.offer("2026-01-01T00:00:00Z", "/noai", "/unkept", "/kept")
    desk.one_pass()
    assert desk.entries() == {"/noai": ("rejected", "noai"), "/unkept": ("loaded", None), "/kept": ("loaded", None)}
    kept = {
        row["title"]: row["warc_path"] is not None for row in desk.store.rows("SELECT title, warc_path FROM document")
    }
    assert kept == {"B": False, "C": True}
    (warc,) = desk.settings.data.rglob("*.warc.gz")
    from pipeline.warc.read import read_warc

    assert [url for url, _, _ in read_warc(warc)] == [f"{desk.web.url}/kept"]
    assert warc.stat().st_mode & 0o077 == 0


def test_a_feed_that_moved_is_asked_where_it_went_once_the_old_address_is_gone(desk: Desk) -> None:
    desk.web.page("/new", ATOM.format(""), kind="application/atom+xml")
    desk.web.page("/feed", "", status=301, location="/new")
    desk.one_pass()
    desk.web.page("/feed", "gone", status=410)
    desk.one_pass()
    assert desk.store.rows("SELECT poll_url, gone_at IS NOT NULL AS gone FROM feed_schedule") == [
        {"poll_url": f"{desk.web.url}/new", "gone": True}
    ]
    desk.one_pass()
    assert desk.store.rows("SELECT poll_url, gone_at, strain FROM feed_schedule") == [
        {"poll_url": f"{desk.web.url}/new", "gone_at": None, "strain": 0.0}
    ]
    assert (desk.web.hits["/feed"], desk.web.hits["/new"]) == (2, 2)


def test_the_pages_of_one_article_meet_in_one_document() -> None:
    head = '<link rel="canonical" href="https://www.news.example.com/a">'
    addresses = ("https://www.news.example.com/a?utm_source=rss", "https://m.news.example.com/a", "https://amp.news.example.com/a/amp/",
                 "https://www-news-example-com.cdn.ampproject.org/c/s/www.news.example.com/a")  # fmt: skip
    found = [extract(PAGE.format("Rules", head, TEXT).encode(), url) for url in addresses]
    assert {document.canonical_url for document in found} == {"https://www.news.example.com/a"}
    assert len({document.document_id for document in found}) == 1
    stolen = extract(PAGE.format("Rules", head, TEXT).encode(), "https://thief.example.org/a")
    assert stolen.canonical_url == "https://thief.example.org/a"

"""OPML in and out: the round trip, feeds of other readers, and hostile files."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.feeds import feeds_toml, imported_toml, load_feeds
from pipeline.opml import MAX_OPML, read_opml, write_opml

OTHER = """<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.1"><head><title>Mine</title></head><body>
<outline text="Häfen"><outline text="Ledger" title='The "Ledger"' type="rss" xmlUrl="https://ledger.example/rss" htmlUrl="/"/>
<outline text="Again" xmlURL="https://ledger.example/rss"/><outline text="Blatt" xmlUrl="https://blatt.example/feed"/></outline>
<outline text="No feed" url="https://x.example/"/><outline text="Local" xmlUrl="file:///etc/passwd"/>
<outline text="Second of the host" xmlUrl="https://ledger.example/other"/></body></opml>"""


def written(folder: Path, text: str | bytes, name: str = "feeds.opml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_our_feeds_come_back_as_they_were(tmp_path: Path) -> None:
    feeds = load_feeds()
    feeds[0] = replace(feeds[0], outlet='Ein "Blatt" & <mehr> \\ 规则', enabled=False)
    outlines = read_opml(written(tmp_path, write_opml(feeds)))
    text, unknown = imported_toml(outlines, {})
    assert unknown == 0
    assert load_feeds(written(tmp_path, text, "feeds.toml")) == feeds
    assert load_feeds(written(tmp_path, feeds_toml(feeds), "same.toml")) == feeds


def test_what_is_unknown_is_left_to_be_filled_and_named(tmp_path: Path) -> None:
    outlines = read_opml(written(tmp_path, OTHER.encode("latin-1")))
    assert [(o.url, o.title) for o in outlines] == [
        ("https://ledger.example/rss", 'The "Ledger"'),
        ("https://blatt.example/feed", "Blatt"),
        ("https://ledger.example/other", "Second of the host"),
    ]
    text, unknown = imported_toml(outlines, {"country": "KE", "bloc": "global_south", "language": "en"})
    assert unknown == 6
    assert text.count('ownership = ""  # to be filled') == 3
    ids = [feed["id"] for feed in tomllib.loads(text)["feed"]]
    assert ids == ["ledger-example", "blatt-example", "ledger-example-2"]
    with pytest.raises(ConfigError, match="feed ledger-example: ownership"):
        load_feeds(written(tmp_path, text, "feeds.toml"))
    given = {"country": "KE", "bloc": "global_south", "language": "en", "ownership": "private", "kind": "news"}
    assert len(load_feeds(written(tmp_path, imported_toml(outlines, given)[0], "whole.toml"))) == 3


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            b'<!DOCTYPE opml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><opml><outline xmlUrl="&b;"/></opml>',
            "document type",
        ),
        (b'<!DOCTYPE opml SYSTEM "file:///etc/passwd"><opml/>', "document type"),
        (b"<opml>" + b"<outline>" * 100_000, "nested"),
        (b"<opml>" + b"<outline/>" * 300_000 + b"</opml>", "more than"),
        (b"<rss/>", "root is rss"),
        (b"no xml", "no OPML"),
        (b"", "no OPML"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, body: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_opml(written(tmp_path, body))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, b"<opml>")
    with path.open("r+b") as stream:
        stream.truncate(100_000_000)
    assert path.stat().st_size > MAX_OPML
    with pytest.raises(ConfigError, match="more than"):
        read_opml(path)

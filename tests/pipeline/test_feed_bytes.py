"""Feeds whose bytes are not what they say, through `read_feed`."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from pipeline.errors import Rejected
from pipeline.feed_bytes import unpacked
from pipeline.poll import read_feed

NOW = datetime(2025, 8, 1, tzinfo=UTC)
ITEM = "<item><title>{}</title><link>https://hafen.example/a</link></item>"
TITLE = "港口条例：部长们在广州开会讨论规则"


def feed(titles: list[str], declaration: str = "") -> str:
    return f'{declaration}<rss version="2.0"><channel>{"".join(ITEM.format(title) for title in titles)}</channel></rss>'


def titles(body: bytes, content_type: str = "") -> list[str]:
    return [entry.title for entry in read_feed(body, "f", "https://hafen.example/feed", NOW, content_type)[0]]


def test_one_bad_byte_costs_one_character() -> None:
    body = feed([TITLE, TITLE], '<?xml version="1.0" encoding="utf-8"?>').encode()
    place = body.index(TITLE.encode()) + 3
    broken = body[:place] + b"\xff" + body[place:]
    assert titles(broken) == [f"{TITLE[0]}\ufffd{TITLE[1:]}", TITLE]


@pytest.mark.parametrize("said", ["ISO-8859-1", "gb2312", "us-ascii"])
def test_utf_8_is_believed_before_a_declaration_of_something_else(said: str) -> None:
    assert titles(feed([TITLE], f'<?xml version="1.0" encoding="{said}"?>').encode()) == [TITLE]


def test_other_charsets_are_taken_from_the_declaration_or_the_header() -> None:
    declared = feed(["Häfen und Straßen"], '<?xml version="1.0" encoding="iso-8859-1"?>')
    assert titles(declared.encode("latin-1")) == ["Häfen und Straßen"]
    assert titles(feed(["Порты и правила"]).encode("cp1251"), "text/xml; charset=windows-1251") == ["Порты и правила"]
    assert titles(feed([TITLE], '<?xml version="1.0" encoding="gb18030"?>').encode("gb18030")) == [TITLE]
    assert titles(feed([TITLE], '<?xml version="1.0" encoding="utf-16"?>').encode("utf-16")) == [TITLE]
    assert titles(feed(["Häfen"]).encode("cp1252"), "text/xml; charset=no-such-charset") == ["Häfen"]


def test_a_prefix_without_a_namespace_does_not_hide_the_items() -> None:
    body = "<?xml?xml version='1.0' ??><rss rss:version=2.0><rss:channel><rss:item><rss:title>One</rss:title><rss:link>/a</rss:link></rss:item></rss:channel></rss>"
    assert titles(body.encode()) == ["One"]


def test_a_gzip_file_is_unpacked_within_bounds() -> None:
    urlset = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://hafen.example/a</loc></url></urlset>'
    packed = gzip.compress(urlset.encode())
    entries, _ = read_feed(packed, "f", "https://hafen.example/sitemap.xml.gz", NOW, "application/gzip")
    assert [entry.url for entry in entries] == ["https://hafen.example/a"]
    with pytest.raises(Rejected, match="ends early"):
        read_feed(packed[:-9], "f", "https://hafen.example/", NOW)
    with pytest.raises(Rejected, match="too_large"):
        unpacked(gzip.compress(bytes(1_000_001)), most=1_000_000)
    with pytest.raises(Rejected, match="bad_encoding"):
        unpacked(b"\x1f\x8b\x08\x00garbage that is no deflate")

"""Kept pages: retention by age and by size, and one page taken out of a file while the others stay where they are."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from pipeline.archive import blank, drop, expired, warc_files
from pipeline.errors import StancewatchError
from pipeline.records import Page
from pipeline.warc.read import captures, read_warc
from pipeline.warc.write import note_of, write_pages

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def page(url: str, body: bytes = b"<p>x</p>", asked: dict[str, str] | None = None) -> Page:
    kind = {"content-type": "text/html"}
    return Page(url=url, status=200, headers=kind, body=body, fetched_at=NOW, asked=asked or {})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data folder with four files of 100 bytes, of days 1 to 4 of November."""
    for day in (3, 1, 4, 2):
        path = tmp_path / "warc" / "2026" / "11" / f"{day:02}" / "a.warc.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100)
        when = datetime(2026, 11, day, tzinfo=UTC).timestamp()
        os.utime(path, (when, when))
    return tmp_path


@pytest.mark.parametrize(
    ("before", "most", "days"),
    [
        (None, 0, []),
        (datetime(2026, 11, 3, tzinfo=UTC), 0, ["01", "02"]),
        (None, 399, ["01"]),
        (None, 200, ["01", "02"]),
        (None, 400, []),
        (datetime(2026, 11, 2, tzinfo=UTC), 150, ["01", "02", "03"]),
        (NOW, 1, ["01", "02", "03", "04"]),
    ],
)
def test_the_oldest_files_expire_by_age_and_by_size(kept: Path, before: datetime | None, most: int, days: list[str]) -> None:  # fmt: skip
    assert [path.parent.name for path in expired(warc_files(kept), before, most)] == days


def test_dropped_files_take_their_empty_folders_along(kept: Path) -> None:
    files = warc_files(kept)
    drop([files[0], files[0]])
    assert [path.name for path in sorted((kept / "warc" / "2026" / "11").iterdir())] == ["02", "03", "04"]
    drop(files)
    assert list(kept.iterdir()) == [kept / "warc"]
    assert list((kept / "warc").iterdir()) == []


def test_a_page_is_blanked_and_every_other_byte_stays_where_it_is(tmp_path: Path) -> None:
    pages = [page(f"https://x.example/{n}", f"<p>{n} of a page</p>".encode() * 50) for n in range(4)]
    path, alone = tmp_path / "a.warc.gz", tmp_path / "alone.warc.gz"
    offsets = write_pages(path, pages)
    os.utime(path, (1, 1))
    whole = path.read_bytes()
    assert blank(path, lambda url, body: url.endswith("/none")) == 0
    assert path.read_bytes() == whole
    assert blank(path, lambda url, body: url.endswith("/1") or b"3 of a page" in (body or b"")) == 2
    assert [(url, body) for url, _, body in read_warc(path)] == [(pages[n].url, pages[n].body) for n in (0, 2)]
    assert path.stat().st_mtime == 1, "retention goes by it"
    assert path.stat().st_mode & 0o077 == 0
    left = path.read_bytes()
    assert len(left) == len(whole)
    assert [capture.offset for capture in captures(path, 10**6)] == [offsets[0], offsets[2]]
    assert left[: offsets[1]] + left[offsets[2] : offsets[3]] == whole[: offsets[1]] + whole[offsets[2] : offsets[3]]
    assert {record.rec_type for record in ArchiveIterator(io.BytesIO(left))} == {"response", "metadata"}
    write_pages(alone, pages[:1])
    assert blank(alone, lambda url, body: True) == 1
    assert list(read_warc(alone)) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.warc.gz", "alone.warc.gz"]


@pytest.mark.parametrize("junk", [b"no WARC record", b"\x1f\x8bno gzip either", b"\0" * 700])
@pytest.mark.parametrize("pages", [0, 1])
def test_what_is_no_record_is_said_and_left_alone(tmp_path: Path, junk: bytes, pages: int) -> None:
    path = tmp_path / "a.warc.gz"
    write_pages(path, [page("https://x.example/1", os.urandom(500))] * pages)
    path.write_bytes(path.read_bytes() + junk)
    before = path.read_bytes()
    with pytest.raises(StancewatchError, match="nothing was blanked"):
        blank(path, lambda url, body: True)
    assert path.read_bytes() == before


def test_a_record_that_breaks_off_is_blanked_by_its_address(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    write_pages(path, [page("https://x.example/1"), page("https://x.example/2", os.urandom(5000))])
    path.write_bytes(path.read_bytes()[:-2000])
    assert blank(path, lambda url, body: url.endswith("/2")) == 1
    assert [url for url, _, _ in read_warc(path)] == ["https://x.example/1"]


def test_pages_of_an_hour_ago_are_not_old(tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    write_pages(tmp_path / "warc" / "a.warc.gz", [page("https://x.example/1")])
    assert expired(warc_files(tmp_path), datetime.now(UTC) - timedelta(hours=1), 0) == []


def test_the_request_goes_with_its_response(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    write_pages(path, [page(f"https://x.example/{word}", word.encode(), {"Cookie": word}) for word in ("gone", "kept")])
    assert blank(path, lambda url, body: body == b"gone") == 2
    with path.open("rb") as stream:
        left = [record.rec_headers.get_header("WARC-Target-URI") for record in ArchiveIterator(stream)]
    assert left == [None, None, "https://x.example/kept", "https://x.example/kept"]


def test_the_note_of_a_file_that_is_appended_to_is_no_page(kept: Path) -> None:
    files = warc_files(kept)
    note_of(files[0]).write_text("100")
    assert warc_files(kept) == files

"""Raw capture: what is written is what warcio checks, rotated, and whole again after a kill."""

from __future__ import annotations

import errno
import stat
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from pipeline.records import Page
from pipeline.warc.read import capture_at, captures
from pipeline.warc.write import WarcFiles, write_pages

AT = datetime(2026, 7, 26, 10, tzinfo=UTC)


def page(number: int, body: bytes = b"") -> Page:
    return Page(
        url=f"https://harbour.example/{number}?q=1",
        status=200,
        headers={"content-type": "text/html; charset=utf-8", "content-encoding": "gzip", "content-length": "9"},
        body=body or f"<p>Page {number}: \u89c4\u5219</p>".encode(),
        fetched_at=AT,
        asked={"host": "harbour.example", "user-agent": "Stancewatch/0.1"},
    )


def kept(files: WarcFiles, folder: Path, *numbers: int) -> tuple[str, list[int]]:
    offsets = write_pages(folder / "batch.warc.gz", [page(number) for number in numbers])
    path, begin = files.keep(folder / "batch.warc.gz")
    return path, [begin + offset for offset in offsets]


def test_records_pass_the_checks_of_warcio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = WarcFiles(tmp_path, 10**9)
    path, _ = kept(files, tmp_path, 1, 2)
    again, _ = kept(files, tmp_path, 3)
    assert path == again
    checker = Checker(Namespace(inputs=[str(tmp_path / path)], verbose=True))
    checker.process_all()
    said = capsys.readouterr().out
    assert checker.exit_value == 0
    assert said.count("digest pass") == 6 + 1, said  # three responses and requests, and the description of the file
    with (tmp_path / path).open("rb") as stream:
        found = [
            (record.rec_type, record.rec_headers.get_header("WARC-Payload-Digest"))
            for record in ArchiveIterator(stream)
        ]
    assert [kind for kind, _ in found] == ["warcinfo", *["response", "request"] * 3]
    assert all(digest for kind, digest in found[1:] if kind == "response")


def test_a_page_can_be_had_again_by_file_and_offset(tmp_path: Path) -> None:
    files = WarcFiles(tmp_path, 10**9)
    kept(files, tmp_path, 1)
    path, (second, third) = kept(files, tmp_path, 2, 3)
    for offset, number in ((third, 3), (second, 2)):
        capture = capture_at(tmp_path / path, offset, 1000)
        assert capture.body == page(number).body
        assert (capture.url, capture.captured_at) == (page(number).url, AT)


def test_files_are_rotated_by_size_and_are_the_owners_alone(tmp_path: Path) -> None:
    files = WarcFiles(tmp_path, 1)
    first, second = kept(files, tmp_path, 1)[0], kept(files, tmp_path, 2)[0]
    assert first < second
    for place in (tmp_path / first, (tmp_path / first).parent):
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0
    assert kept(WarcFiles(tmp_path, 10**9), tmp_path, 3)[0] == second  # a further pass goes on with the newest


def test_a_new_file_begins_with_each_month(tmp_path: Path) -> None:
    first = tmp_path / kept(WarcFiles(tmp_path, 10**9), tmp_path, 1)[0]
    old = tmp_path / "warc" / "2026" / "01" / first.name
    old.parent.mkdir(parents=True)
    first.rename(old)
    assert (tmp_path / kept(WarcFiles(tmp_path, 10**9), tmp_path, 2)[0]).parent == first.parent
    assert [capture.url for capture in captures(old, 10**6)] == [page(1).url]


def test_a_file_cut_off_at_any_byte_is_whole_again_and_keeps_its_complete_records(tmp_path: Path) -> None:
    files = WarcFiles(tmp_path, 10**9)
    path, _ = kept(files, tmp_path, 1)
    name = tmp_path / path
    before = name.stat().st_size
    _, offsets = kept(files, tmp_path, 2, 3)
    whole = name.read_bytes()
    for cut in range(before, len(whole), 11):
        name.write_bytes(whole[:cut])
        name.with_name(f"{name.name}.appending").write_text(str(before))
        files.repair()
        with name.open("rb") as stream:
            assert sum(record.rec_type == "response" for record in ArchiveIterator(stream)) >= 1
        complete = 1 + sum(end <= cut for end in (_end(whole, offset) for offset in offsets))
        assert [c.refused for c in captures(name, 1000)] == [None] * complete
        assert not list(name.parent.glob("*.appending"))
    assert files.repair() == []


def _end(whole: bytes, offset: int) -> int:
    import zlib

    inflate = zlib.decompressobj(31)
    inflate.decompress(whole[offset:])
    return len(whole) - len(inflate.unused_data)


def test_a_full_disk_leaves_no_half_record_for_the_next_batch_to_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = WarcFiles(tmp_path, 10**9)
    path, before = kept(files, tmp_path, 1)
    size = (tmp_path / path).stat().st_size

    def full(source: BinaryIO, target: BinaryIO, piece: int) -> None:
        target.write(source.read(100))
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.warc.write.shutil.copyfileobj", full)
        with pytest.raises(OSError, match="no room"):
            kept(files, tmp_path, 2)
    assert (tmp_path / path).stat().st_size == size
    _, after = kept(files, tmp_path, 3)
    assert [capture_at(tmp_path / path, offset, 10**6).url for offset in (*before, *after)] == [
        page(1).url,
        page(3).url,
    ]
    assert files.repair() == []


def test_a_file_of_a_month_to_come_is_not_appended_to(tmp_path: Path) -> None:
    """A clock that was ahead made it: then each pass after would begin a file of its own."""
    ahead = tmp_path / "warc" / "2999" / "01" / "stancewatch-29990101T000000000000.warc.gz"
    ahead.parent.mkdir(parents=True)
    ahead.touch()
    first, _ = kept(WarcFiles(tmp_path, 10**9), tmp_path, 1)
    assert kept(WarcFiles(tmp_path, 10**9), tmp_path, 2)[0] == first
    assert ahead.stat().st_size == 0

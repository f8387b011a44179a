"""Pages out of WARC files of others: what they hold in any form, and what a hostile file may cost."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.warc.read import Capture, captures

MOST = 100_000
HTML = "<html><body><p>Häfen brauchen Regeln. 规则应当具有约束力。</p></body></html>"


def record(
    block: bytes, kind: str = "response", url: str = "https://harbour.example/a", length: int | None = None, **more: str
) -> bytes:
    head = {"WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": "2026-07-26T10:00:00Z",
            "Content-Length": str(len(block) if length is None else length)}  # fmt: skip
    head |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    head = {"Content-Type": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return (
        f"HTTP/1.1 {status}\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n" + body
    )


def written(path: Path, *records: bytes, packed: bool = True) -> Path:
    path.write_bytes(b"".join(gzip.compress(each) if packed else each for each in records))
    return path


def reasons(path: Path, most: int = MOST) -> list[str | None]:
    return [capture.refused for capture in captures(path, most)]


GOOD = record(http(HTML.encode()))


@pytest.mark.parametrize("packed", [True, False])
def test_only_pages_are_captures_and_everything_else_has_its_reason(tmp_path: Path, packed: bool) -> None:
    path = written(
        tmp_path / "a.warc",
        record(b"software: x\r\n", "warcinfo"),
        GOOD,
        record(b"GET / HTTP/1.1\r\n\r\n", "request"),
        record(http(b"", "301 Moved", Location="/b")),
        record(http(b"{}", Content_Type="application/json")),
        record(b"", "revisit", WARC_Profile="http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"),
        record(HTML.encode(), "resource", Content_Type="text/html"),
        record(http(HTML.encode()), url="ftp://harbour.example/a"),
        record(http(b"x" * (MOST + 1))),
        record(http(b" ")),
        record(b"no http at all"),
        packed=packed,
    )
    assert reasons(path) == [
        None, "http_301", "not_html", "revisit", None, "no_link", "too_large", "empty_body", "no_http",
    ]  # fmt: skip
    first = next(captures(path, MOST))
    assert (first.url, first.body.decode(), first.captured_at.isoformat()) == (
        "https://harbour.example/a", HTML, "2026-07-26T10:00:00+00:00",
    )  # fmt: skip


def chunked(body: bytes) -> bytes:
    parts = [body[n : n + 7] for n in range(0, len(body), 7)]
    return b"".join(f"{len(part):x};x=1\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (chunked(HTML.encode()), {"Transfer_Encoding": "chunked"}),
        (HTML.encode(), {"Transfer_Encoding": "chunked"}),  # the archive undid it and kept the header
        (gzip.compress(HTML.encode()), {"Content_Encoding": "gzip"}),
        (HTML.encode(), {"Content_Encoding": "gzip"}),
        (chunked(gzip.compress(HTML.encode())), {"Content_Encoding": "gzip", "Transfer_Encoding": "chunked"}),
        (zlib.compress(HTML.encode()), {"Content_Encoding": "deflate"}),
        (zlib.compress(HTML.encode())[2:-4], {"Content_Encoding": "deflate"}),
        (HTML.encode(), {"Content_Encoding": "br"}),
    ],
)
def test_payloads_are_decoded_where_they_are_encoded(tmp_path: Path, body: bytes, headers: dict[str, str]) -> None:
    (found,) = captures(written(tmp_path / "a.warc.gz", record(http(body, **headers))), MOST)
    assert (found.refused, found.body) == (None, HTML.encode())


def test_hostile_records_cost_little_and_the_next_page_is_read(tmp_path: Path) -> None:
    nested = gzip.compress(GOOD)
    hostile = [
        record(http(HTML.encode()), length=10**10),
        record(http(HTML.encode()), length=10**30),
        record(http(bytes(90_000_000), Content_Type="text/html")),
        record(http(bytes(90_000_000), Content_Type="image/png")),
        record(http(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")),
        b"WARC/1.0\r\n" + b"A" * 9_000_000,
        b"WARC/1.0\r\n" + b"A: b\r\n" * 1_000_000,
        record(http(nested, Content_Type="application/gzip")),
        record(b"HTTP/1.1 200 OK\r\n" + b"X" * 5_000_000),
        b"not a record at all",
    ]
    path = written(tmp_path / "a.warc.gz", *(each for bad in hostile for each in (bad, GOOD)))
    del hostile
    tracemalloc.start()
    found = reasons(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.count(None) == 10, found
    assert len(found) == 20, found
    assert peak < 5_000_000


def test_an_end_that_was_cut_off_is_said_and_the_rest_is_there(tmp_path: Path) -> None:
    whole = gzip.compress(GOOD) * 2
    for cut in range(len(whole) // 2 + 1, len(whole) - 1, 5):
        path = tmp_path / "a.warc.gz"
        path.write_bytes(whole[:cut])
        found = reasons(path)
        assert found[0] is None
        assert found[1:] in (["cut_off"], ["broken_record"], [None], [None, "broken_record"]), (cut, found)
    assert reasons(written(tmp_path / "b.warc", GOOD, GOOD[:-50], packed=False)) == [None, "cut_off"]
    assert reasons(written(tmp_path / "c.warc", b"")) == []


def test_garbage_between_records_is_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    broken = bytearray(gzip.compress(GOOD))
    broken[40] ^= 0xFF
    path.write_bytes(gzip.compress(GOOD) + b"\x00" * 70_000 + gzip.compress(GOOD) + bytes(broken) + gzip.compress(GOOD))
    found = reasons(path)
    assert found.count(None) == 3
    assert "broken_record" in found
    plain = written(tmp_path / "b.warc", GOOD, b"garbage\r\n", GOOD, packed=False)
    assert reasons(plain) == [None, "broken_record", None]


def test_a_file_of_any_size_takes_the_same_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    one = gzip.compress(record(http(HTML.encode() * 800)))

    def peak(number: int) -> int:
        path.write_bytes(one * number)
        tracemalloc.start()
        assert sum(capture.refused is None for capture in captures(path, MOST)) == number
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # other threads of the process allocate too; what is kept would make it ten times
    assert peak(2000) < 1.5 * peak(200)


@given(st.binary(max_size=400), st.booleans(), st.integers(0, 600))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, packed: bool, place: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.warc"
    whole = gzip.compress(GOOD) if packed else GOOD
    path.write_bytes(whole[:place] + noise + whole[place:] + whole)
    found = list(captures(path, MOST))
    assert all(isinstance(capture, Capture) for capture in found)
    assert len(found) < 50

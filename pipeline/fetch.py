"""Fetching: URLs in, one result each out, in order: a `Page`, or why there is none. Pages are kept as WARC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.errors import ItemError, Rejected, Transient
from pipeline.http import Client, open_client
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.robots import Robots
from pipeline.settings import Settings

PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "application/octet-stream", "")


async def fetch_page(client: Client, robots: Robots, url: str) -> Page:
    """Fetch one article page. Raises Rejected or Transient."""
    await robots.check(url)
    page = await client.get(url)
    kind = page.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if page.status != 200:
        raise Rejected(f"http_{page.status}", f"{page.status} for {url}")
    if kind not in PAGE_TYPES:
        raise Rejected("not_html", f"content-type {kind[:80]}")
    if not page.body.strip():
        raise Transient("empty_body", "the server answered 200 with nothing")
    return page


def fetch_pages(settings: Settings, pace: Pace, urls: Sequence[str]) -> list[Page | ItemError]:
    """Fetch pages side by side, each host at its pace. Blocking. Errors are returned, not raised."""

    async def guarded(client: Client, robots: Robots, url: str) -> Page | ItemError:
        try:
            return await fetch_page(client, robots, url)
        except ItemError as error:
            return error

    async def all_of_them() -> list[Page | ItemError]:
        async with open_client(settings, pace) as client:
            robots = Robots(client, pace, settings.user_agent)
            return list(await asyncio.gather(*(guarded(client, robots, url) for url in urls)))

    return asyncio.run(all_of_them())


def write_warc(path: Path, pages: Sequence[Page]) -> None:
    """Write pages as gzipped WARC response records, readable by the owner alone."""
    path.touch(mode=0o600)
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for page in pages:
            # The stored body is the decompressed one, so the headers must not claim an encoding or another length.
            headers = [(k, v) for k, v in page.headers.items() if k not in ("content-encoding", "transfer-encoding")]
            headers = [(k, v) for k, v in headers if k != "content-length"]
            headers.append(("content-length", str(len(page.body))))
            http = StatusAndHeaders(f"{page.status} OK", headers, protocol="HTTP/1.1")
            date = page.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            record = writer.create_warc_record(
                page.url,
                "response",
                payload=BytesIO(page.body),
                http_headers=http,
                warc_headers_dict={"WARC-Date": date},
            )
            writer.write_record(record)


def read_warc(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield (url, content type, body) of each response record, in order."""
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                kind = record.http_headers.get_header("content-type") or ""
                yield record.rec_headers.get_header("WARC-Target-URI"), kind, record.content_stream().read()

"""Fetching: URLs in, one result each out, in order: a `Page`, or why there is none. Pages are kept as WARC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.errors import ItemError, Rejected, Transient
from pipeline.http import Client
from pipeline.owners import OwnersFiles
from pipeline.records import Page
from pipeline.reservations import reserved
from pipeline.robots import Robots

TDMREP = "/.well-known/tdmrep.json"
PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "application/octet-stream", "")


class Fetcher:
    """Fetches pages as their owners allow."""

    def __init__(self, client: Client, files: OwnersFiles, robots: Robots) -> None:
        self._client = client
        self._files = files
        self._robots = robots

    async def fetch(self, url: str) -> Page:
        """Fetch one article page; robots.txt is asked before every hop. Raises Rejected or Transient."""
        page = await self._client.get(url, allowed=self._robots.check)
        kind = page.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if page.status != 200:
            raise Rejected(f"http_{page.status}", f"{page.status} for {url}")
        if kind not in PAGE_TYPES:
            raise Rejected("not_html", f"content-type {kind[:80]}")
        if not page.body.strip():
            raise Transient("empty_body", "the server answered 200 with nothing")
        if why := reserved(page, await self._tdmrep(page.url)):
            raise Rejected(why.reason, why.detail)
        return page

    async def _tdmrep(self, url: str) -> str:
        """Return the origin's tdmrep.json; one that cannot be had reserves nothing, as robots.txt could be read."""
        try:
            return await self._files.read(urljoin(url, TDMREP))
        except ItemError:
            return ""


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

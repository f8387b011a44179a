"""Fetching: a URL in, its `Page` out, or the reason why there is none."""

from __future__ import annotations

from urllib.parse import urljoin

from pipeline.errors import ItemError, Rejected, Transient
from pipeline.http import Client
from pipeline.owners import OwnersFiles
from pipeline.records import PAGE_TYPES, Page
from pipeline.reservations import reserved
from pipeline.robots import Robots

TDMREP = "/.well-known/tdmrep.json"


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

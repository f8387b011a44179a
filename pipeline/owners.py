"""What the owner of an origin says at fixed places, robots.txt and the like: read once a day, kept between passes."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from pipeline.errors import Rejected, Transient
from pipeline.http import Client
from pipeline.records import stable_id
from pipeline.schedule import NOT_TRIED

LARGEST = 512_000  # bytes; RFC 9309 asks for at least 500 KiB
FRESH = 86_400.0  # seconds; RFC 9309: not longer
NOT_ASKED = NOT_TRIED | {"host_down"}
USABLE = 30 * FRESH  # what was read before counts so long where the server fails


class OwnersFiles:
    """The small files of many origins. `folder` keeps them between passes; None: only in memory."""

    def __init__(self, client: Client, folder: Path | None = None) -> None:
        self._client = client
        self._folder = folder
        self._asked: dict[str, asyncio.Task[str]] = {}

    async def read(self, url: str) -> str:
        """Return the text at `url`, empty where there is none (4xx). Raises Transient where nobody can tell.

        Whoever asks at the same time waits for the same answer.
        """
        if url not in self._asked:
            self._asked[url] = asyncio.create_task(self._read(url))
        asked = self._asked[url]
        try:
            return await asyncio.shield(asked)
        except Transient as error:
            if error.reason in NOT_ASKED and self._asked.get(url) is asked:
                del self._asked[url]  # nobody was asked: the next one may be luckier
            raise

    async def _read(self, url: str) -> str:
        kept, age = self._kept(url)
        if kept is not None and age < FRESH:
            return kept
        try:
            text = await self._fetch(url)
        except Transient as error:
            if kept is not None and age < USABLE:
                return kept
            if error.reason in NOT_ASKED:
                raise
            raise Transient("robots_unreachable", f"{url}: {error}"[:300], retry_after=error.retry_after) from error
        self._keep(url, text)
        return text

    async def _fetch(self, url: str) -> str:
        try:
            page = await self._client.get(url, cut_at=LARGEST)
        except Rejected as error:
            if error.status is not None or error.reason in ("bad_redirect", "too_many_redirects", "bad_encoding"):
                return ""  # unavailable: the owner says nothing
            raise
        except Transient as error:
            if error.reason == "http_403":
                return ""
            raise
        return page.body.decode("utf-8", "replace")

    def _kept(self, url: str) -> tuple[str | None, float]:
        """Return what was kept and its age in seconds; a file that cannot be read is none."""
        if self._folder is None:
            return None, 0.0
        try:
            kept = json.loads((self._folder / f"{stable_id(url)}.json").read_text(encoding="utf-8"))
            return str(kept["text"]), abs(time.time() - float(kept["read_at"]))  # read in the future: by a wrong clock
        except (OSError, ValueError, KeyError, TypeError):
            return None, 0.0

    def _keep(self, url: str, text: str) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f".{stable_id(url)}.tmp"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"url": url, "read_at": time.time(), "text": text}), encoding="utf-8")
        draft.replace(self._folder / f"{stable_id(url)}.json")

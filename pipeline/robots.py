"""robots.txt by RFC 9309: in a URL and our user agent, out whether we may fetch it. One reading a host and pass."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from protego import Protego

from pipeline.errors import Rejected, Transient
from pipeline.http import Client
from pipeline.pace import Pace
from pipeline.robots_rules import read_rules

MAX_ROBOTS = 512_000  # RFC 9309 asks for at least 500 KiB
MAX_CRAWL_DELAY = 60.0


class Robots:
    """What the robots files of the hosts of one pass say."""

    def __init__(self, client: Client, pace: Pace, user_agent: str) -> None:
        self._client = client
        self._pace = pace
        self._agent = user_agent.split("/", 1)[0].split(" ", 1)[0]  # RFC 9309: the product token alone
        self._rules: dict[str, asyncio.Task[Protego | None]] = {}

    async def check(self, url: str) -> None:
        """Raise Rejected where the owner refuses, Transient where the robots file cannot be read (RFC 9309 2.3.1.4)."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.create_task(self._read(origin))
        rules = await self._rules[origin]
        if rules is not None and not rules.can_fetch(url, self._agent):
            raise Rejected("robots", f"{parts.netloc}/robots.txt refuses this page")

    async def _read(self, origin: str) -> Protego | None:
        try:
            page = await self._client.get(f"{origin}/robots.txt")
        except Rejected as error:
            if error.reason.startswith("http_4"):
                return None  # unavailable: everything may be fetched
            raise
        except Transient as error:
            if error.reason in ("http_403", "http_429"):
                return None
            raise Transient("robots_unreachable", f"{error.reason}: {error.detail}") from error
        rules = read_rules(page.body[:MAX_ROBOTS].decode("utf-8", "replace"), self._agent)
        delay = rules.crawl_delay(self._agent)
        if delay:
            self._pace.slow_down(urlsplit(origin).netloc.lower(), min(float(delay), MAX_CRAWL_DELAY))
        return rules

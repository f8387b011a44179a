"""robots.txt by RFC 9309: in a URL and our user agent, out whether we may fetch it.

4xx: there is none, everything may be fetched. 5xx, 429 or no answer: nothing may, until it can be read again; what was
read within the last 30 days counts meanwhile.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from protego import Protego

from pipeline.addresses import host_of
from pipeline.errors import Rejected
from pipeline.owners import OwnersFiles
from pipeline.pace import Pace
from pipeline.robots_rules import read_rules

MAX_CRAWL_DELAY = 60.0


class Robots:
    """What the robots files of the hosts of one pass say."""

    def __init__(self, files: OwnersFiles, pace: Pace, user_agent: str) -> None:
        self._files = files
        self._pace = pace
        self._agent = user_agent.split("/", 1)[0].split(" ", 1)[0]  # RFC 9309: the product token alone
        self._rules: dict[str, Protego] = {}

    async def check(self, url: str) -> None:
        """Raise Rejected where the owner refuses, Transient where the robots file cannot be read (RFC 9309 2.3.1.4)."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        text = await self._files.read(f"{origin}/robots.txt")
        if origin not in self._rules:
            self._rules[origin] = self._read(text, host_of(url))
        if not self._rules[origin].can_fetch(url, self._agent):
            raise Rejected("robots", f"{parts.netloc}/robots.txt refuses this page")

    def _read(self, text: str, host: str) -> Protego:
        rules = read_rules(text, self._agent)
        if delay := rules.crawl_delay(self._agent):
            self._pace.slow_down(host, min(float(delay), MAX_CRAWL_DELAY))
        return rules

"""The pace of every host: requests to one host are spaced, whoever asks for them."""

from __future__ import annotations

import time
from threading import Lock

from pipeline.settings import Settings


class Pace:
    """One queue a host: hands out moments `delay` seconds apart. Shared by all threads of a process."""

    def __init__(self, settings: Settings) -> None:
        self._free = frozenset(settings.allow_hosts)
        self._default = settings.host_delay
        self._delay: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._lock = Lock()

    def slow_down(self, host: str, delay: float) -> None:
        """Raise a host's delay to `delay` seconds (robots.txt or a 429 asks for it)."""
        with self._lock:
            self._delay[host] = max(delay, self._delay.get(host, 0.0))

    def reserve(self, host: str) -> float:
        """Return the seconds to wait before the next request to the host, and take that moment."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next.get(host, now))
            delay = self._delay.get(host, 0.0 if host in self._free else self._default)
            self._next[host] = start + delay
            return start - now

"""The pace of every host: requests are spaced, a host that asks for it rests, and a day has a budget.

One `Pace` serves all threads of a process. `Host` rows go out to be kept between passes, and come back in.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from pipeline.errors import Transient
from pipeline.settings import Settings

MAX_SPACING = 60.0  # seconds
FIRST_REST, LONGEST_REST = 30.0, 86_400.0  # each further strike doubles the rest
DOWN_AFTER, DOWN_REST = 3, 600.0  # failures to connect or to answer in time, in a row
REFUSALS = 2  # 403 in a row: one may be that of a page, two are the host's


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a host was asked for on its newest day, and how it took it."""

    host: str
    updated_at: datetime
    strikes: int = 0
    free_at: datetime | None = None
    day: date
    requests: int = 0
    bytes: int = 0


class Pace:
    """One queue a host: hands out moments that are at least its spacing apart."""

    def __init__(self, settings: Settings, known: Iterable[Host] = ()) -> None:
        self._free = frozenset(settings.allow_hosts)
        self._default = settings.host_delay
        self._most = settings.host_requests_a_day, settings.host_bytes_a_day
        self._hosts = {host.host: host for host in known}
        self._changed: set[str] = set()
        self._asked: dict[str, float] = {}  # seconds that robots.txt asks for
        self._latency: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._refusals: dict[str, int] = {}
        self._next: dict[str, float] = {}
        self._lock = Lock()

    def slow_down(self, host: str, delay: float) -> None:
        """Raise a host's spacing to `delay` seconds, as robots.txt asks."""
        with self._lock:
            self._asked[host] = max(delay, self._asked.get(host, 0.0))

    def spacing(self, host: str) -> float:
        """Return the seconds between two requests: the setting, what robots.txt asks, how long its answers take."""
        with self._lock:
            return self._spacing(host)

    def _spacing(self, host: str) -> float:
        base = max(self._default, self._latency.get(host, 0.0)) if host not in self._free else 0.0
        strikes = self._hosts[host].strikes if host in self._hosts else 0
        return min(max(base, self._asked.get(host, 0.0)) * 2.0 ** min(strikes, 3), MAX_SPACING)

    def reserve(self, host: str) -> float:
        """Return the seconds to wait before the next request, and take that moment.

        Raises Transient where the host rests or its budget is spent; nothing is taken then.
        """
        with self._lock:
            self._refuse(host)
            now = time.monotonic()
            start = max(now, self._next.get(host, now))
            self._next[host] = start + self._spacing(host)
            return start - now

    def _refuse(self, host: str) -> None:
        known, now = self._today(host), datetime.now(UTC)
        left = (known.free_at - now).total_seconds() if known.free_at else 0.0
        if 0.0 < left <= LONGEST_REST:  # nobody asks for more: a longer one is of a clock that went ahead
            down = self._failures.get(host, 0) >= DOWN_AFTER
            reason, why = ("host_down", "does not answer") if down else ("host_resting", "asked for a rest")
            raise Transient(reason, f"{host} {why}: left alone for {left:.0f} s", retry_after=left)
        if known.requests >= self._most[0] or known.bytes >= self._most[1]:
            midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            raise Transient(
                "budget",
                f"{host} was asked {known.requests} times for {known.bytes} bytes today, which is its budget",
                retry_after=(midnight - now).total_seconds(),
            )

    def spent(self, host: str, received: int) -> None:
        """Count one request and the bytes that it brought."""
        with self._lock:
            known = self._today(host)
            self._keep(replace(known, requests=known.requests + 1, bytes=known.bytes + received))

    def answered(self, host: str, seconds: float) -> None:
        """Note a good answer: the spacing follows the smoothed latency, and one strike is forgiven."""
        with self._lock:
            self._latency[host] = (self._latency.get(host, seconds) + seconds) / 2
            self._failures.pop(host, None)
            self._refusals.pop(host, None)
            known = self._today(host)
            if known.strikes or known.free_at:
                self._keep(replace(known, strikes=max(known.strikes - 1, 0), free_at=None))

    def slowest(self, most: int) -> list[tuple[str, float]]:
        """Return the hosts whose good answers took longest so far, with their smoothed seconds, slowest first."""
        with self._lock:
            return sorted(self._latency.items(), key=lambda known: -known[1])[:most]

    def refused(self, host: str, status: int, asked: float | None) -> None:
        """Note a 429, 503 or 403: the host rests, longer each time and at least as long as it asks."""
        with self._lock:
            self._refusals[host] = self._refusals.get(host, 0) + 1
            if status == 403 and asked is None and self._refusals[host] < REFUSALS:
                return
            strikes = self._today(host).strikes + 1
            self._rest(host, max(FIRST_REST * 2.0 ** min(strikes - 1, 12), asked or 0.0), strikes)

    def failed(self, host: str) -> None:
        """Note that a host could not be reached or did not answer in time; after three in a row it is left alone."""
        with self._lock:
            self._failures[host] = self._failures.get(host, 0) + 1
            if self._failures[host] >= DOWN_AFTER:
                self._rest(host, DOWN_REST, self._today(host).strikes)

    def _rest(self, host: str, seconds: float, strikes: int) -> None:
        known, now = self._today(host), datetime.now(UTC)
        until, latest = (now + timedelta(seconds=each) for each in (min(seconds, LONGEST_REST), LONGEST_REST))
        self._keep(replace(known, strikes=strikes, free_at=min(max(until, known.free_at or until), latest)))

    def _today(self, host: str) -> Host:
        now = datetime.now(UTC)
        known = self._hosts.get(host) or Host(host=host, updated_at=now, day=now.date())
        return known if known.day == now.date() else replace(known, day=now.date(), requests=0, bytes=0)

    def _keep(self, known: Host) -> None:
        self._hosts[known.host] = replace(known, updated_at=datetime.now(UTC))
        self._changed.add(known.host)

    def changed(self) -> list[Host]:
        """Return the hosts that were asked since this was asked last, to be kept."""
        with self._lock:
            found = [self._hosts[host] for host in sorted(self._changed)]
            self._changed.clear()
            return found

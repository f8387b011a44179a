"""When a feed is asked again and where, and when a page is: a state and an answer in, the next state out.

No I/O, no clock and no chance: the same input gives the same answer, so that tables and properties can test it. A feed
is never given up: a failing one is asked ever less often, at last every 30 days.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
SHORTEST, LONGEST = 10 * MINUTE, DAY  # of an interval, also of what a server asks for
MUCH, LITTLE = 2 / 3, 1 / 3  # shares of items known before: the next poll should find about half of them again
LATER, MUCH_LATER, SOONER = 10 * MINUTE, HOUR, HOUR  # one step
LIVELY = timedelta(days=31)
ALIVE = 30.0  # strain; beyond it a day more for each, up to LONGEST_DEAD
LONGEST_DEAD = 30 * DAY
MOST_SKIPPED = 72  # hours: a weekend and a day
DISTRUST = timedelta(days=1)
SETTLED = timedelta(days=7)  # how long a redirect must say the same before it is believed
GONE = frozenset({404, 410})
STRAIN = {  # of one failure; what is not named here weighs 1
    **dict.fromkeys(("timeout", "network", "bad_encoding", "http_403", "http_408", "http_425", "http_429"), 0.5),
    **dict.fromkeys((f"http_{status}" for status in range(500, 600)), 0.5),
    **dict.fromkeys(("name_server", "host_down", "host_resting", "budget"), 0.25),  # says nothing of the feed
    "offline": 0.0,  # nor does our own network
}
FIRST_RETRY = 30 * MINUTE  # of a page; each further one waits twice as long, up to a day
NOT_TRIED = frozenset({"host_resting", "budget"})  # nothing was asked, so it is no attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a feed says in its body about being asked; seconds, hours of the day in UTC, weekdays with Monday 0."""

    period: float = 0.0  # the longer one of ttl and sy:updatePeriod
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """Where a feed is asked and how it did so far. `url` is the address of the feeds file."""

    url: str
    interval: float | None = None  # seconds; None: never answered
    failures: int = 0  # in a row
    strain: float = 0.0  # the same, weighted
    fresh_at: datetime | None = None  # last answer with an item never seen before
    read_at: datetime | None = None  # last answer that came with its body
    poll_url: str | None = None  # asked instead of `url`
    moved_to: str | None = None  # where permanent redirects lead, and since which answer
    moved_at: datetime | None = None
    gone_at: datetime | None = None  # first of the answers 404 or 410 since the last good one
    wishes: Wishes = field(default_factory=Wishes)
    next_poll_at: datetime | None = None

    @property
    def address(self) -> str:
        """Where to ask."""
        return self.poll_url or self.url

    def trusts_validators(self, now: datetime) -> bool:
        """Whether to ask conditionally: once a day the body is asked for, since some servers answer 304 for ever."""
        return self.read_at is not None and timedelta(0) <= now - self.read_at < DISTRUST


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one poll brought. `known_share` is that of the items known before; None: unchanged, or no items."""

    polled_at: datetime
    known_share: float | None = None
    fresh: bool = False
    error: str | None = None  # reason word
    status: int | None = None
    retry_after: float | None = None  # seconds
    max_age: float = 0.0  # seconds, of Cache-Control
    moved_to: str | None = None  # where redirects led, all of them permanent
    wishes: Wishes | None = None  # None: the body was not read


def decide(state: FeedState, answer: Answer, start: float, chance: float = 0.0) -> FeedState:
    """Return the next state. `start` is the first interval in seconds, `chance` (0 to 1) spreads feeds of one 429."""
    failed = answer.error is not None
    after = replace(
        _addressed(state, answer),
        interval=_steered(state, answer, start),
        failures=state.failures + 1 if failed else 0,
        strain=state.strain + STRAIN.get(answer.error or "", 1.0) if failed else 0.0,
        fresh_at=answer.polled_at if answer.fresh else state.fresh_at,
        read_at=answer.polled_at if answer.status == 200 else state.read_at,
        gone_at=(state.gone_at or answer.polled_at if answer.status in GONE else state.gone_at) if failed else None,
        wishes=answer.wishes or state.wishes,
    )
    wait = _wait_failed(state, after, answer, chance) if failed else _wait(after, answer)
    due = answer.polled_at + timedelta(seconds=max(wait, min(answer.retry_after or 0.0, LONGEST)))
    return replace(after, next_poll_at=_outside(due, after.wishes))


def _steered(state: FeedState, answer: Answer, start: float) -> float:
    """Steer by the overlap of two polls: where most is known ask later, where little is known sooner."""
    interval = start if state.interval is None else state.interval
    if answer.error is None and state.interval is not None:  # of the first answer all is new, which says nothing
        if answer.known_share is None or answer.known_share > MUCH:
            lively = state.fresh_at is not None and answer.polled_at - state.fresh_at <= LIVELY
            interval += LATER if lively else MUCH_LATER
        elif answer.known_share < LITTLE:
            interval -= SOONER
    return min(max(interval, SHORTEST), LONGEST)


def _wait(after: FeedState, answer: Answer) -> float:
    """Keep to what the feed asks for, except where it shows that items would be lost by it."""
    interval = after.interval or SHORTEST
    if answer.known_share is not None and answer.known_share < LITTLE:
        return interval
    return max(interval, min(max(answer.max_age, after.wishes.period), LONGEST))


def _wait_failed(before: FeedState, after: FeedState, answer: Answer, chance: float) -> float:
    if after.address != before.address and before.failures == 0:
        return SHORTEST  # another address may do; asked soon once, not in turns for ever
    if after.strain > ALIVE:
        return min((after.strain - ALIVE + 1) * DAY, LONGEST_DEAD)
    wait = (after.interval or SHORTEST) * after.strain + (chance * HOUR if answer.status == 429 else 0.0)
    return min(max(wait, SHORTEST), LONGEST)


def _addressed(state: FeedState, answer: Answer) -> FeedState:
    """Follow permanent redirects: at once to https or away from what is gone, else after seven days of one answer."""
    if answer.status in GONE and state.moved_to is not None:
        return _at(state, state.moved_to)
    if answer.status in GONE and state.poll_url is not None:
        return _at(state, state.url)  # the newer address is gone: back to that of the feeds file
    if answer.error is not None:
        return state
    if answer.moved_to is None or answer.moved_to == state.address:
        return replace(state, moved_to=None, moved_at=None)
    since = state.moved_at if answer.moved_to == state.moved_to and state.moved_at else answer.polled_at
    same_but_safe = answer.moved_to == "https://" + state.address.removeprefix("http://")
    if same_but_safe or answer.polled_at - since >= SETTLED:
        return _at(state, answer.moved_to)
    return replace(state, moved_to=answer.moved_to, moved_at=since)


def _at(state: FeedState, url: str) -> FeedState:
    return replace(state, poll_url=None if url == state.url else url, moved_to=None, moved_at=None)


def _outside(due: datetime, wishes: Wishes) -> datetime:
    """Move on to the next hour that the feed does not skip; one that skips everything is not heeded."""
    moved = due
    for _ in range(MOST_SKIPPED + 1):
        if moved.hour not in wishes.skip_hours and moved.weekday() not in wishes.skip_days:
            return moved
        moved = moved.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return due


def next_attempt(attempts: int, now: datetime, retry_after: float | None, most: int) -> datetime | None:
    """Return when a page is tried again after `attempts` failed ones; None: it goes into quarantine."""
    if attempts >= most:
        return None
    wait = FIRST_RETRY * 2.0 ** min(max(attempts - 1, 0), 10)
    return now + timedelta(seconds=min(max(wait, retry_after or 0.0), LONGEST))

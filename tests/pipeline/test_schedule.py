"""The decider: tables of what follows from an answer, and properties that hold for every state and answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.hints import max_age, wishes
from pipeline.schedule import DAY, HOUR, LONGEST_DEAD, MINUTE, Answer, FeedState, Wishes, decide, next_attempt

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # a Tuesday
FEED = FeedState(url="http://news.example/feed", interval=6 * HOUR, fresh_at=NOW - timedelta(days=1))
OK = Answer(polled_at=NOW, status=200, known_share=0.5)


def wait(state: FeedState, answer: Answer, chance: float = 0.0) -> float:
    after = decide(state, answer, 1800, chance)
    assert after.next_poll_at is not None
    return (after.next_poll_at - answer.polled_at).total_seconds()


@pytest.mark.parametrize(
    ("state", "share", "minutes"),
    [
        (FEED, 0.5, 360),
        (FEED, 0.7, 370),
        (FEED, None, 370),
        (replace(FEED, fresh_at=NOW - timedelta(days=40)), None, 420),
        (replace(FEED, fresh_at=None), 1.0, 420),
        (FEED, 0.3, 300),
        (replace(FEED, interval=20 * MINUTE), 0.0, 10),
        (replace(FEED, interval=DAY), 1.0, 1440),
        (FeedState(url="http://news.example/feed"), 0.0, 30),
    ],
)
def test_the_overlap_steers_the_interval(state: FeedState, share: float | None, minutes: float) -> None:
    assert wait(state, replace(OK, known_share=share)) == minutes * MINUTE


@pytest.mark.parametrize(
    ("error", "status", "before", "hours"),
    [
        ("not_a_feed", 200, 0.0, 6),
        ("http_500", 500, 0.0, 3),
        ("name_server", None, 0.0, 1.5),
        ("timeout", None, 1.0, 9),
        ("http_404", 404, 3.0, 24),
        ("http_410", 410, 29.0, 24),
        ("http_410", 410, 30.0, 48),
        ("http_410", 410, 500.0, 720),
    ],
)
def test_failures_weigh_and_the_delay_is_linear_and_never_for_ever(
    error: str, status: int | None, before: float, hours: float
) -> None:
    state = replace(FEED, strain=before, failures=int(before))
    assert wait(state, Answer(polled_at=NOW, error=error, status=status)) == hours * HOUR


def test_a_good_answer_ends_the_strain() -> None:
    after = decide(replace(FEED, strain=45.0, failures=60, gone_at=NOW), OK, 1800)
    assert (after.strain, after.failures, after.gone_at) == (0.0, 0, None)


def test_what_the_server_asks_for_is_heeded_up_to_a_day() -> None:
    busy = Answer(polled_at=NOW, error="http_429", status=429, retry_after=5 * HOUR)
    assert wait(replace(FEED, interval=HOUR), busy) == 5 * HOUR
    assert wait(FEED, replace(busy, retry_after=90 * DAY)) == DAY
    assert wait(FEED, replace(busy, retry_after=None), chance=0.5) == 3.5 * HOUR


def test_what_the_feed_asks_for_is_heeded_while_nothing_is_lost_by_it() -> None:
    slow = replace(OK, wishes=Wishes(period=12 * HOUR))
    assert wait(FEED, slow) == 12 * HOUR
    assert wait(FEED, replace(slow, known_share=0.1)) == 5 * HOUR, (
        "nearly all of it is new: it changes faster than it says"
    )
    assert wait(FEED, replace(OK, max_age=8 * HOUR)) == 8 * HOUR
    assert wait(FEED, replace(OK, max_age=400 * DAY)) == DAY
    assert decide(FEED, slow, 1800).wishes == Wishes(period=12 * HOUR)
    assert wait(replace(FEED, wishes=Wishes(period=12 * HOUR)), replace(OK, known_share=None)) == 12 * HOUR


def test_hours_and_days_that_a_feed_skips() -> None:
    def due(**said: frozenset[int]) -> datetime | None:
        return decide(FEED, replace(OK, wishes=Wishes(**said)), 1800).next_poll_at  # type: ignore[arg-type]

    assert due(skip_hours=frozenset({18, 19})) == datetime(2026, 11, 24, 20, tzinfo=UTC)
    assert due(skip_days=frozenset({1, 2})) == datetime(2026, 11, 26, 0, tzinfo=UTC)
    assert due(skip_hours=frozenset(range(24))) == NOW + timedelta(hours=6)


NEW = "http://other.example/feed"


def test_a_redirect_is_believed_after_seven_days_of_the_same_answer() -> None:
    moved = replace(OK, moved_to=NEW)
    first = decide(FEED, moved, 1800)
    assert (first.address, first.moved_to, first.moved_at) == (FEED.url, NEW, NOW)
    almost = decide(first, replace(moved, polled_at=NOW + timedelta(days=6)), 1800)
    assert almost.address == FEED.url
    late = decide(almost, replace(moved, polled_at=NOW + timedelta(days=7)), 1800)
    assert (late.address, late.moved_to) == (NEW, None)
    other = decide(first, replace(moved, moved_to=NEW + "2", polled_at=NOW + timedelta(days=8)), 1800)
    assert (other.address, other.moved_at) == (FEED.url, NOW + timedelta(days=8))
    assert decide(first, OK, 1800).moved_to is None


def test_https_of_the_same_place_is_believed_at_once() -> None:
    assert decide(FEED, replace(OK, moved_to="https://news.example/feed"), 1800).address == "https://news.example/feed"
    assert decide(FEED, replace(OK, moved_to="https://news.example/feed2"), 1800).address == FEED.url


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_looked_for_where_it_said_it_went(status: int) -> None:
    gone = Answer(polled_at=NOW, error=f"http_{status}", status=status)
    after = decide(replace(FEED, moved_to=NEW, moved_at=NOW), gone, 1800)
    assert (after.address, after.gone_at) == (NEW, NOW)
    assert after.next_poll_at == NOW + timedelta(minutes=10)
    back = decide(replace(after, moved_to=None), gone, 1800)
    assert back.address == FEED.url
    assert back.next_poll_at == NOW + timedelta(hours=12), "in turns for ever is no way to ask"
    assert decide(FEED, replace(gone, error="http_500", status=500), 1800).gone_at is None


def test_the_body_is_asked_for_once_a_day_whatever_the_validators_say() -> None:
    assert not FEED.trusts_validators(NOW)
    read = decide(FEED, OK, 1800)
    assert read.trusts_validators(NOW + timedelta(hours=23))
    unchanged = decide(read, replace(OK, status=304, polled_at=NOW + timedelta(hours=23)), 1800)
    assert not unchanged.trusts_validators(NOW + timedelta(hours=24))


def test_hints_of_headers_and_bodies() -> None:
    assert max_age({"cache-control": "public, max-age=300"}) == 300
    assert max_age({"cache-control": "s-maxage=300"}) == 0
    assert max_age({"cache-control": "no-cache, max-age=300"}) == 0
    head = "<rss><channel><sy:updatePeriod> hourly </sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
    assert wishes(f"{head}<item><ttl>99</ttl></item></channel></rss>".encode()) == Wishes(period=1800)
    assert wishes(b"\xff<ttl>x</ttl>{}") == Wishes()


times = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them bare
seconds = st.floats(0, 1e9)
some = st.sets(st.integers(0, 23)).map(frozenset)
any_wishes = st.builds(Wishes, period=seconds, skip_hours=some, skip_days=st.sets(st.integers(0, 6)).map(frozenset))
urls = st.sampled_from(["http://a.example/f", "https://a.example/f", "http://b.example/f", "http://c.example/f"])
states = st.builds(
    FeedState, url=urls, interval=st.none() | seconds, failures=st.integers(0, 10_000), strain=st.floats(0, 1e6),
    fresh_at=st.none() | times, read_at=st.none() | times, poll_url=st.none() | urls, moved_to=st.none() | urls,
    moved_at=st.none() | times, gone_at=st.none() | times, wishes=any_wishes,
)  # fmt: skip
errors = st.sampled_from([None, "not_a_feed", "timeout", "http_404", "http_410", "http_429", "http_503", "budget"])
answers = st.builds(
    Answer, polled_at=times, known_share=st.none() | st.floats(0, 1), fresh=st.booleans(), error=errors,
    status=st.none() | st.sampled_from([200, 304, 404, 410, 429, 503]), retry_after=st.none() | seconds, max_age=seconds,
    moved_to=st.none() | urls, wishes=st.none() | any_wishes,
)  # fmt: skip


@given(states, answers, seconds, st.floats(0, 1))
def test_a_feed_is_always_asked_again_later_and_within_its_bounds(
    state: FeedState, answer: Answer, start: float, chance: float
) -> None:
    after = decide(state, answer, start, chance)
    assert after.next_poll_at is not None
    ahead = (after.next_poll_at - answer.polled_at).total_seconds()
    longest = LONGEST_DEAD if after.strain > 30 else DAY
    assert 10 * MINUTE <= ahead <= longest + 72 * HOUR
    assert after.interval is not None
    assert 10 * MINUTE <= after.interval <= DAY
    assert (after.strain == 0) == (after.failures == 0) == (answer.error is None)
    assert decide(state, answer, start, chance) == after


@given(st.lists(answers.filter(lambda answer: answer.error is None), min_size=1))
def test_a_feed_that_answers_is_asked_at_least_every_four_days(given_answers: list[Answer]) -> None:
    state = FeedState(url="http://a.example/f")
    for answer in given_answers:
        assert wait(state, answer) <= DAY + 72 * HOUR
        state = decide(state, answer, 1800)


@given(st.integers(1, 50), st.none() | seconds)
def test_a_page_is_tried_again_ever_later_and_then_set_aside(most: int, asked: float | None) -> None:
    dues = [next_attempt(attempt, NOW, asked, most) for attempt in range(most + 1)]
    assert dues[-1] is None
    waits = [due - NOW for due in dues if due is not None]
    assert len(waits) == most
    assert waits == sorted(waits)
    assert all(timedelta(minutes=30) <= pause <= timedelta(days=1) for pause in waits)


def test_an_answer_of_the_future_is_not_trusted() -> None:
    assert replace(FEED, read_at=NOW - timedelta(hours=1)).trusts_validators(NOW)
    assert not replace(FEED, read_at=NOW + timedelta(days=300)).trusts_validators(NOW)


def test_our_own_network_being_down_strains_no_feed() -> None:
    state = FEED
    for _ in range(100):
        state = decide(state, Answer(polled_at=NOW, error="offline"), 1800)
    assert (state.strain, wait(state, Answer(polled_at=NOW, error="offline"))) == (0.0, 600)

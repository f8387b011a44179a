"""Feeds asked once, at the pace of a pass: which are dead, moved or empty. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence

from flows.progress import progress
from pipeline.poll import Poll
from pipeline.records import Feed, Validators
from pipeline.session import open_session
from pipeline.settings import Settings
from pipeline.urls import normalise_url

COLUMNS = ["feed", "state", "detail"]
FEEDS_A_POLL = 32


def feed_states(settings: Settings, feeds: Sequence[Feed]) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Poll each enabled feed; return a table of those that are not as they should be."""
    asked = [feed for feed in feeds if feed.enabled]
    rows = []
    with progress() as bars, open_session(settings) as session:
        bar = bars.add_task("asking feeds", total=len(asked))
        for start in range(0, len(asked), FEEDS_A_POLL):
            batch = asked[start : start + FEEDS_A_POLL]
            polls = session.poll([(feed, Validators()) for feed in batch])
            rows += [
                (feed.feed_id, *state) for feed, poll in zip(batch, polls, strict=True) if (state := _state(feed, poll))
            ]
            bars.advance(bar, len(batch))
    return COLUMNS, rows


def _state(feed: Feed, poll: Poll) -> tuple[str, str] | None:
    if poll.error:
        return "dead", poll.error
    if poll.url and normalise_url(poll.url) != normalise_url(feed.url):
        return "moved", poll.url
    if not poll.entries:
        return "empty", f"{len(poll.refused)} items without a usable link"
    return None

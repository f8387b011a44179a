"""The ingest flow: one pass over the due feeds, from poll to publish.

Tasks have the grain of a batch: 32 feeds a poll, `batch_size` entries a fetch, extract and label, one load a batch.
Batches are dealt and loaded in one order, also after a kill, and worked on side by side, by a crew that the settings
choose; the order decides which of two addresses of one document wins (decision 2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field
from rich.progress import Progress

from flows import poll_rows, stages
from flows.crew import Crew, crew_of
from flows.naming import fetch_name, poll_name, run_name
from flows.noted import noted_run
from flows.outcomes import report
from flows.progress import progress
from flows.report.artifacts import leave_figures
from flows.stories import link_stories
from flows.tries import stage
from flows.watch import watching
from pipeline.events import load_events
from pipeline.feeds import load_feeds, share_of
from pipeline.records import Feed, Validators
from pipeline.schedule import FeedState
from pipeline.settings import NO_CONTACT, load_settings
from warehouse import state
from warehouse.load import finish_run
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.spool import deal, new_id, write_load

Item = TypeVar("Item")

FEEDS_A_POLL, MOST_A_POLL = 32, 128  # of very many, more at a time: each batch is a load, and loads take turns
SLICE = 20_000  # pending entries that are in memory at a time
THREADS = 4  # polls and fetches at once; each waits for the network nearly all the time
AHEAD = 2  # batches fetched before somebody is free for them: enough that nobody waits, few enough to keep memory flat
NOT_REACHED = "no feed at all could be reached; `make demo` shows the pipeline without a network"

poll = stage(stages.poll, "poll", poll_name)
fetch = stage(stages.fetch, "fetch", fetch_name)
extract = stage(stages.extract_batch, "extract", "extract batch {folder.name}")
label = stage(stages.label_batch, "label", "label batch {folder.name}")
load = stage(stages.load, "load", "load {folder.name}", minutes=60)
publish_copy = stage(publish, "publish", "publish the copy", minutes=60)


@flow(
    name="ingest",
    flow_run_name=run_name("ingest into"),
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS),  # type: ignore[arg-type]
    validate_parameters=True,
)
def ingest(
    feeds: str | None = None,
    warehouse: str | None = None,
    all_feeds: bool = False,
    limit: Annotated[int, Field(ge=1)] | None = None,
) -> dict[str, int] | State[Any]:
    """Make one pass: poll due feeds, fetch, extract, label, load, link copies, publish.

    Returns the outcomes: offered, loaded, duplicate, rejected, pending; a failed state where no feed answered.

    Args:
        feeds: A feeds file (TOML); by default that of the settings, then the feeds of the package.
        warehouse: A DuckDB file or a lake; by default the one of the settings.
        all_feeds: Also ask feeds that are not due yet.
        limit: Entries fetched a feed in this pass; the others stay pending.
    """
    settings = load_settings(feeds=feeds, warehouse=warehouse)
    stages.classifier_for(settings)  # a wrong model or codebook ends the pass before anything is asked of anyone
    one = stages.Pass(settings, new_id())
    with (
        pass_lock(settings.warehouse, settings.share),
        noted_run(one.data),
        watching("ingest", settings, one.run_id) as seen,
        crew_of(settings) as crew,
        progress() as bars,
    ):
        started = datetime.now(UTC)
        known = load_feeds(settings.feeds)
        _begin(one, known)
        _collect(one, crew, bars, share_of(known, settings.share), all_feeds, limit)
        link_stories(one, bars)
        counts = finish_run(settings.warehouse, one.run_id, started, {}, **seen.found())
        publish_copy(settings.warehouse)
    reached = report(one, "ingest", counts)
    leave_figures(settings)
    return counts if reached else Failed(message=NOT_REACHED)


def _begin(one: stages.Pass, known: Sequence[Feed]) -> None:
    """Store what a killed pass had prepared, then the feeds of this one, and the events where their file has changed."""
    if NO_CONTACT in one.settings.user_agent:
        get_run_logger().warning("nobody can reach you: set STANCEWATCH_USER_AGENT to a name with a contact in it")
    stages.take_over(one)
    stages.load(one.settings.warehouse, write_load(deal(one.data), one.run_id, "feeds", poll_rows.feed_tables(known)))
    events = load_events(one.settings.events)
    if {event.event_id for event in events} != state.known_events(one.settings.warehouse):
        stages.load(
            one.settings.warehouse, write_load(deal(one.data), one.run_id, "events", poll_rows.event_tables(events))
        )


def _collect(
    one: stages.Pass, crew: Crew, bars: Progress, mine: Sequence[Feed], all_feeds: bool, limit: int | None
) -> None:
    """Poll the due feeds and work off what is pending; a machine without a network leaves the pages for the next pass."""
    warehouse = one.settings.warehouse
    with stages.network(one):
        _poll_all(one, _due(warehouse, mine, all_feeds), bars)
        if state.was_offline(warehouse, one.run_id):
            get_run_logger().error("no host could be reached: pages are left for the next pass")
        else:
            _work_off(one, crew, bars, mine, limit)


def _due(warehouse: str, known: Sequence[Feed], all_feeds: bool) -> list[tuple[Feed, Validators, FeedState]]:
    named = {feed.feed_id: feed for feed in known if feed.enabled}
    found = []
    for row in state.due_feeds(warehouse, datetime.now(UTC), all_feeds, of=list(named)):
        feed = named[row["feed_id"]]
        found.append((feed, poll_rows.validators(row), poll_rows.feed_state(feed, row)))
    hint = "" if found else " (--all asks all of them)"
    get_run_logger().info("%d of %d feeds are due%s", len(found), len(known), hint)
    return found


def _poll_all(one: stages.Pass, due: list[tuple[Feed, Validators, FeedState]], bars: Progress) -> None:
    bar = bars.add_task("polling feeds", total=len(due))
    size = min(max(FEEDS_A_POLL, len(due) // 256), MOST_A_POLL)
    batches = (due[n : n + size] for n in range(0, len(due), size))
    for asked, polled in _drawn(((len(batch), poll.submit(one, batch, deal(one.data))) for batch in batches), THREADS):
        load(one.settings.warehouse, polled.result())
        bars.advance(bar, asked)


def _work_off(one: stages.Pass, crew: Crew, bars: Progress, mine: Sequence[Feed], limit: int | None) -> None:
    """Work off what is pending at this moment, SLICE by SLICE: what was tried in one is not pending any more, or later."""
    bar, now, total = bars.add_task("fetching and labelling pages", total=None), datetime.now(UTC), 0
    most = SLICE if limit is None else None  # entries over the limit of a feed would come with the next slice
    last: list[dict[str, Any]] = []
    while (entries := stages.pending(one.settings.warehouse, mine, limit, now, most)) != last:
        total += len(entries)
        bars.update(bar, total=total)
        for size in land(one, crew, fetching(one, entries)):
            bars.advance(bar, size)
        if most is None or len(entries) < most:
            return
        last = entries


def fetching(one: stages.Pass, entries: list[dict[str, Any]]) -> Iterator[tuple[int, PrefectFuture[Path]]]:
    """Fetch entries in batches; yields the size of each and its folder to come. What is not asked for is not begun."""
    size = one.settings.batch_size
    for start in range(0, len(entries), size):
        batch = entries[start : start + size]
        yield len(batch), fetch.submit(one, batch, deal(one.data))


def land(one: stages.Pass, crew: Crew, fetched: Iterable[tuple[int, PrefectFuture[Path] | Path]]) -> Iterator[int]:
    """Extract, label and load batches of pages, some of them side by side; yields the size of each that is stored."""
    flying: deque[tuple[int, PrefectFuture[Path]]] = deque()
    for size, pages in _drawn(fetched, AHEAD):
        folder = pages if isinstance(pages, Path) else pages.result()
        extracted = crew.extracting.submit(extract, {"folder": folder})
        flying.append((size, crew.labelling.submit(label, {"settings": one.settings, "folder": extracted})))
        while len(flying) >= crew.ahead:
            yield _stored(one, *flying.popleft())
    while flying:
        yield _stored(one, *flying.popleft())


def _drawn(items: Iterable[Item], ahead: int) -> Iterator[Item]:
    """Draw items so many ahead of the one that is yielded."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting


def _stored(one: stages.Pass, size: int, labelled: PrefectFuture[Path]) -> int:
    load(one.settings.warehouse, stages.prepare(one, labelled.result()))
    return size

"""The ingest flow: one pass over the due feeds, from poll to publish.

Tasks have the grain of a batch: 32 feeds a poll, `batch_size` entries a fetch, extract and label, one load a batch.
Batches are dealt and loaded in one order, also after a kill, and worked on side by side; the order decides which of two
addresses of one document wins (decision 2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from rich.progress import Progress

from flows import poll_rows, stages
from flows.progress import progress
from flows.report.artifacts import leave_figures
from flows.stories import link_stories
from flows.watch import watching
from pipeline.feeds import load_feeds, share_of
from pipeline.records import Feed, Validators
from pipeline.schedule import FeedState
from pipeline.settings import NO_CONTACT, load_settings
from warehouse import state
from warehouse.connect import target_name
from warehouse.load import finish_run
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.spool import deal, new_id, write_load

FEEDS_A_POLL = 32
AHEAD = 3  # batches in flight: enough to fetch while the model works, few enough to keep memory flat
NOT_REACHED = "no feed at all could be reached; `make demo` shows the pipeline without a network"

poll = task(name="poll", cache_policy=NO_CACHE)(stages.poll)
fetch = task(name="fetch", cache_policy=NO_CACHE)(stages.fetch)
extract = task(name="extract", cache_policy=NO_CACHE)(stages.extract_batch)
label = task(name="label", cache_policy=NO_CACHE)(stages.label)
load = task(name="load", cache_policy=NO_CACHE)(stages.load)
publish_copy = task(name="publish", cache_policy=NO_CACHE)(publish)


def run_name() -> str:
    """Name a run after its warehouse."""
    given = flow_run.parameters.get("warehouse") or load_settings().warehouse
    return f"ingest into {target_name(given)}"


@flow(
    name="ingest",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    validate_parameters=True,
)
def ingest(
    feeds: str | None = None, warehouse: str | None = None, all_feeds: bool = False, limit: int | None = None
) -> dict[str, int] | State[Any]:
    """Make one pass: poll due feeds, fetch, extract, label, load, link copies, publish.

    feeds: a feeds file (default: the setting, then the feeds of the package). warehouse: a DuckDB file or a lake. all_feeds:
    also feeds that are not due. limit: entries fetched a feed in this pass; the others stay pending.
    Returns the outcomes: offered, loaded, duplicate, rejected, pending; a failed state where no feed answered.
    """
    settings = load_settings(feeds=feeds, warehouse=warehouse)
    stages.classifier_for(settings)  # a wrong model or codebook ends the pass before anything is asked of anyone
    one = stages.Pass(settings, new_id())
    with (
        pass_lock(settings.warehouse, settings.share),
        watching("ingest", settings, one.run_id) as seen,
        progress() as bars,
    ):
        started = datetime.now(UTC)
        known = load_feeds(settings.feeds)
        _begin(one, known)
        mine = share_of(known, settings.share)
        with stages.network(one):
            _poll_all(one, _due(settings.warehouse, mine, all_feeds), bars)
            _work_off(one, stages.pending(settings.warehouse, mine, limit, datetime.now(UTC)), bars)
        link_stories(one, bars)
        counts = finish_run(settings.warehouse, one.run_id, started, {}, **seen.found())
        publish_copy(settings.warehouse)
    reached = report(settings.warehouse, one.run_id, counts)
    leave_figures(settings)
    return counts if reached else Failed(message=NOT_REACHED)


def _begin(one: stages.Pass, known: Sequence[Feed]) -> None:
    """Store what a killed pass had prepared, then the feeds of this one."""
    if NO_CONTACT in one.settings.user_agent:
        get_run_logger().warning("nobody can reach you: set STANCEWATCH_USER_AGENT to a name with a contact in it")
    stages.take_over(one)
    stages.load(one.settings.warehouse, write_load(deal(one.data), one.run_id, "feeds", poll_rows.feed_tables(known)))


def _due(warehouse: str, known: Sequence[Feed], all_feeds: bool) -> list[tuple[Feed, Validators, FeedState]]:
    named = {feed.feed_id: feed for feed in known if feed.enabled}
    found = [
        (feed, poll_rows.validators(row), poll_rows.feed_state(feed, row))
        for row in state.due_feeds(warehouse, datetime.now(UTC), all_feeds)
        if (feed := named.get(row["feed_id"]))
    ]
    hint = "" if found else " (--all asks all of them)"
    get_run_logger().info("%d of %d feeds are due%s", len(found), len(known), hint)
    return found


def _poll_all(one: stages.Pass, due: list[tuple[Feed, Validators, FeedState]], bars: Progress) -> None:
    bar = bars.add_task("polling feeds", total=len(due))
    batches = [due[n : n + FEEDS_A_POLL] for n in range(0, len(due), FEEDS_A_POLL)]
    futures = [poll.submit(one, batch, deal(one.data)) for batch in batches]
    for batch, future in zip(batches, futures, strict=True):
        load(one.settings.warehouse, future.result())
        bars.advance(bar, len(batch))


def _work_off(one: stages.Pass, entries: list[dict[str, Any]], bars: Progress) -> None:
    bar = bars.add_task("fetching and labelling pages", total=len(entries))
    for size in land(one, fetching(one, entries)):
        bars.advance(bar, size)


def fetching(one: stages.Pass, entries: list[dict[str, Any]]) -> Iterator[tuple[int, PrefectFuture[Path]]]:
    """Fetch entries in batches; yields the size of each and its folder to come. What is not asked for is not begun."""
    size = one.settings.batch_size
    for start in range(0, len(entries), size):
        batch = entries[start : start + size]
        yield len(batch), fetch.submit(one, batch, deal(one.data))


def land(one: stages.Pass, fetched: Iterable[tuple[int, PrefectFuture[Path] | Path]]) -> Iterator[int]:
    """Extract, label and load batches of pages, some of them side by side; yields the size of each that is stored."""
    flying: deque[tuple[int, PrefectFuture[Path]]] = deque()
    for size, folder in fetched:
        extracted = extract.submit(
            cast("Path", folder)
        )  # a future stands for what it will be; Prefect does not type that
        flying.append((size, label.submit(one, cast("Path", extracted))))
        while len(flying) >= AHEAD:
            yield _stored(one, *flying.popleft())
    while flying:
        yield _stored(one, *flying.popleft())


def _stored(one: stages.Pass, size: int, labelled: PrefectFuture[Path]) -> int:
    load(one.settings.warehouse, labelled.result())
    return size


def report(warehouse: str, run_id: str, counts: dict[str, int]) -> bool:
    """Leave the outcomes of the run as an artifact; return whether any feed that was asked answered."""
    found = state.run_outcomes(warehouse, run_id)
    table = [{"outcome": name, "items": number} for name, number in counts.items()]
    table += [{"outcome": f"rejected: {why}", "items": n} for why, n in found["reasons"].items()]
    table += [{"outcome": f"{name} (pending before)", "items": n} for name, n in found["carried"].items()]
    create_table_artifact(key="outcomes", table=table, description=f"Outcomes of run {run_id}")
    get_run_logger().info("outcomes: %s", ", ".join(f"{n} {name}" for name, n in counts.items()))
    answers = state.poll_outcomes(warehouse, run_id)
    return not answers or set(answers) != {"error"}

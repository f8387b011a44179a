"""The ingest flow: one pass over the due feeds, from poll to publish.

Tasks have the grain of a batch: 32 feeds a poll, 64 entries a fetch, extract and label, one load a batch. Batches are
fetched side by side and loaded in order; decision 2 says which of two addresses of one document wins, also after a kill.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from rich.progress import Progress

from flows import rows, stages
from flows.progress import progress
from pipeline.feeds import load_feeds
from pipeline.records import Feed, Validators
from pipeline.settings import load_settings
from warehouse import state
from warehouse.load import finish_run
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.spool import iso, new_id, work_folder, write_load

FEEDS_A_POLL = 32
ENTRIES_A_BATCH = 64
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
    return f"ingest into {Path(given).stem}"


@flow(
    name="ingest",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    validate_parameters=True,
)
def ingest(
    feeds: str | None = None, warehouse: str | None = None, all_feeds: bool = False, limit: int | None = None
) -> dict[str, int] | State[Any]:
    """Make one pass: poll due feeds, fetch, extract, label, load, publish.

    feeds: a feeds file (default: the setting, then the feeds of the package). warehouse: a DuckDB file. all_feeds: also
    feeds that are not due. limit: entries fetched a feed in this pass; the others stay pending.
    Returns the outcomes: offered, loaded, duplicate, rejected, pending; a failed state where no feed answered.
    """
    settings = load_settings(feeds=feeds, warehouse=warehouse)
    stages.classifier_for(settings)  # a wrong model or codebook ends the pass before anything is asked of anyone
    one = stages.Pass(settings, new_id())
    with pass_lock(settings.warehouse), progress() as bars:
        started = datetime.now(UTC)
        work = work_folder(one.data)
        known = load_feeds(settings.feeds)
        write_load(one.data, one.run_id, "feeds", rows.feed_tables(known))
        if leftovers := stages.load_leftovers(settings.warehouse, one.data) - 1:
            get_run_logger().info("loaded %d batches that an earlier pass had prepared", leftovers)
        due = _due(settings.warehouse, known, all_feeds)
        get_run_logger().info(
            "%d of %d feeds are due%s", len(due), len(known), "" if due else " (--all asks all of them)"
        )
        _poll_all(one, due, bars)
        named = {feed.feed_id for feed in known}
        pending = state.pending_entries(settings.warehouse, datetime.now(UTC), limit)
        _work_off(one, work, interleave([_plain(entry) for entry in pending if entry["feed_id"] in named]), bars)
        counts = finish_run(settings.warehouse, one.run_id, started, {})
        publish_copy(settings.warehouse)
    reached = report(settings.warehouse, one.run_id, counts)
    return counts if reached else Failed(message=NOT_REACHED)


def _due(warehouse: str, known: Sequence[Feed], all_feeds: bool) -> list[tuple[Feed, Validators, int]]:
    named = {feed.feed_id: feed for feed in known if feed.enabled}
    found = []
    for row in state.due_feeds(warehouse, datetime.now(UTC), all_feeds):
        if feed := named.get(row["feed_id"]):
            seen = Validators(etag=row["etag"], last_modified=row["last_modified"], body_hash=row["body_hash"])
            found.append((feed, seen, row["failures"] or 0))
    return found


def _poll_all(one: stages.Pass, due: list[tuple[Feed, Validators, int]], bars: Progress) -> None:
    bar = bars.add_task("polling feeds", total=len(due))
    batches = [due[n : n + FEEDS_A_POLL] for n in range(0, len(due), FEEDS_A_POLL)]
    futures = [poll.submit(one, batch) for batch in batches]
    for batch, future in zip(batches, futures, strict=True):
        load(one.settings.warehouse, future.result())
        bars.advance(bar, len(batch))


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    """Spell the times of an entry as JSON does: stages hand entries on in files."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in entry.items()}


def interleave(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Deal the entries out feed by feed, so that no batch waits for the pace of one host."""
    by_feed: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        by_feed.setdefault(entry["feed_id"], []).append(entry)
    rounds = max(map(len, by_feed.values()), default=0)
    return [queue[n] for n in range(rounds) for queue in by_feed.values() if n < len(queue)]


def _work_off(one: stages.Pass, work: Path, entries: list[dict[str, Any]], bars: Progress) -> None:
    bar = bars.add_task("fetching and labelling pages", total=len(entries))
    flying: deque[tuple[int, Path, PrefectFuture[Path]]] = deque()
    for start in range(0, len(entries), ENTRIES_A_BATCH):
        batch = entries[start : start + ENTRIES_A_BATCH]
        folder = work / one.run_id / f"{start // ENTRIES_A_BATCH:06d}"
        folder.parent.mkdir(exist_ok=True)
        fetched = fetch.submit(one, batch, folder)
        extracted = extract.submit(fetched)  # type: ignore[call-overload]  # Prefect types no futures as arguments
        flying.append((len(batch), folder, label.submit(one, extracted)))
        while len(flying) >= AHEAD:
            _land(one, flying, bars, bar)
    while flying:
        _land(one, flying, bars, bar)


def _land(one: stages.Pass, flying: deque[tuple[int, Path, PrefectFuture[Path]]], bars: Progress, bar: Any) -> None:
    size, folder, labelled = flying.popleft()
    load(one.settings.warehouse, labelled.result(), folder)
    bars.advance(bar, size)


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

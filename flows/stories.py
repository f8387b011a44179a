"""The linking of a pass: documents that were loaded and not compared yet find their stories, batch by batch.

Each batch is one load, so that a killed pass goes on where it was. Documents of a time before this step are linked too.
"""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from rich.progress import Progress

from flows import stages
from flows.watch import measured
from warehouse.lock import named_lock
from warehouse.spool import deal, write_load
from warehouse.stories import places, unlinked, unsketched

BATCH = 1000  # documents: some megabytes of text
WAIT = 3600.0  # seconds for another share's linking


@measured("sketch")
def sketch_batch(one: stages.Pass) -> int:
    """Store the sketches of some documents that have none; return how many."""
    rows = unsketched(one.settings.warehouse, BATCH)
    if rows:
        stages.load(one.settings.warehouse, write_load(deal(one.data), one.run_id, "stories", {"sketch": rows}))
    return len(rows)


@measured("link")
def link_batch(one: stages.Pass) -> int:
    """Store the places of some documents that have none, the earliest first; return how many."""
    waiting = unlinked(one.settings.warehouse, BATCH)
    if waiting:
        rows = places(one.settings.warehouse, waiting)
        stages.load(one.settings.warehouse, write_load(deal(one.data), one.run_id, "stories", {"story": rows}))
    return len(waiting)


sketch = task(name="sketch", cache_policy=NO_CACHE)(sketch_batch)
link = task(name="link", cache_policy=NO_CACHE)(link_batch)


def link_stories(one: stages.Pass, bars: Progress) -> None:
    """Link what waits, one share of the feeds after the other: each needs to know what the others linked. All sketches come first: a document's source may be among those that are new too."""
    bar = bars.add_task("linking copies", total=None)
    with named_lock(one.settings.warehouse, "link", WAIT):
        for step in (sketch, link):
            while done := step(one):
                bars.advance(bar, done)
    bars.update(bar, total=bars.tasks[bar].completed)

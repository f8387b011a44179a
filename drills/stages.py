"""A pass that is struck: killed or told to stop at every stage, out of memory, over a defect, beside another pass."""

from __future__ import annotations

import signal

from drills.server import until
from drills.world import World, ask

STRUCK = ("begin", "poll", "fetch", "extract", "label:3", "warc", "spool:2", "load:3", "drop:3", "dropping:3")
LATE = ("stories", "finish", "publish")  # of a pass that has worked everything off


def killed_at_every_stage(world: World) -> str:
    """A pass is killed (SIGKILL) at each of 13 points, one after another over one warehouse.

    Asserted: no process outlives it; the pass after the last is whole; each run that was killed ends as Crashed in Prefect.
    """
    return _struck(world, "killed", signal.SIGKILL)


def told_to_stop_at_every_stage(world: World) -> str:
    """A pass gets SIGTERM at each of 13 points, one after another over one warehouse.

    Asserted: it ends by the signal and no process outlives it; its run is Crashed and says why; the pass after the last is whole.
    """
    return _struck(world, "stopped", signal.SIGTERM)


def _struck(world: World, name: str, number: signal.Signals) -> str:
    warehouse = world.new(name)
    before = len(world.server.runs())
    for point in (*STRUCK, *LATE):
        running = world.start(warehouse, (point, number.name))
        ended = running.wait()
        assert ended.status == -number, f"{point}: {ended.status}: {ended.said[-2000:]}"
        running.nobody_left()
    world.run(warehouse)
    states = [run["state_name"] for run in world.server.runs()[before:]]
    world.whole(warehouse)  # which may make the undisturbed pass first
    assert states == ["Crashed"] * (len(STRUCK) + len(LATE)) + ["Completed"], states
    return f"{len(states) - 1} passes ended by {number.name}, their runs Crashed; the next pass whole"


def out_of_memory(world: World) -> str:
    """The model's process has no memory left for two windows, then for any.

    Asserted: the one document is tried alone and labelled; where nothing can be labelled the pass ends as failed, no
    attempt is counted, and the next pass is whole.
    """
    once, always = world.new("memory-once"), world.new("memory-always")
    ended = world.start(once, ("model:7", "no_memory")).wait()
    assert ended.status == 0, ended.said[-3000:]
    assert "one by one" in ended.said
    world.whole(once)
    ended = world.start(always, ("model:0", "no_memory")).wait()
    assert ended.status == 1, ended.said[-3000:]
    assert ask(always, "SELECT count(*) FROM entry WHERE reason = 'out_of_memory'") == [(0,)]
    world.run(always)
    world.whole(always)
    return f"once: labelled alone, pass whole; always: status 1, “{ended.last[:80]}”, the next pass whole"


def two_at_once(world: World) -> str:
    """A second pass starts while the first one works.

    Asserted: the second ends with status 1 and names the process that holds the lock; the first is whole.
    """
    warehouse = world.new("two")
    first = world.start(warehouse)
    until(lambda: warehouse.with_name("w.duckdb.pass.lock").exists(), "the lock of the first pass")
    second = world.start(warehouse).wait()
    assert second.status == 1, second.said[-3000:]
    assert f"process {first.process.pid}" in second.said
    assert first.wait().status == 0
    world.whole(warehouse)
    return f"the second: status 1, “{second.last[-100:]}”"

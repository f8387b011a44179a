"""Run drills and say how they ended: `python -m drills [NAME ...]`; without a name all of them.

Prints a table, writes it into docs/reliability.md between its markers (rows of drills that were not run stay), and exits
with 1 where a drill failed. Needs Linux, root for the small file system and the names, and libfaketime for the clock
(`apt-get install libfaketime`, or FAKETIME_LIB=path); all drills take about half an hour on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from drills import machine, service, stages, table, thousand
from drills.server import Server
from drills.world import World
from flows.demo_web import demo_web

Drill = Callable[[World], str]
DRILLS: tuple[Drill, ...] = (
    *(stages.killed_at_every_stage, stages.told_to_stop_at_every_stage, stages.out_of_memory, stages.two_at_once),
    *(machine.disk_full, machine.disk_full_where_it_hurts, machine.clock_set_back),
    *(machine.network_down, machine.name_server_down, machine.one_host_hangs, thousand.poisoned_feed_among_a_thousand),
    *(service.server_restarted, service.server_lost, service.prefect_database_unusable),
    *(service.service_stopped, service.power_failure_and_a_day_asleep, service.dead_in_pending),
)


def run(drill: Drill, world: World) -> table.Row:
    """Run one drill."""
    print(f"{drill.__name__} ...", flush=True)
    begun = time.monotonic()
    try:
        seen, outcome = drill(world), table.SURVIVED
    except Exception as error:  # a failed drill is a row of the table
        traceback.print_exc()
        seen, outcome = f"{type(error).__name__}: {error}", table.FAILED
    print(f"{drill.__name__}: {outcome} after {time.monotonic() - begun:.0f} s: {seen[:500]}", flush=True)
    return table.row(drill, outcome, seen)


def main(names: list[str]) -> int:
    """Run the drills of these names."""
    known = {drill.__name__: drill for drill in DRILLS}
    if unknown := set(names) - set(known):
        print(f"no such drill: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="drills-", ignore_cleanup_errors=True) as folder, demo_web() as web:
        server = Server(Path(folder) / "prefect").start()
        try:
            world = World(Path(folder), *web, server)
            rows = [run(known[name], world) for name in names or known]
        finally:
            server.kill()
    print(table.shown(rows))
    table.write(rows, DRILLS)
    return int(any(row.outcome == table.FAILED for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The service under a pass: Prefect's server restarted or lost, everything stopped, killed, asleep for a day, a run that dies in PENDING."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drills.server import Server, until
from drills.world import ROOT, Ended, Running, World, ask

LATE = 47  # runs of a day, one every half an hour
AT_WORK = "(documents)"  # what the log says of the first batch that is stored


def server_restarted(world: World) -> str:
    """Prefect's server is killed while a pass works, and started again ten seconds later.

    Asserted: the pass ends with status 0 and is whole; its run is Completed.
    """
    warehouse = world.new("restarted")
    running = world.start(warehouse)
    until(lambda: AT_WORK in running.said, "the first batch")
    world.server.kill()
    world.server.start()
    ended = running.wait()
    assert ended.status == 0, ended.said[-3000:]
    world.whole(warehouse)
    state = world.server.runs()[-1]["state_name"]
    assert state == "Completed", state
    return "status 0, run Completed, whole"


def server_lost(world: World) -> str:
    """Prefect's server is killed while a pass works, and does not come back before its end.

    Asserted: the pass ends with status 1 and says in one line that Prefect cannot be used, and what it had stored stays; after a
    start of the server, the next pass is whole.
    """
    warehouse = world.new("lost")
    running = world.start(warehouse, None, PREFECT_CLIENT_MAX_RETRIES="1")
    until(lambda: AT_WORK in running.said, "the first batch")
    world.server.kill()
    ended = running.wait()
    world.server.start()
    assert ended.status == 1, ended.said[-3000:]
    ((stored,),) = ask(warehouse, "SELECT count(*) FROM document")
    assert stored > 0
    world.run(warehouse)
    world.whole(warehouse)
    return f"{stored} documents stay of the pass; status 1, “{no_prefect(ended)}”; the next pass whole"


def no_prefect(ended: Ended) -> str:
    """Return what a pass said of Prefect, up to the cause."""
    said = [line for line in ended.said.splitlines() if line.startswith("stancewatch: Prefect cannot be used")]
    assert said, ended.said[-3000:]
    return said[0].partition(". Is it")[0].removeprefix("stancewatch: ")


def prefect_database_unusable(world: World) -> str:
    """A pass without a server finds Prefect's own database corrupt, then locked by another program.

    Asserted: it ends with status 1 and a line that names the database, and has made no half a warehouse.
    """
    seen = []
    for fault in ("corrupt", "locked"):
        warehouse = world.new(fault)
        home = world.folder / f"home-{fault}"
        home.mkdir()
        database = home / "prefect.db"
        holder = None
        if fault == "corrupt":
            database.write_bytes(b"SQLite format 3\0" + os.urandom(9000))
        else:
            holder = sqlite3.connect(database, isolation_level=None)
            holder.execute("CREATE TABLE taken (n)")
            holder.execute("BEGIN EXCLUSIVE")
        ended = world.start(warehouse, None, PREFECT_HOME=str(home), PREFECT_API_URL="", PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="45").wait()  # fmt: skip
        if holder:
            holder.close()
        assert ended.status == 1, ended.said[-3000:]
        assert "prefect.db" in no_prefect(ended)
        assert not warehouse.exists()
        seen.append(f"{fault}: status 1, “{no_prefect(ended).replace(str(home), '…')}”")
    return "; ".join(seen)


class Service:
    """`stancewatch serve`, that can be stopped, killed with everything below it, and started again."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.warehouse = world, world.new(name)
        self.server = Server(self.warehouse.parent / "prefect")
        self.lives = 0
        self.running: Running | None = None

    def start(self) -> Running:
        """Start it and wait until it runs."""
        self.lives += 1
        command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(self.server.port)]
        environment = {
            **self.world.environment(), **self.server.environment, "PYTHONPATH": str(ROOT), "STANCEWATCH_FEEDS": str(self.world.listing),
            "STANCEWATCH_WAREHOUSE": str(self.warehouse), "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "30",
        }  # fmt: skip
        environment.pop("PREFECT_API_URL")
        log = self.world.folder / f"{self.warehouse.parent.name}-{self.lives}.log"
        running = self.running = Running(command, environment, log)
        until(lambda: "Stancewatch is running" in running.said or running.process.poll() is not None, "the service")
        assert running.process.poll() is None, running.said[-3000:]
        return running

    def below(self) -> list[int]:
        """Return the processes of the service: whatever descends from it."""
        parents: dict[int, int] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        assert self.running is not None
        found = [self.running.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def power_off(self) -> None:
        """Kill everything at once."""
        for pid in self.below():
            os.kill(pid, signal.SIGKILL)
        assert self.running is not None
        self.running.wait()

    def stop(self) -> Ended:
        """Ask it to stop."""
        assert self.running is not None
        self.running.process.send_signal(signal.SIGTERM)
        return self.running.wait()

    def plan(self, ago: timedelta = timedelta(0)) -> str:
        """Schedule a pass, also in the past; return its run."""
        (deployment,) = [each for each in self.server.ask("deployments/filter") if each["entrypoint"].endswith("flows.ingest:ingest")]  # fmt: skip
        when = (datetime.now(UTC) - ago).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": when}}
        return str(self.server.ask(f"deployments/{deployment['id']}/create_flow_run", state=state)["id"])

    def state(self, run: str) -> str:
        """Return the state of a run."""
        return str(self.server.ask(f"flow_runs/{run}", "GET")["state_name"])

    def ended(self, run: str) -> str:
        """Wait for the end of a run and return its state."""
        final = ("Completed", "Failed", "Crashed", "Cancelled")
        return until(lambda: state if (state := self.state(run)) in final else None, f"the end of run {run}", 900)

    def one_that_completes(self) -> int:
        """Plan passes until one completes; return how many were cancelled because the slot was taken."""
        for cancelled in range(60):
            if (state := self.ended(self.plan())) == "Completed":
                return cancelled
            assert state == "Cancelled", state
            time.sleep(10)  # nothing shows when a lease is over but that the next pass runs
        raise AssertionError("the slot is never free again")

    def at_work(self) -> str:
        """Let a pass begin, and return its run once a batch of it is stored."""
        run, running = self.plan(), self.running
        assert running is not None
        until(lambda: AT_WORK in running.said, "the first batch")
        return run


def service_stopped(world: World) -> str:
    """`stancewatch serve` gets SIGTERM while a pass works, as by an update, and is started again.

    Asserted: it ends with status 0 and leaves no process; the run has ended; the next pass runs and is whole.
    """
    service = Service(world, "stopped-service")
    service.start()
    run = service.at_work()
    below = service.below()
    ended = service.stop()
    assert ended.status == 0, ended.said[-3000:]
    until(lambda: not [pid for pid in below if Path(f"/proc/{pid}").exists()], "the end of all processes", 60)
    service.start()
    try:
        cancelled = service.one_that_completes()
        state = service.state(run)
        assert state in ("Crashed", "Cancelled", "Completed"), state
    finally:
        service.stop()
    world.whole(service.warehouse)
    return f"status 0; the run ended as {state}; the next pass whole ({cancelled} before it were cancelled)"


def power_failure_and_a_day_asleep(world: World) -> str:
    """Everything is killed at once while a pass works; 47 runs become late before the service is started again.

    Asserted: the late runs do not pile up (all are cancelled or one completes), the slot of the dead run becomes free, its run ends
    as Crashed, and the next pass is whole.
    """
    service = Service(world, "power")
    service.start()
    dead = service.at_work()
    service.power_off()
    service.server.start()
    late = [service.plan(timedelta(hours=24, minutes=-30 * n)) for n in range(LATE)]
    service.server.kill()
    service.start()
    try:
        states = [service.ended(run) for run in late]
        cancelled = service.one_that_completes()
        assert service.state(dead) == "Crashed", service.state(dead)
    finally:
        service.stop()
    world.whole(service.warehouse)
    assert set(states) <= {"Cancelled", "Completed"}, states
    counted = f"{states.count('Cancelled')} cancelled, {states.count('Completed')} completed"
    return f"of {LATE} late runs {counted}; the dead run Crashed; after {cancelled} cancelled ones the next pass whole"


def dead_in_pending(world: World) -> str:
    """A run takes the one slot of its deployment and dies in PENDING, before its process is there.

    Asserted: passes after it are cancelled only until its lease is over (30 s here, 300 s by default); then one completes and is whole.
    """
    service = Service(world, "pending")
    service.start()
    try:
        run = service.plan(timedelta(hours=-1))
        answer: Any = service.server.ask(f"flow_runs/{run}/set_state", state={"type": "PENDING"})
        assert answer["status"] == "ACCEPT", answer
        first = service.ended(service.plan())
        assert first == "Cancelled", first
        cancelled = 1 + service.one_that_completes()
    finally:
        service.stop()
    world.whole(service.warehouse)
    return f"{cancelled} passes were cancelled while the lease lasted, the next one whole"

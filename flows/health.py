"""Does it need a person: settings in, the signs of the warehouse and the machine, and the reasons with their way out, out.

`stancewatch status` prints this, and OpenTelemetry gets it as readings. It waits for nobody and keeps nobody waiting: it reads the
published copy, asks the kernel whether a pass is at work, and looks at the disk.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.telemetry import Reading
from pipeline.settings import Settings
from warehouse.connect import warehouse_path
from warehouse.ducklake import is_lake
from warehouse.health import Vitals, read_vitals
from warehouse.load import OUTCOMES
from warehouse.lock import holder
from warehouse.spool import loads_set_aside, ready_loads

HOUR, DAY, GIB = 3600, 86400, 1 << 30
QUARANTINE_LEAST = 20  # a day; and twice what was usual
PENDING_AGE = 2 * DAY
DARK_SHARE, DARK_LEAST = 0.2, 3  # of the outlets
DARK_DAYS = 7  # before that, nobody knows what is usual
FAILING_SHARE, FAILING_LEAST = 0.5, 3  # of the feeds
CHECKED_WITHIN = 15 * DAY  # maintenance is a matter of a week: two may pass
REASONS = (
    *(
        "disk_low",
        "pass_stuck",
        "pass_overdue",
        "pending_old",
        "quarantine_growing",
        "loads_set_aside",
        "feeds_failing",
    ),
    *("sources_dark", "checks_failing", "maintenance_overdue"),
)
ROOM = GIB  # beside a copy of the warehouse, which publishing and compacting need


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the machine says. Sizes in bytes, times in seconds."""

    disk_free: int
    warehouse_size: int | None  # None: a lake has no size here
    loads_ready: int  # prepared and not stored yet
    load_age: float  # of the oldest of them
    loads_set_aside: tuple[str, ...]
    working: int | None  # the process that holds the lock of a pass; None: none does, or it is a lake's
    still: float  # since it began, or touched the spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a person is needed, and what that person does."""

    reason: str
    detail: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Everything that `stancewatch status` judges by."""

    vitals: Vitals
    machine: Machine
    reasons: tuple[Reason, ...]


def examine(settings: Settings) -> Health:
    """Read the signs and judge them. Raises WarehouseError where there is no warehouse, or one of another version."""
    vitals, machine = read_vitals(settings.warehouse, datetime.now(UTC)), look(settings)
    return Health(vitals=vitals, machine=machine, reasons=tuple(judge(vitals, machine, settings)))


def look(settings: Settings) -> Machine:
    """Return what the machine says of the pass that may be at work, and of the disk."""
    lake, data = is_lake(settings.warehouse), settings.data
    spool, ready = data / "spool", ready_loads(data)
    held = None if lake else holder(settings.warehouse, settings.share)
    touched = [path.stat().st_mtime for path in (spool, spool / "work") if path.exists()]
    return Machine(
        disk_free=shutil.disk_usage(_standing(data)).free,
        warehouse_size=None if lake else warehouse_path(settings.warehouse).stat().st_size,
        loads_ready=len(ready),
        load_age=max(0.0, time.time() - ready[0].stat().st_mtime) if ready else 0.0,
        loads_set_aside=tuple(loads_set_aside(data)),
        working=held[0] if held else None,
        still=max(0.0, time.time() - max([*touched, held[1]])) if held else 0.0,
    )


def _standing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def judge(vitals: Vitals, machine: Machine, settings: Settings) -> Iterator[Reason]:
    """Yield the reasons, what stops everything first. docs/operations.md has the list."""
    yield from _of_the_disk(machine)
    yield from _of_passes(vitals, machine, settings.pass_within)
    yield from _of_queues(vitals, machine)
    yield from _of_sources(vitals)
    yield from _of_checks(vitals)


def _of_the_disk(machine: Machine) -> Iterator[Reason]:
    needed = (machine.warehouse_size or 0) + ROOM
    if machine.disk_free < needed:
        yield Reason(
            reason="disk_low",
            detail=f"{machine.disk_free / GIB:.1f} GiB are free; a copy of the warehouse and 1 GiB beside it take {needed / GIB:.1f}",
            way_out="make room, lower keep_warc_bytes or keep_warc_days and run `stancewatch maintenance`, or move data_dir",
        )


def _of_passes(vitals: Vitals, machine: Machine, within: float) -> Iterator[Reason]:
    (last,) = vitals["passes"] or [{"age": None}]
    (stored,) = vitals["loads"]
    at_work = machine.working is not None or (machine.warehouse_size is None and (stored["last"] or within) < within)
    if machine.working is not None and machine.still > within:
        yield Reason(
            reason="pass_stuck",
            detail=f"process {machine.working} holds the lock of a pass and has brought nothing for {_hours(machine.still)}",
            way_out=f"stop it (kill {machine.working}): what it prepared is stored by the next pass, the rest is pending",
        )
    elif not at_work and (last["age"] is None or last["age"] > within):
        ended = "no pass has ended yet" if last["age"] is None else f"the newest pass ended {_hours(last['age'])} ago"
        yield Reason(
            reason="pass_overdue",
            detail=f"{ended}, and none is at work",
            way_out="see whether `stancewatch serve`, or the worker and the schedule, are running; `stancewatch run` makes one now",
        )


def _of_queues(vitals: Vitals, machine: Machine) -> Iterator[Reason]:
    queues = {row["queue"]: row for row in vitals["queues"]}
    if (queues["pending"]["age"] or 0) > PENDING_AGE:
        yield Reason(
            reason="pending_old",
            detail=f"{queues['pending']['n']} entries are due, the oldest for {_hours(queues['pending']['age'])}",
            way_out="passes fetch less than feeds offer: run without --limit, more often, or raise host_requests_a_day",
        )
    (quarantine,) = vitals["quarantine"]
    if quarantine["day"] >= max(QUARANTINE_LEAST, 2 * quarantine["usual"]):
        yield Reason(
            reason="quarantine_growing",
            detail=f"{quarantine['day']} entries went into quarantine within a day, {quarantine['usual']:.1f} a day in the week before",
            way_out="`stancewatch query pending` says why; when it is mended, `stancewatch replay` puts them back",
        )
    if machine.loads_set_aside:
        yield Reason(
            reason="loads_set_aside",
            detail=f"{len(machine.loads_set_aside)} loads broke the contract: {', '.join(machine.loads_set_aside)}",
            way_out="their entries are pending, nothing is lost: report what the log says of them, then delete spool-quarantine/",
        )


def _of_sources(vitals: Vitals) -> Iterator[Reason]:
    (feeds,) = vitals["feeds"]
    if feeds["failing"] >= max(FAILING_LEAST, FAILING_SHARE * feeds["polled"]):
        yield Reason(
            reason="feeds_failing",
            detail=f"the newest poll of {feeds['failing']} of {feeds['polled']} feeds failed",
            way_out="see whether this machine reaches the network and its name server; `stancewatch query feed_health` has the errors",
        )
    (stored,) = vitals["loads"]
    outlets = {row["status"]: row["n"] for row in vitals["outlets"]}
    dark = sum(outlets.get(status, 0) for status in ("gone", "failing", "dark"))
    if (stored["first"] or 0) > DARK_DAYS * DAY and dark >= max(DARK_LEAST, DARK_SHARE * sum(outlets.values())):
        yield Reason(
            reason="sources_dark",
            detail=f"{dark} of {sum(outlets.values())} outlets are gone, failing or dark",
            way_out="`stancewatch query source_health` names them; mend their addresses in the feeds file, or set enabled = false",
        )


def _of_checks(vitals: Vitals) -> Iterator[Reason]:
    broken = [row["rule"] for row in vitals["checks"] if row["broken"]]
    if broken:
        yield Reason(
            reason="checks_failing",
            detail=f"maintenance found broken rules: {', '.join(broken)}",
            way_out="`stancewatch maintenance` shows the rows; report them, and restore the last good backup if a trend depends on them",
        )
    (stored,) = vitals["loads"]
    age = min((row["age"] for row in vitals["checks"]), default=stored["first"] or 0)
    if age > CHECKED_WITHIN:
        yield Reason(
            reason="maintenance_overdue",
            detail=f"retention and the rules were not seen to for {_hours(age)}",
            way_out="run `stancewatch maintenance`, or resume its deployment",
        )


def _hours(seconds: float) -> str:
    return f"{seconds / DAY:.1f} days" if seconds > 2 * DAY else f"{seconds / HOUR:.1f} hours"


def readings(health: Health) -> Iterator[Reading]:
    """Yield the gauges of `flows.telemetry`."""
    vitals, machine = health.vitals, health.machine
    yield from (("stancewatch.entries", row["n"], {"outcome": row["outcome"]}) for row in vitals["entries"])
    yield from (("stancewatch.rejected", row["n"], {"reason": row["reason"]}) for row in vitals["rejected"])
    yield from (("stancewatch.outlets", row["n"], {"status": row["status"]}) for row in vitals["outlets"])
    for last in vitals["passes"]:
        yield "stancewatch.pass.age", last["age"], {}
        for outcome in OUTCOMES[1:]:  # the first is their sum
            yield "stancewatch.pass.items", last[outcome], {"outcome": outcome}
    for row in (*vitals["queues"], {"queue": "spool", "n": machine.loads_ready, "age": machine.load_age}):
        yield "stancewatch.queue.size", row["n"], {"queue": row["queue"]}
        yield "stancewatch.queue.age", row["age"] or 0, {"queue": row["queue"]}
    yield "stancewatch.disk.free", machine.disk_free, {}
    if machine.warehouse_size is not None:
        yield "stancewatch.warehouse.size", machine.warehouse_size, {}
    found = {each.reason for each in health.reasons}
    yield from (("stancewatch.attention", int(name in found), {"reason": name}) for name in REASONS)

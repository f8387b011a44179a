"""How long a named query takes: a warehouse file and names in, seconds cold and warm and of CPU out.

Cold is a process of its own that opens the file and asks once, after the system was told to drop what it holds of the file: all
that a user without rights can do. Warm is the median of further turns over the same connection. CPU is of all threads: half of
it is what two cores need that nobody else wants, and it compares on a busy machine, where seconds do not.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from warehouse.connect import reading
from warehouse.query import list_queries, load_query, typed_sql
from warehouse.result import row_hash
from warehouse.snapshot import find_snapshot

THREADS = 2
TURNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of one query, and what it answered."""

    name: str
    cold: float
    cold_cpu: float
    warm: float
    warm_cpu: float
    rows: int
    answer: str  # the row hash


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and CPU seconds that it takes."""
    start, before = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - start, cpu() - before


def ask(target: Path, name: str) -> Times:
    """Time one query in this process."""
    query = load_query(name)
    start, before = time.perf_counter(), cpu()
    with reading(str(target)) as con:
        con.execute(f"SET threads = {THREADS}")
        sql, values = typed_sql(query), query.bound(query.values({}), find_snapshot(con).at)
        done = con.execute(sql, values)
        columns, rows = [column[0] for column in done.description or []], done.fetchall()
        cold, cold_cpu = time.perf_counter() - start, cpu() - before
        turns = [spent(lambda: con.execute(sql, values).fetchall()) for _ in range(TURNS)]
    return Times(
        name=name,
        cold=cold,
        cold_cpu=cold_cpu,
        warm=statistics.median(turn[0] for turn in turns),
        warm_cpu=statistics.median(turn[1] for turn in turns),
        rows=len(rows),
        answer=row_hash(columns, rows),
    )


def ask_apart(target: Path, name: str) -> Times:
    """Time one query in a process of its own, with nothing of the file in memory."""
    forget(target)
    run = subprocess.run(
        [sys.executable, __file__, str(target), name], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return Times(**json.loads(run.stdout))


def forget(target: Path) -> None:
    """Tell the system to drop what it holds of a file."""
    with target.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ask_all(target: Path, names: Iterable[str] = ()) -> list[Times]:
    """Time the named queries, all of them where none is named."""
    return [ask_apart(target, name) for name in (list(names) or [name for name, _ in list_queries()])]


if __name__ == "__main__":
    print(json.dumps(asdict(ask(Path(sys.argv[1]), sys.argv[2]))))

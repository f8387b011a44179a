"""Write a prepared load into the warehouse: a spool folder in, counts of written rows out, one transaction.

A folder `<load_id>/` holds `load.json` {load_id, run_id, kind, created_at} and `<table>.jsonl` files whose keys are the
columns of the table without load_id; rows of documents' text, labels and evidence may also carry `entry_id`, which tells
apart two entries of one load that became the same document. Loading a folder twice changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipeline.errors import WarehouseConflict, WarehouseError
from warehouse.connect import Connection, Target, code_version, execute_all, fetch_rows, writing
from warehouse.kept import keep_up
from warehouse.spool import new_id

log = logging.getLogger(__name__)

STEPS = Path(__file__).parent / "steps"
KINDS: dict[str, tuple[str, ...]] = {
    "feeds": ("outlet", "feed"),
    "events": ("event",),
    "poll": ("poll", "entry", "rejection", "feed_schedule", "host"),
    "documents": (
        *("entry", "document", "document_text", "label_run", "relevance_label", "topic_label", "stance_label"),
        *("evidence", "rejection", "host"),
    ),
    "stories": ("sketch", "story"),
    "human": ("human_label",),
}
STAGED = ("outlet", "feed", "event", "poll", "feed_schedule", *KINDS["documents"], *KINDS["stories"], "human_label")
OF_A_DOCUMENT = ("document_text", "relevance_label", "topic_label", "stance_label", "evidence")
LARGEST_ROW = (
    64 * 1024 * 1024
)  # bytes of one JSON line; a page is at most 10 MB, its text escaped may be six times that
OUTCOMES = ("offered", "loaded", "duplicate", "rejected", "pending")
# Writers of a lake take turns, so a conflict is rare: a lock whose connection broke, or a writer that is not ours.
again_on_conflict = retry(
    retry=retry_if_exception_type(WarehouseConflict),
    stop=stop_after_attempt(6),
    wait=wait_random_exponential(0.1, 5),
    reraise=True,
)


@again_on_conflict
def load_folder(target: Target, folder: Path, wait: float = 60) -> dict[str, int]:
    """Load one complete folder and return rows written by table; {} where its load_id is in the warehouse already.

    Raises WarehouseBusy after `wait` seconds, WarehouseError where the folder breaks the contract (nothing is written
    then). The caller deletes the folder afterwards.
    """
    head = _read_head(folder)
    with writing(target, wait=wait) as con:
        if con.execute("SELECT 1 FROM load WHERE load_id = ?", [head["load_id"]]).fetchone():
            return {}
        for table in STAGED:
            _stage(con, table, folder / f"{table}.jsonl")
        _write(con, head)
        run_step(con, "touched", head)
        if con.execute("SELECT 1 FROM removal WHERE record = 'document' LIMIT 1").fetchone():
            run_step(con, "scrub", {**head, "all_past": False})  # nothing of an erased document comes back
        keep_up(con)
        record_load(con, head)
        counts = _written(con, head)
    log.info("load %s (%s): %s", head["load_id"], head["kind"], counts)
    return counts


@again_on_conflict
def finish_run(
    target: Target,
    run_id: str,
    started_at: datetime,
    counts: Mapping[str, int],
    *,
    stages: Sequence[Mapping[str, object]] = (),
    memory: int | None = None,
    now: datetime | None = None,
    wait: float = 60,
) -> dict[str, int]:
    """Write the run's row, what its stages took and what outlet_day needs in one load, and return the row's outcomes.

    Keys of `counts` (offered, loaded, duplicate, rejected, pending) win over what view outcome_by_run counts. A run that
    is finished already stays as it is. `stages`: {stage, batches, seconds, slowest}; `memory`: most bytes held.
    """
    now = now or datetime.now(UTC)
    with writing(target, wait=wait) as con:
        # Named in its turn: of two passes into a lake, the one that counts the days last has the newest version.
        (newest,) = con.execute("SELECT coalesce(max(load_id), '') FROM load").fetchone() or ("",)
        head = {"load_id": new_id(after=newest), "run_id": run_id, "kind": "finish", "created_at": now.isoformat()}
        known = fetch_rows(
            con, "SELECT offered, loaded, duplicate, rejected, pending FROM run WHERE run_id = $id", {"id": run_id}
        )
        if known:
            return known[0]
        seen = fetch_rows(con, "SELECT * EXCLUDE first_poll_at FROM outcome_by_run WHERE run_id = $id", {"id": run_id})
        row = {name: int(counts.get(name, seen[0][name] if seen else 0)) for name in OUTCOMES}
        _write_run(
            con,
            {"run_id": run_id, "started_at": started_at, "now": now, "memory": memory, **row},
            stages,
            head["load_id"],
        )
        run_step(con, "finish", {"now": now, "load_id": head["load_id"]})
        run_step(con, "touched", head)
        keep_up(con)
        record_load(con, head)
    return row


def _write_run(
    con: Connection, run: Mapping[str, object], stages: Sequence[Mapping[str, object]], load_id: str
) -> None:
    con.execute(
        "INSERT INTO run BY NAME SELECT $run_id AS run_id, $started_at AS started_at, $now AS finished_at, $offered AS offered,"
        " $loaded AS loaded, $duplicate AS duplicate, $rejected AS rejected, $pending AS pending, $memory AS memory, $load_id AS load_id",
        {**run, "load_id": load_id},
    )
    for took in stages:
        con.execute(
            "INSERT INTO run_stage BY NAME SELECT $run_id AS run_id, $stage AS stage, $batches AS batches, $seconds AS seconds,"
            " $slowest AS slowest, $load_id AS load_id",
            {"run_id": run["run_id"], "load_id": load_id, **took},
        )


def _read_head(folder: Path) -> dict[str, str]:
    try:
        head = json.loads((folder / "load.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WarehouseError(
            f"{folder}: load.json cannot be read ({error}); move the folder out of the spool"
        ) from error
    missing = {"load_id", "run_id", "kind", "created_at"} - set(head)
    if missing or head["kind"] not in KINDS:
        raise WarehouseError(f"{folder}: load.json has kind {head.get('kind')!r} and lacks {sorted(missing)}")
    strange = {path.stem for path in folder.glob("*.jsonl")} - set(KINDS[head["kind"]])
    if strange:
        raise WarehouseError(f"{folder}: a load of kind {head['kind']} cannot bring {sorted(strange)}")
    return {name: str(value) for name, value in head.items()}


def _stage(con: Connection, table: str, path: Path) -> None:
    """Read a file into the temporary table staged_<table>; rowid keeps the order of its lines."""
    columns = dict(
        con.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND column_name <> 'load_id' AND NOT internal"
            " ORDER BY column_index",
            [table],
        ).fetchall()
    )
    if table in OF_A_DOCUMENT:
        columns["entry_id"] = "VARCHAR"
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_{table} ({listed})")
    if not path.exists():
        return
    _refuse_unknown_keys(path, set(columns))
    spelled = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in columns.items()) + "}"
    try:
        con.execute(
            f"INSERT INTO staged_{table} BY NAME SELECT * FROM read_json(?, format = 'newline_delimited', columns = {spelled},"  # noqa: S608
            f" maximum_object_size = {LARGEST_ROW})",
            [_glob_safe(path)],
        )
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be read: {error}") from error


def _glob_safe(path: Path) -> str:
    """Spell a path so that DuckDB takes no character of it for a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _refuse_unknown_keys(path: Path, columns: set[str]) -> None:
    """DuckDB would drop a misspelt column without a word; the first line stands for all."""
    with path.open(encoding="utf-8") as lines:
        first = lines.readline()
    try:
        unknown = set(json.loads(first)) - columns if first.strip() else set()
    except ValueError as error:
        raise WarehouseError(f"{path}: line 1 is not JSON ({error})") from error
    if unknown:
        raise WarehouseError(f"{path}: no such columns: {sorted(unknown)}")


def _write(con: Connection, head: Mapping[str, str]) -> None:
    """Run the steps of a kind; what breaks the contract stops them before the caller commits."""
    if head["kind"] in ("feeds", "events", "stories", "human"):
        run_step(con, head["kind"], head)
        return
    run_step(con, "poll" if head["kind"] == "poll" else "decide", head)
    problems = fetch_rows(con, (STEPS / "problems.sql").read_text(encoding="utf-8"), {"kind": head["kind"]})
    if problems:
        raise WarehouseError(f"load {head['load_id']}: " + "; ".join(str(row["problem"]) for row in problems))
    if head["kind"] == "documents":
        run_step(con, "revise", head)
    run_step(con, "documents", head)
    run_step(con, "hosts", head)


def run_step(con: Connection, name: str, params: Mapping[str, object]) -> None:
    """Run a file of steps/ with those of the parameters that its statements name."""
    execute_all(con, (STEPS / f"{name}.sql").read_text(encoding="utf-8"), params)


def record_load(con: Connection, head: Mapping[str, str]) -> None:
    """Record a load; a clock that was set back does not put it before the loads that are stored already."""
    con.execute(
        "INSERT INTO load BY NAME SELECT $load_id AS load_id, $run_id AS run_id, $kind AS kind, CAST($created_at AS TIMESTAMPTZ) AS created_at,"
        " greatest(now(), max(loaded_at) + INTERVAL 1 MICROSECOND) AS loaded_at, $code_version AS code_version FROM load",
        {**{name: head[name] for name in ("load_id", "run_id", "kind", "created_at")}, "code_version": code_version()},
    )


def _written(con: Connection, head: Mapping[str, str]) -> dict[str, int]:
    """Count the rows that carry this load_id: what the load inserted or changed (a poll changes its feed)."""
    parts = [
        f"SELECT '{table}' AS name, count(*) AS n FROM {table} WHERE load_id = $load_id"  # noqa: S608 - our own names
        for table in dict.fromkeys((*KINDS[head["kind"]], "feed"))
    ]
    rows = fetch_rows(con, " UNION ALL ".join(parts), {"load_id": head["load_id"]})
    return {str(row["name"]): int(row["n"]) for row in rows if row["n"]}

#!/usr/bin/env python3
"""Everything scaled out at once on this machine, and what it stores beside what one embedded pass stores.

    pip install -e '.[test]'
    python -m drills.scaled_out [--folder DIR]

A Prefect server over PostgreSQL, three workers on one pool, a deployment for each third of the feeds (the YAML of
docs/scaling.md, under the settings of its profile), a Dask cluster of two processes for extraction and labelling, and a
warehouse in DuckLake; the pages are those of the demo's web. Printed are a line for each table that was compared and who did
what; exit status 0 where every table is the same and every check holds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import httpx

from drills.profile import blocks
from flows.demo_web import demo_web
from pipeline.feeds import feeds_toml
from tests.support.postgres import find_postgres, serve_postgres
from tests.support.server import unused_port
from warehouse.connect import reading
from warehouse.query import run_checks

T = TypeVar("T")
WORKERS = 3
CONTENT = {
    "documents": "SELECT document_id, canonical_url, title, text_hash, outlet_id, lang FROM document ORDER BY ALL",
    "texts": "SELECT document_id, text FROM document_text ORDER BY ALL",
    "relevance": "SELECT document_id, label_run_id, p, label, abstain FROM relevance_label ORDER BY ALL",
    "topics": "SELECT document_id, label_run_id, topic, p, label FROM topic_label ORDER BY ALL",
    "stances": "SELECT document_id, target, p_favor, p_against, p_neutral, label, abstain FROM stance_label ORDER BY ALL",
    "evidence": "SELECT document_id, target, rank, sentence_start, sentence_end, text FROM evidence ORDER BY ALL",
    "stories": "SELECT document_id, story_id, parent_id, link, similarity FROM current_story ORDER BY ALL",
    "outcomes": "SELECT entry_id, feed_id, outcome, reason FROM entry ORDER BY ALL",
}


class Stand:
    """Processes with one environment and a log file each, ended in the reverse order of their start."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self._stack = ExitStack()

    def start(self, name: str, *command: str) -> Path:
        """Start a module of this interpreter; return its log."""
        log = self.folder / f"{name}.log"
        self._stack.enter_context(self._running(name, log, command))
        return log

    @contextmanager
    def _running(self, name: str, log: Path, command: tuple[str, ...]) -> Iterator[None]:
        with log.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-m", *command], env=self.environment, stdout=out, stderr=out)
            try:
                yield
                if process.poll() is not None:
                    raise SystemExit(f"{name} ended by itself: {log.read_text()[-2000:]}")
            finally:
                process.terminate()
                process.wait()

    def do(self, *command: str) -> None:
        """Run a module of this interpreter to its end."""
        done = subprocess.run(
            [sys.executable, "-m", *command], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")

    def close(self) -> None:
        """End all of them."""
        self._stack.close()


def wait_for(found: Callable[[], T | None]) -> T:
    """Ask until there is something."""
    while not (result := found()):
        time.sleep(0.5)
    return result


def ask(url: str, **body: Any) -> Any:
    """Ask Prefect's API; None where it does not answer yet."""
    try:
        return httpx.post(url, json=body, trust_env=False, timeout=60).json()
    except httpx.TransportError:
        return None


def embedded(folder: Path, environment: dict[str, str]) -> str:
    """Make one pass into a file with nothing else running; return the file."""
    stand = Stand(folder, {**environment, "PREFECT_HOME": str(folder / "home-embedded")})
    warehouse = str(folder / "embedded" / "w.duckdb")
    stand.do("flows.cli", "run", "--all", "--warehouse", warehouse)
    return warehouse


def scaled(folder: Path, environment: dict[str, str], databases: tuple[str, str]) -> tuple[str, list[str]]:
    """Make a pass of three shares at once on everything; return the lake and who worked."""
    profile, deployments = blocks()
    prefect, dask = unused_port(), unused_port()
    api = f"http://127.0.0.1:{prefect}/api"
    ours = {
        "PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "home"), "PREFECT_API_DATABASE_CONNECTION_URL": databases[0],
        "STANCEWATCH_WAREHOUSE": databases[1], "STANCEWATCH_LAKE_DATA": str(folder / "lake"),
        "STANCEWATCH_DATA_DIR": str(folder / "data"), "STANCEWATCH_DASK_ADDRESS": f"tcp://127.0.0.1:{dask}",
    }  # fmt: skip
    stand = Stand(folder, {**profile, **ours, **environment})
    (folder / "prefect.scaled.yaml").write_text(deployments, encoding="utf-8")
    (folder / "data").mkdir()
    try:
        stand.start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(prefect))
        stand.start(
            "scheduler", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(dask), "--no-dashboard"
        )
        many = ("--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder / "dask"))
        stand.start("dask", "distributed.cli.dask_worker", f"tcp://127.0.0.1:{dask}", *many)
        wait_for(lambda: ask(f"{api}/deployments/filter") is not None)
        stand.do("prefect", "work-pool", "create", "--type", "process", "stancewatch")
        stand.do("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(folder / "prefect.scaled.yaml"))
        logs = [
            stand.start(f"worker-{n}", "prefect", "worker", "start", "--pool", "stancewatch", "--name", f"worker-{n}", "--limit", "1")
            for n in range(1, WORKERS + 1)
        ]  # fmt: skip
        states = runs_of(api)
        assert states == ["COMPLETED"] * WORKERS, (states, [log.read_text()[-3000:] for log in logs])
        did = [f"{log.stem} made {log.read_text().count('submitted to infrastructure')} passes" for log in logs]
        return databases[1], did
    finally:
        stand.close()


def runs_of(api: str) -> list[str]:
    """Start a pass of each deployment once three workers are there; return how they ended."""
    wait_for(lambda: len(ask(f"{api}/work_pools/stancewatch/workers/filter") or []) == WORKERS)
    ids = []
    for deployment in ask(f"{api}/deployments/filter"):
        body = {"state": {"type": "SCHEDULED"}, "parameters": {"all_feeds": True}}
        ids.append(ask(f"{api}/deployments/{deployment['id']}/create_flow_run", **body)["id"])
    over = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}
    runs = wait_for(
        lambda: (
            (found := ask(f"{api}/flow_runs/filter", flow_runs={"id": {"any_": ids}, "state": over}))
            and len(found) == len(ids)
            and found
        )
    )
    return [run["state_type"] for run in runs]


def compare(file: str, lake: str) -> bool:
    """Print whether each table has the same rows; say whether all have, and whether the checks hold."""
    same = True
    with duckdb.connect(file, read_only=True) as ours, reading(lake) as theirs:
        for name, sql in CONTENT.items():
            one, other = ours.execute(sql).fetchall(), theirs.execute(sql).fetchall()
            print(f"{name:<10} {len(one):>5} rows: {'the same' if one == other else 'DIFFERENT'}")
            same = same and one == other and bool(one)
    broken = run_checks(lake)
    print(f"checks     {broken or 'all hold'}")
    return same and not broken


def main() -> None:
    """Run the drill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where logs and data go, and stay; default: a temporary one")
    given = parser.parse_args()
    programs = find_postgres()
    if programs is None:
        raise SystemExit("the drill needs PostgreSQL's programs (initdb)")
    with ExitStack() as stack:
        folder = (given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        database = stack.enter_context(serve_postgres(programs))
        feeds, hosts = stack.enter_context(demo_web())
        (folder / "feeds.toml").write_text(feeds_toml(feeds), encoding="utf-8")
        web = {"STANCEWATCH_FEEDS": str(folder / "feeds.toml"), "STANCEWATCH_ALLOW_HOSTS": json.dumps(hosts)}
        file = embedded(folder, web)
        prefect = f"postgresql+asyncpg://stancewatch@/{database.new_database().split()[0].partition('=')[2]}?host={database.folder}"
        lake, did = scaled(folder, web, (prefect, f"ducklake:postgres:{database.new_database()}"))
        same = compare(file, lake)
        print("\n".join(did))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

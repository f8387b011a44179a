"""`stancewatch serve`: a real server, worker and deployments; a scheduled pass, seen in the UI; one signal stops it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from flows.demo_web import demo_web
from pipeline.feeds import feeds_toml
from tests.support.browser import MISSING, find_browser, read_page
from tests.support.server import unused_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen while a pass was planned, ran and ended."""

    deployments: list[dict[str, Any]]
    planned: list[dict[str, Any]]
    run: dict[str, Any]
    published: dict[str, Any]  # the run that the load started
    logs: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    pages: dict[str, str]  # text by name; empty without a browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One life of `stancewatch serve`: what was seen, what it printed, and how it ended."""

    seen: Watched
    said: str
    status: int
    warehouse: Path


class Serving:
    """A `stancewatch serve` that is running."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.ui = f"http://127.0.0.1:{port}"

    def ask(self, path: str, **body: Any) -> Any:
        """Ask Prefect's API; None where it does not answer yet."""
        try:
            return httpx.post(f"{self.ui}/api/{path}", json=body, trust_env=False, timeout=30).json()
        except httpx.TransportError:
            return None

    def runs(self, *states: str, deployment: str | None = None) -> Any:
        wanted = {"deployments": {"name": {"any_": [deployment]}}} if deployment else {}
        return self.ask("flow_runs/filter", flow_runs={"state": {"type": {"any_": states}}}, **wanted)

    def wait_for(self, found: Callable[[], Any]) -> Any:
        """Ask until there is something; the process ending first is a failure. No limit of our own: CI has one."""
        while self.process.poll() is None:
            if result := found():
                return result
            time.sleep(0.5)
        raise AssertionError(self.log.read_text())


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Start it over the demo's web; the end of the block sends one signal and waits."""
    port, log = unused_port(), folder / "serve.log"
    with demo_web() as (feeds, hosts), log.open("wb") as out:
        (folder / "feeds.toml").write_text(feeds_toml(feeds))
        environment = {
            **os.environ, "PREFECT_HOME": str(folder / "home"), "STANCEWATCH_ALLOW_HOSTS": json.dumps(hosts),
            "STANCEWATCH_FEEDS": str(folder / "feeds.toml"), "STANCEWATCH_WAREHOUSE": str(folder / "w.duckdb"),
        }  # fmt: skip
        environment.pop("PREFECT_API_URL", None)
        command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            yield Serving(process, log, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def watch(served: Serving, profile: Path) -> Watched:
    """Let one pass be scheduled and run, and look at it through the API and the UI."""
    served.wait_for(lambda: "Stancewatch is running" in served.log.read_text())
    deployments = served.ask("deployments/filter")
    planned = served.wait_for(lambda: served.runs("SCHEDULED"))
    (ingest,) = [d for d in deployments if d["name"] == "every-30-minutes"]
    served.ask(f"deployments/{ingest['id']}/create_flow_run", state={"type": "SCHEDULED"})
    ended = ("COMPLETED", "FAILED", "CRASHED")
    (run,) = served.wait_for(lambda: served.runs(*ended, deployment="every-30-minutes"))
    (published,) = served.wait_for(lambda: served.runs(*ended, deployment="publish"))
    of_run = {"id": {"any_": [run["id"]]}}
    logs, artifacts = served.ask("logs/filter", limit=200), served.ask("artifacts/filter", flow_runs=of_run)
    addresses = {
        "run": f"runs/flow-run/{run['id']}",
        "artifacts of the run": f"v2/runs/flow-run/{run['id']}?tab=Artifacts",  # the old UI opens a tab by a click only
        **{artifact["key"]: f"artifacts/artifact/{artifact['id']}" for artifact in artifacts},
    }
    browser = find_browser()
    pages = (
        {name: read_page(browser, f"{served.ui}/{at}", profile) for name, at in addresses.items()} if browser else {}
    )
    return Watched(
        deployments=deployments,
        planned=planned,
        run=run,
        published=published,
        logs=logs,
        artifacts=artifacts,
        pages=pages,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("serve")
    with serving(folder) as running:
        seen = watch(running, folder / "browser")
    said = running.log.read_text()
    return Served(seen=seen, said=said, status=running.process.returncode, warehouse=folder / "w.duckdb")


def test_the_deployments_are_there_and_passes_are_planned(served: Served) -> None:
    names = {"every-30-minutes", "backfill", "relabel", "publish", "maintenance", "source-health"}
    assert {d["name"] for d in served.seen.deployments} == names
    assert served.seen.planned  # a server with the wrong SQLAlchemy never plans any


def test_a_scheduled_pass_runs_logs_and_publishes(served: Served) -> None:
    assert served.seen.run["state_type"] == "COMPLETED", served.said
    assert {"flows.stages", "warehouse.load"} <= {line["name"] for line in served.seen.logs}
    assert any("feed demo-tidewater-bulletin-broken (http://" in line["message"] for line in served.seen.logs)
    keys = sorted(artifact["key"] for artifact in served.seen.artifacts)
    keys = [key for key in keys if not key.startswith("progress-")]  # a slow machine shows progress
    assert keys == ["attention", "coverage", "failing-sources", "net-stance", "outcomes", "slowest-sources", "trend"]
    found = {artifact["key"]: artifact["data"] for artifact in served.seen.artifacts}
    (failing,) = json.loads(found["failing-sources"])
    assert (failing["feed_id"], failing["status"]) == ("demo-tidewater-bulletin-broken", "never answered")
    assert json.loads(found["slowest-sources"])[0]["seconds"] > 0
    with duckdb.connect(str(served.warehouse.with_suffix(".published.duckdb")), read_only=True) as con:
        assert con.execute("SELECT count(*) >= 40 FROM document").fetchall() == [(True,)]


def test_the_load_starts_publish(served: Served) -> None:
    published = served.seen.published
    assert (published["name"], published["state_type"]) == ("publish w", "COMPLETED"), served.said
    assert published["parameters"] == {"warehouse": str(served.warehouse)}
    assert served.warehouse.with_name("w.report.html").exists()


def test_a_person_sees_the_pass_in_the_ui(served: Served) -> None:
    pages, name = served.seen.pages, served.seen.run["name"]
    if not pages:
        pytest.skip(MISSING)
    assert name == "ingest into w"
    for words in (name, "Completed", "every-30-minutes", "10 of 10 feeds are due", "flows.stages", "warehouse.load"):
        assert words in pages["run"]
    for words in (name, "Completed", "outcomes", "Outcomes of run"):
        assert words in pages["artifacts of the run"]
    tables = [artifact for artifact in served.seen.artifacts if artifact["type"] == "table"]
    artifacts = {artifact["key"]: json.loads(artifact["data"]) for artifact in tables}
    counts = {row["outcome"]: row["items"] for row in artifacts["outcomes"]}
    for words in (name, "outcome items", *(f"{outcome} {items}" for outcome, items in counts.items())):
        assert words in pages["outcomes"]
    assert counts["loaded"] >= 40
    assert "Targets are not on one scale" in pages["net-stance"]
    for row in artifacts["net-stance"]:
        assert row["n"] >= 5 or row["net"] is None  # a cell of five votes may still have too few outlets
        assert f"{row['target']} {row['bloc']} {row['week']} {row['n']}" in pages["net-stance"]


def test_one_signal_stops_the_worker_then_the_server(served: Served) -> None:
    assert served.status == 0, served.said
    assert served.said.index("stopping the worker") < served.said.index("stopping the server")

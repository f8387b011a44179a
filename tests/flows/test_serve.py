"""`stancewatch serve`: a real server, worker and deployments; a scheduled pass; one signal stops it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import httpx

from flows.demo import feeds_toml
from flows.demo_web import demo_web
from tests.support.server import unused_port


def wait_for(found: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> Any:
    """Poll until there is something; the process ending first is a failure. No limit of our own: CI has one."""
    while process.poll() is None:
        if result := found():
            return result
        time.sleep(0.5)
    raise AssertionError(log.read_text())


def test_a_scheduled_pass_runs_and_one_signal_stops_everything(tmp_path: Path) -> None:
    port, log = unused_port(), tmp_path / "serve.log"
    api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api", trust_env=False, timeout=30)

    def ask(path: str, **body: Any) -> Any:
        try:
            return api.post(path, json=body).json()
        except httpx.TransportError:
            return None

    def running() -> bool:
        return "Stancewatch is running" in log.read_text()

    def finished() -> Any:
        return ask("/flow_runs/filter", flow_runs={"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}})

    def planned() -> Any:
        return ask("/flow_runs/filter", flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}})

    with api, demo_web() as (feeds, hosts), log.open("wb") as out:
        (tmp_path / "feeds.toml").write_text(feeds_toml(feeds))
        environment = {
            **os.environ, "PREFECT_HOME": str(tmp_path / "home"), "STANCEWATCH_ALLOW_HOSTS": json.dumps(hosts),
            "STANCEWATCH_FEEDS": str(tmp_path / "feeds.toml"), "STANCEWATCH_WAREHOUSE": str(tmp_path / "w.duckdb"),
        }  # fmt: skip
        environment.pop("PREFECT_API_URL", None)
        command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            wait_for(running, process, log)
            deployments = ask("/deployments/filter")
            assert {d["name"] for d in deployments} == {"every-30-minutes", "relabel", "publish"}
            assert wait_for(planned, process, log)  # a server with the wrong SQLAlchemy never plans any
            (ingest,) = [d for d in deployments if d["name"] == "every-30-minutes"]
            ask(f"/deployments/{ingest['id']}/create_flow_run", state={"type": "SCHEDULED"})
            (run,) = wait_for(finished, process, log)
            assert run["state_type"] == "COMPLETED", log.read_text()
            loggers = {line["name"] for line in ask("/logs/filter", limit=200)}
            assert {"flows.stages", "warehouse.load"} <= loggers
            (artifact,) = ask("/artifacts/filter")
            assert artifact["key"] == "outcomes"
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait()
    said = log.read_text()
    assert status == 0, said
    assert said.index("stopping the worker") < said.index("stopping the server")
    with duckdb.connect(str(tmp_path / "w.published.duckdb"), read_only=True) as con:
        assert con.execute("SELECT count(*) >= 40 FROM document").fetchall() == [(True,)]

"""`stancewatch bootstrap` on a real server: what it makes is there, twice is once, and every automation fires."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.drifting import troubled
from tests.support.server import unused_port

DEPLOYMENTS = {"every-30-minutes", "backfill", "relabel", "publish", "maintenance", "source-health"}
ROOT = Path(__file__).parents[2]


class Server:
    """A Prefect server's API, and the place that alerts are posted to."""

    def __init__(self, api: str, folder: Path) -> None:
        self.api = api
        self.folder = folder
        self.alerts: list[dict[str, Any]] = []
        self.said = ""

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.api}/{path}", json=body, trust_env=False, timeout=60)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def run(self, *arguments: str) -> str:
        environment = {
            **os.environ,
            "PREFECT_API_URL": self.api,
            "PREFECT_HOME": str(self.folder / "home"),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bootstrap(self, *more: str) -> str:
        return self.run("-m", "flows.cli", "bootstrap", *more)

    def wait_for(self, found: Callable[[], Any]) -> Any:
        """Ask until there is something. No limit of our own: CI has one."""
        while not (result := found()):
            time.sleep(0.3)
        return result

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.ask("deployments/filter")}

    def state(self) -> dict[str, Any]:
        """Everything that bootstrap makes, as the server knows it; without what a server counts by itself."""
        dropped = {"status", "updated", "last_polled"}  # of a deployment: whether a worker is there
        pool = httpx.get(f"{self.api}/work_pools/stancewatch", trust_env=False).json()
        found: dict[str, Any] = {
            "pool": {name: pool[name] for name in ("id", "type", "concurrency_limit")},
            "automations": self.ask("automations/filter", sort="NAME_ASC"),
            "blocks": [each["id"] for each in self.ask("block_documents/filter")],
        }
        found["deployments"] = {
            name: {key: value for key, value in each.items() if key not in dropped}
            for name, each in self.deployments().items()
        }
        return found

    def said_of(self, automation: str) -> list[str]:
        return [alert["text"] for alert in self.alerts if alert["automation"] == f"Stancewatch: {automation}"]

    def forget(self) -> None:
        """Take everything away again: other tests share the server."""
        for automation in self.ask("automations/filter"):
            httpx.delete(f"{self.api}/automations/{automation['id']}", trust_env=False)
        for name in DEPLOYMENTS:
            for run in self.ask("flow_runs/filter", deployments={"name": {"any_": [name]}}):
                httpx.delete(f"{self.api}/flow_runs/{run['id']}", trust_env=False)
        for deployment in self.deployments().values():
            httpx.delete(f"{self.api}/deployments/{deployment['id']}", trust_env=False)


@pytest.fixture(scope="module")
def server(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server after its first bootstrap, with alerts that go to a real HTTP server."""
    server = Server(api, tmp_path_factory.mktemp("bootstrap"))

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.alerts.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as hook:
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        server.said = server.bootstrap("--alert-url", f"http://127.0.0.1:{hook.server_port}/a-secret-path")
        yield server
        server.forget()
        hook.shutdown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a process said that judged a troubled warehouse and loaded into it."""

    health: dict[str, int]
    watching: dict[str, Any]
    warehouse: str


@pytest.fixture(scope="module")
def seen(server: Server) -> Seen:
    store = troubled(server.folder)
    _make_silence_short(server)
    relabel = server.deployments()["relabel"]["id"]
    broken = server.ask(f"deployments/{relabel}/create_flow_run", name="relabel w")
    server.ask(
        f"flow_runs/{broken['id']}/set_state",
        state={"type": "CRASHED", "name": "Crashed", "message": 'killed by "SIGKILL"'},
        force=True,
    )
    past = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    server.ask(
        f"deployments/{relabel}/create_flow_run", state={"type": "SCHEDULED", "state_details": {"scheduled_time": past}}
    )
    said = server.run("-m", "tests.support.watching", store.target)
    health, watching = json.loads(said.splitlines()[-1])
    return Seen(health=health, watching=watching, warehouse=store.target)


def _make_silence_short(server: Server) -> None:
    """Let the time without a pass be the shortest that Prefect knows."""
    (silence,) = [each for each in server.ask("automations/filter") if each["name"] == "Stancewatch: no pass"]
    changed = {name: silence[name] for name in ("description", "enabled", "trigger", "actions")}
    changed["trigger"]["within"] = 10
    answer = httpx.put(
        f"{server.api}/automations/{silence['id']}", json={"name": "Stancewatch: no pass", **changed}, trust_env=False
    )
    assert answer.status_code < 300, answer.text


def test_bootstrap_makes_everything_and_twice_is_once(server: Server) -> None:
    assert set(server.deployments()) == DEPLOYMENTS
    assert server.said.count(": made") == 1 + 1 + len(DEPLOYMENTS) + 8  # pool, block, deployments, automations
    assert "a-secret-path" not in server.said
    before = server.state()
    again = server.bootstrap()
    assert "made" not in again
    assert "changed" not in again
    assert server.state() == before


def test_without_a_server_it_says_so() -> None:
    command = [sys.executable, "-m", "flows.cli", "bootstrap", "--api", f"http://127.0.0.1:{unused_port()}/api"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stancewatch: no Prefect server answers at http://127.0.0.1:")


def test_scheduled_runs_really_exist(server: Server) -> None:
    for name in ("every-30-minutes", "maintenance", "source-health"):
        wanted = {"deployments": {"name": {"any_": [name]}}, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        planned = server.wait_for(partial(server.ask, "flow_runs/filter", **wanted))
        assert all(run["auto_scheduled"] for run in planned)


def test_deployments_are_forms_that_explain_themselves(server: Server) -> None:
    for name, deployment in server.deployments().items():
        assert deployment["version"].startswith("0.")
        assert {"stancewatch"} < set(deployment["tags"])
        assert deployment["enforce_parameter_schema"]
        for parameter, schema in deployment["parameter_openapi_schema"]["properties"].items():
            assert schema.get("description"), f"{name}: {parameter}"
    forms = {name: each["parameter_openapi_schema"]["properties"] for name, each in server.deployments().items()}
    assert forms["source-health"]["tell"]["items"]["enum"] == ["gone", "dark", "failing", "low", "high"]
    assert {"minimum": 1, "type": "integer"} in forms["every-30-minutes"]["limit"]["anyOf"]
    strategies = {
        name: each["concurrency_options"]["collision_strategy"] for name, each in server.deployments().items()
    }
    assert {name for name, strategy in strategies.items() if strategy == "ENQUEUE"} == {"backfill", "publish"}


def test_what_source_health_finds_is_alerted(server: Server, seen: Seen) -> None:
    assert seen.health == {"dark": 1, "ok": 1}
    (dark,) = server.wait_for(lambda: server.said_of("source dark"))
    assert dark == "1 outlets are newly dark: O1 (XX); 1 are dark in all"
    (growing,) = server.wait_for(lambda: server.said_of("quarantine growing"))
    assert growing == "12 entries went into quarantine in 24 hours, usual are 0 a day: 12 timeout"
    (language,) = server.wait_for(lambda: server.said_of("language share shifted"))
    assert "pt 0 → 80 %" in language
    (model,) = server.wait_for(lambda: server.said_of("model drift"))
    assert model.startswith("stance binding_rules shifted by 0.45")


def test_a_run_that_crashed_or_is_late_is_alerted(server: Server, seen: Seen) -> None:
    (crashed,) = server.wait_for(lambda: server.said_of("run failed or crashed"))
    assert crashed == 'relabel w: Crashed killed by "SIGKILL"'
    assert server.wait_for(lambda: server.said_of("run late"))[0].startswith("A run of ")


def test_no_pass_in_the_time_is_alerted(server: Server, seen: Seen) -> None:
    assert server.wait_for(lambda: server.said_of("no pass"))[0].startswith("No pass has ended")


def test_a_load_starts_publish_for_its_warehouse(server: Server, seen: Seen) -> None:
    wanted = {"deployments": {"name": {"any_": ["publish"]}}}
    (run,) = server.wait_for(lambda: server.ask("flow_runs/filter", **wanted))
    assert run["parameters"] == {"warehouse": seen.warehouse}


def test_source_health_leaves_its_tables(server: Server, seen: Seen) -> None:
    wanted = {"flow_runs": {"name": {"any_": ["source health of w"]}}}
    artifacts = {each["key"]: each for each in server.ask("artifacts/filter", **wanted)}
    assert set(artifacts) == {"source-health", "failing-sources", "drift", "quarantine"}
    (row,) = json.loads(artifacts["source-health"]["data"])
    assert (row["outlet"], row["status"]) == ("O1", "dark")


def test_progress_is_an_artifact_where_the_end_is_known(server: Server, seen: Seen) -> None:
    (flow_run,) = server.ask("flow_runs/filter", flows={"name": {"any_": ["watching"]}})
    (artifact,) = server.ask("artifacts/filter", flow_runs={"id": {"any_": [flow_run["id"]]}})
    assert (artifact["key"], artifact["type"], artifact["data"]) == ("progress-of-fetching-pages", "progress", 75.0)
    assert artifact["description"].startswith("fetching pages: 3 of 4")


def test_what_may_pass_is_tried_again_and_what_may_not_fails_at_once(seen: Seen) -> None:
    assert seen.watching == {"stored": "stored", "full": "FAILED", "tried": {"busy": 3, "full": 1}}

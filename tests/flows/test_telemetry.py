"""OpenTelemetry through a real receiver on loopback: a pass as one trace, its figures as metrics, and the dashboard over them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from flows.demo_web import demo_web
from flows.telemetry import GAUGES, telemetry
from pipeline.errors import ConfigError
from pipeline.feeds import feeds_toml
from pipeline.settings import Settings, load_settings
from tests.support.otlp import Receiver, attributes, receiving

ROOT = Path(__file__).parents[2]
SUFFIX = {"s": "_seconds", "By": "_bytes"}  # what Prometheus adds for a unit; one in braces adds nothing
PASS = "from flows.commands.passes import one_pass; import sys; one_pass(sys.argv[1], sys.argv[2], True, None)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    received: Receiver
    warehouse: Path
    hosts: list[str]
    said: str  # what the pass printed
    kept: str  # what Prefect keeps of it: runs with parameters, task runs, log lines, artifacts


@pytest.fixture(scope="module")
def seen(api: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One pass over one feed of the demo's web, in a process of its own."""
    folder = tmp_path_factory.mktemp("telemetry")
    with demo_web() as (feeds, hosts), receiving() as received:
        (folder / "feeds.toml").write_text(feeds_toml(feeds[:1]), encoding="utf-8")
        environment = {
            **os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "home"),
            "STANCEWATCH_ALLOW_HOSTS": json.dumps(hosts), "STANCEWATCH_TELEMETRY": received.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20let-me-in",
            **dict.fromkeys(("PGPASSWORD", "AWS_SECRET_ACCESS_KEY"), "open-sesame"),
        }  # fmt: skip
        command = [sys.executable, "-c", PASS, str(folder / "feeds.toml"), str(folder / "w.duckdb")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        kinds = ("flow_runs", "task_runs", "logs", "artifacts")
        kept = {
            kind: httpx.post(f"{api}/{kind}/filter", json={"limit": 200}, trust_env=False, timeout=60).json()
            for kind in kinds
        }
        assert all(kept.values()), "else there is nothing to look through"
        return Seen(
            received=received,
            warehouse=folder / "w.duckdb",
            hosts=hosts,
            said=done.stdout + done.stderr,
            kept=json.dumps(kept),
        )


def ask(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_pass_is_one_trace_with_its_stages(seen: Seen) -> None:
    spans = {span.span_id: span for span in seen.received.spans}
    (root,) = [span for span in spans.values() if not span.parent_span_id]
    assert root.name == "ingest"
    assert [(attributes(root)["stancewatch.run_id"],)] == ask(seen.warehouse, "SELECT run_id FROM run")
    assert {span.trace_id for span in spans.values()} == {root.trace_id}
    assert {span.name for span in spans.values()} == {
        "ingest",
        "poll",
        "fetch",
        "extract",
        "label",
        "load",
        "sketch",
        "link",
    }
    for span in spans.values():
        assert span is root or span.parent_span_id in spans
        assert (
            root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= root.end_time_unix_nano
        )


def test_the_same_times_stand_in_the_warehouse(seen: Seen) -> None:
    stored = {name: n for name, n, _ in ask(seen.warehouse, "SELECT stage, batches, seconds FROM run_stage")}
    for name in ("poll", "fetch", "extract", "label", "sketch", "link"):
        assert stored[name] == sum(span.name == name for span in seen.received.spans)
    (histogram,) = [metric for metric in seen.received.metrics if metric.name == "stancewatch.stage.duration"]
    took = {attributes(point)["stage"]: point.sum for point in histogram.histogram.data_points}
    for name, seconds in ask(seen.warehouse, "SELECT stage, seconds FROM run_stage WHERE stage <> 'load'"):
        assert took[str(name)] == pytest.approx(seconds, abs=0.05)
    assert ask(seen.warehouse, "SELECT memory > 100_000_000 FROM run") == [(True,)]


def test_the_gauges_say_what_the_warehouse_says(seen: Seen) -> None:
    entries = ask(seen.warehouse, "SELECT outcome, count(*) FROM entry GROUP BY outcome")
    assert seen.received.gauge("stancewatch.entries") == {(outcome,): n for outcome, n in entries}
    ((loaded, duplicate),) = ask(seen.warehouse, "SELECT loaded, duplicate FROM run")
    items = seen.received.gauge("stancewatch.pass.items")
    assert (items["loaded",], items["duplicate",]) == (loaded, duplicate)
    assert seen.received.gauge("stancewatch.memory")["pass",] > 100_000_000
    assert {name for (name,) in seen.received.gauge("stancewatch.queue.age")} == {
        "pending",
        "quarantine",
        "feeds",
        "spool",
    }


def test_no_address_no_text_and_no_parameter_is_sent_and_the_token_is(seen: Seen) -> None:
    sent = b"".join(seen.received.bodies)
    for word in (*seen.hosts, "feeds.toml", str(seen.warehouse.parent), "let-me-in"):
        assert word.encode() not in sent, word
    assert {headers["authorization"] for headers in seen.received.headers} == {"Bearer let-me-in"}
    assert all(resource["service.name"] == "stancewatch" for resource in seen.received.resources)


def test_secrets_of_the_environment_stand_nowhere(seen: Seen) -> None:
    for secret in ("let-me-in", "open-sesame"):
        assert secret not in seen.said
        assert secret not in seen.kept
        for path in seen.warehouse.parent.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_no_author_is_kept_and_every_file_is_its_owners_alone(seen: Seen) -> None:
    assert ask(seen.warehouse, "SELECT count(*) > 0, count(*) FILTER (len(authors) > 0) FROM document") == [(True, 0)]
    data = [path for path in seen.warehouse.parent.rglob("*") if "home" not in path.parts and path.name != "feeds.toml"]
    assert {path.name for path in data if path.stat().st_mode & 0o077} == set()


def test_the_dashboard_shows_every_metric_and_none_that_there_is_not(seen: Seen) -> None:
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    shown = {
        name
        for panel in board["panels"]
        for each in panel["targets"]
        for name in re.findall(r"\bstancewatch_\w+", each["expr"])
    }
    emitted = set()
    for metric in seen.received.metrics:
        name = metric.name.replace(".", "_") + SUFFIX.get(metric.unit, "")
        emitted |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if metric.HasField("histogram") else {name}
    assert shown == emitted
    assert set(GAUGES) < {metric.name for metric in seen.received.metrics}
    labels = {each for metric in seen.received.metrics for kind in (metric.gauge, metric.histogram) for point in kind.data_points for each in attributes(point)}  # fmt: skip
    used = {
        label
        for panel in board["panels"]
        for each in panel["targets"]
        for label in re.findall(r"{{(\w+)}}", each["legendFormat"])
    }
    assert used <= labels | {"instance"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


FAILS = """
from flows.watch import measured

@measured("fetch")
def fetch():
    raise RuntimeError("https://secret.example/")

fetch()
"""


def test_what_fails_is_named_by_its_kind_alone() -> None:
    with receiving() as received:
        environment = {**os.environ, "STANCEWATCH_TELEMETRY": received.url}
        done = subprocess.run(
            [sys.executable, "-c", FAILS], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    (span,) = received.spans
    assert (span.name, attributes(span)) == ("fetch", {"stage": "fetch", "error.type": "RuntimeError"})
    assert b"secret.example" not in b"".join(received.bodies)


def test_a_receiver_that_is_not_there_or_refuses_costs_no_pass() -> None:
    code = "from flows.watch import measured; measured('fetch')(lambda: print('done'))()"
    with receiving(status=500) as received:
        for url in (received.url, "http://127.0.0.1:9"):
            environment = {**os.environ, "STANCEWATCH_TELEMETRY": url}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
            assert "xport" in done.stderr, "it says so"


def test_it_is_off_by_default_and_loads_nothing_then() -> None:
    code = "import sys; from flows.watch import measured; measured('fetch')(int)(); print([m for m in sys.modules if m.startswith('opentelemetry')])"
    environment = {name: value for name, value in os.environ.items() if name != "STANCEWATCH_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_wrong_address_and_a_missing_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("127.0.0.1:4318", "http://user:secret@127.0.0.1:4318", "ftp://x"):
        with pytest.raises(ConfigError, match="telemetry") as raised:
            load_settings(telemetry=wrong)
        assert "secret" not in str(raised.value)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"pip install 'stancewatch\[otel\]'"):
        telemetry(Settings(telemetry="http://127.0.0.1:9"))

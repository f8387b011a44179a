"""The publish flow: a fresh copy, the report beside it, and its figures as artifacts of the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.report import FULL, summer
from tests.support.store import Store
from warehouse.connect import published_path
from warehouse.query import run_query

RUN = "import sys; from flows.publish import publish; print(publish(sys.argv[1]))"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = summer(tmp_path_factory.mktemp("summer"))
    published_path(store.target).unlink()
    return store


@pytest.fixture(scope="module")
def artifacts(api: str, store: Store) -> dict[str, Any]:
    """Run the flow as a worker does; return the artifacts of the run by key."""
    environment = {**os.environ, "PREFECT_API_URL": api}
    done = subprocess.run(
        [sys.executable, "-c", RUN, store.target], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(published_path(store.target))
    flow = {"name": {"any_": ["publish"]}}
    (run,) = httpx.post(f"{api}/flow_runs/filter", json={"flows": flow}, trust_env=False).json()
    found = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
    return {each["key"]: each for each in httpx.post(f"{api}/artifacts/filter", json=found, trust_env=False).json()}


def test_the_report_lies_beside_the_copy(artifacts: dict[str, Any], store: Store) -> None:
    page = Path(store.target).with_name("w.report.html").read_text(encoding="utf-8")
    assert f'data-mark="{FULL}"' in page


def test_the_artifacts_carry_the_numbers_of_the_queries(artifacts: dict[str, Any], store: Store) -> None:
    assert sorted(artifacts) == ["attention", "coverage", "net-stance"]
    columns, rows = run_query(store.target, "net_stance")
    (net,) = (row[columns.index("net")] for row in rows if row[columns.index("bloc")] == "china")
    shown = json.loads(artifacts["net-stance"]["data"])
    assert [(row["bloc"], row["n"], row["net"]) for row in shown] == [("china", 6, net), ("us", 2, None)]
    columns, rows = run_query(store.target, "daily_share")
    whole = [row[columns.index("pooled_share")] for row in rows]
    assert [row["whole_pooled_share"] for row in json.loads(artifacts["attention"]["data"])] == whole
    assert "30 of 35 outlet days seen whole" in artifacts["attention"]["description"]

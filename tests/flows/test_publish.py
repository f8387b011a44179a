"""The publish flow: a fresh copy, the report beside it, and its figures as artifacts of the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

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
    runs = httpx.post(f"{api}/flow_runs/filter", json={"flows": flow}, trust_env=False).json()
    (run,) = (each for each in runs if each["parameters"].get("warehouse") == store.target)  # others' tests publish too
    found = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
    return {each["key"]: each for each in httpx.post(f"{api}/artifacts/filter", json=found, trust_env=False).json()}


def test_the_report_lies_beside_the_copy(artifacts: dict[str, Any], store: Store) -> None:
    page = Path(store.target).with_name("w.report.html").read_text(encoding="utf-8")
    assert f'data-mark="{FULL}"' in page


def test_the_artifacts_carry_the_numbers_of_the_queries(artifacts: dict[str, Any], store: Store) -> None:
    assert sorted(artifacts) == ["attention", "coverage", "net-stance", "trend"]
    columns, rows = run_query(store.target, "net_stance")
    (net,) = (row[columns.index("net")] for row in rows if row[columns.index("bloc")] == "china")
    shown = json.loads(artifacts["net-stance"]["data"])
    assert [(row["bloc"], row["n"], row["net"]) for row in shown] == [("china", 6, net), ("us", 2, None)]
    columns, rows = run_query(store.target, "daily_share")
    whole = [row[columns.index("pooled_share")] for row in rows]
    assert [row["whole_pooled_share"] for row in json.loads(artifacts["attention"]["data"])] == whole
    assert "30 of 35 outlet days seen whole" in artifacts["attention"]["description"]


def test_the_trend_is_a_picture_of_the_days(artifacts: dict[str, Any], store: Store) -> None:
    _, _, picture = artifacts["trend"]["data"].partition("(data:image/svg+xml;base64,")
    drawing = etree.fromstring(b64decode(picture.removesuffix(")")))
    dots = drawing.findall("{http://www.w3.org/2000/svg}circle")
    columns, rows = run_query(store.target, "daily_share", {"complete": "false"})
    days = [dict(zip(columns, row, strict=True)) for row in rows]
    whole = [day["complete_outlets"] == day["outlets"] for day in days]
    assert [dot.get("fill") != "#fff" for dot in dots] == whole
    heights, top = [float(dot.get("cy", "")) for dot in dots], max(day["pooled_share"] for day in days)
    assert heights == pytest.approx([214 - 200 * day["pooled_share"] / top for day in days], abs=0.1)
    assert (
        f"{days[-1]['pooled_share']:.1%} of {days[-1]['seen']} items on {days[-1]['day']}" in artifacts["trend"]["data"]
    )

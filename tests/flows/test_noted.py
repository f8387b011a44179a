"""Runs of passes that were killed, and passes that Prefect fails: the operator is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Running

from flows import ingest
from flows.commands.passes import one_pass
from flows.noted import NOTE, noted_run
from flows.publish import publish
from pipeline.errors import StancewatchError


def test_the_run_of_a_pass_that_was_killed_is_closed_by_the_next(
    api: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
        states: tuple[State[Any], State[Any]] = (Running(), Completed())
        killed, ended = (client.create_flow_run(publish, state=state) for state in states)
        for run in (killed, ended):
            (tmp_path / NOTE).write_text(str(run.id))
            with noted_run(tmp_path):
                assert (tmp_path / NOTE).read_text() == ""
        found = [client.read_flow_run(run.id).state_name for run in (killed, ended)]
    assert found == ["Crashed", "Completed"]
    assert str(killed.id) in caplog.text
    assert not (tmp_path / NOTE).exists()


@pytest.mark.parametrize("note", ["", "no run", "0b9f4a52-6f0e-4c5e-9d38-2f1a2c7d9e10"])
def test_a_run_that_nobody_knows_stops_no_pass(
    api: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, note: str
) -> None:
    (tmp_path / NOTE).write_text(note)
    with temporary_settings({PREFECT_API_URL: api}), noted_run(tmp_path):
        pass
    assert "could not be closed" in caplog.text


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), RuntimeError("Timed out: ephemeral Prefect API server")]
)
def test_a_pass_that_prefect_fails_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(ingest, "ingest", fail)
    with pytest.raises(StancewatchError, match=r"Prefect cannot be used .*What the pass had stored stays"):
        one_pass(None, "w.duckdb", False, None)


def test_a_defect_is_not_blamed_on_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(ingest, "ingest", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        one_pass(None, "w.duckdb", False, None)

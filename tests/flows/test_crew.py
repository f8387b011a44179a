"""Who extracts and labels: processes or a Dask cluster write the same files as this process, byte for byte; what cannot work says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import stages
from flows.batches import write_fetched
from pipeline.errors import ConfigError, Transient
from pipeline.records import Page
from pipeline.settings import load_settings

CODE = """
import sys
from pathlib import Path
from flows.crew import crew_of
from flows.ingest import extract, label
from pipeline.settings import load_settings

if __name__ == "__main__":  # processes that are spawned import this file
    settings = load_settings()
    with crew_of(settings) as crew:
        work = []
        for folder in sys.argv[1:]:
            extracted = crew.extracting.submit(extract, {"folder": Path(folder)})
            work.append(crew.labelling.submit(label, {"settings": settings, "folder": extracted}))
        print([each.result().name for each in work], crew.ahead)
"""
PAGE = """<html lang="en"><head><title>{title}</title></head><body><article><h1>{title}</h1>
<p>The ministers said on Monday that the United Nations should lead the work on artificial intelligence, and that a new
body of all countries must set the rules. {more}</p><p>Export controls on chips, they argued, divide the world and slow the science that
everybody needs; critics of the plan answered that controls keep the most dangerous systems in responsible hands.</p>
<p>A vote on the draft is planned for the autumn, after two more rounds of talks in Geneva and Nairobi.</p></article></body></html>"""


def fetched(folder: Path, name: str) -> Path:
    """A batch of a page and of one that could not be had, as the fetch stage leaves it."""
    batch = folder / name
    batch.mkdir(parents=True)
    body = PAGE.format(title=f"Ministers call for a body {name}", more=f"It was the {name} meeting.").encode()
    page = Page(
        url=f"https://news.example/{name}", status=200, headers={"content-type": "text/html"}, body=body,
        fetched_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    known = {"feed_id": "f1", "title": None, "published_at": None, "document_id": None, "attempts": 0}
    entries = [{"entry_id": f"{name}{n}", "url": f"https://news.example/{name}", **known} for n in range(2)]
    return write_fetched(batch, entries, [page, Transient("timeout")])


def work(api: str, folder: Path, runner: str, **more: str) -> subprocess.CompletedProcess[str]:
    batches = [str(fetched(folder, name)) for name in ("first", "second")]
    script = folder / "script.py"
    script.write_text(CODE)
    environment = {
        **os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(folder / "home"), "STANCEWATCH_TASK_RUNNER": runner,
        "STANCEWATCH_TASK_WORKERS": "1", "STANCEWATCH_DATA_DIR": str(folder), **more,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, str(script), *batches], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("runner", ["process", "dask"])
def test_whoever_works_the_files_are_the_same(api: str, tmp_path: Path, runner: str) -> None:
    done = work(api, tmp_path, runner)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['first', 'second'] 2"
    for name in ("first", "second"):
        here = stages.label_batch(load_settings(), stages.extract_batch(fetched(tmp_path / "here", name)))
        for file in ("extracted.jsonl", "labelled.jsonl"):
            assert (tmp_path / name / file).read_bytes() == (here / file).read_bytes()
        labels = (tmp_path / name / "labelled.jsonl").read_text().splitlines()
        assert json.loads(labels[1])["relevant"] is True
        assert len(labels) == 2
    assert not list(tmp_path.glob(".shared-*"))


def test_wrong_values_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="task_runner: Input should be 'thread', 'process' or 'dask'"):
        load_settings(task_runner="ray")
    with pytest.raises(ConfigError, match="dask_address: String should match"):
        load_settings(task_runner="dask", dask_address="http://scheduler/")
    monkeypatch.setenv("STANCEWATCH_DASK_ADDRESS", "tcp://10.0.0.7:8786")
    with pytest.raises(ConfigError, match="dask_address is set, but task_runner is thread"):
        load_settings()
    assert load_settings(task_runner="dask").dask_address == "tcp://10.0.0.7:8786"

"""The wheel: built here, installed bare in a new environment, used from an empty folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)], check=True, capture_output=True
    )
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_our_rooms_and_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"flows", "pipeline", "warehouse"}
    for needed in ("flows/prefect.yaml", "pipeline/data/feeds.toml", "pipeline/data/codebook.toml",
                   "pipeline/data/model/model.onnx", "pipeline/data/demo/articles.toml", "warehouse/queries/daily_share.sql",
                   "pipeline/data/events.toml", "warehouse/report/marks.sql", "flows/report/templates/report.html",
                   "flows/report/templates/report.css", "flows/report/templates/report.js"):  # fmt: skip
        assert needed in names


def test_the_wheel_works_bare_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    run = [str(home / "bin" / "stancewatch"), "demo", "--dir", "d"]
    done = subprocess.run(
        run,
        cwd=empty,
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Daily share" in done.stdout
    run = [str(home / "bin" / "stancewatch"), "report", "--out", "r", "--warehouse", "d/demo.duckdb"]
    subprocess.run(run, cwd=empty, check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert "net/multilateral/global_south" in (empty / "r" / "report.html").read_text(encoding="utf-8")
    assert (empty / "d" / "demo.published.duckdb").exists()

"""STANCEWATCH_NO_SKIP: what a newcomer sees as a skip is a failure where CI runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = {
    "in a test": "import pytest\ndef test(): pytest.skip('no browser')",
    "by a mark": "import pytest\n@pytest.mark.skipif(True, reason='no browser')\ndef test(): pass",
    "as a module": "import pytest\npytest.importorskip('no_such_module', reason='no browser')\ndef test(): pass",
}
EXPECTED = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test(): assert False"


def outcome(folder: Path, code: str, no_skip: str) -> tuple[int, str]:
    """Run pytest over one file of tests, with our conftest."""
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    (folder / "test_it.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-ra", "--rootdir", str(folder), str(folder)]
    environment = {**os.environ, "STANCEWATCH_NO_SKIP": no_skip}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("code", SKIPS.values(), ids=SKIPS)
def test_a_skip_fails_and_says_why(tmp_path: Path, code: str) -> None:
    status, said = outcome(tmp_path, code, no_skip="1")
    assert status in (1, 2), said
    assert "STANCEWATCH_NO_SKIP is set, but: " in said
    assert "no browser" in said
    assert "skipped" not in said.splitlines()[-1]


def test_without_it_a_skip_stays_visible(tmp_path: Path) -> None:
    status, said = outcome(tmp_path, SKIPS["in a test"], no_skip="")
    assert status == 0
    assert "SKIPPED" in said
    assert "no browser" in said


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    status, said = outcome(tmp_path, EXPECTED, no_skip="1")
    assert status == 0, said
    assert "1 xfailed" in said

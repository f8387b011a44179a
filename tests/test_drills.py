"""Drills do not rot: they import, their faults have their places, the page has a row for each, and one of them runs."""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from drills import table
from drills.__main__ import DRILLS
from drills.victim import ACTIONS, POINTS, struck
from drills.world import leftovers


@pytest.mark.parametrize("point", POINTS)
def test_a_fault_has_its_place(point: str) -> None:
    module, owner, name = POINTS[point]
    holder = import_module(module)
    assert callable(getattr(getattr(holder, owner) if owner else holder, name))


def test_a_call_is_struck_once_and_in_its_turn() -> None:
    hurt = struck(len, 2, "no_memory")
    assert hurt("a") == 1
    with pytest.raises(MemoryError):
        hurt("a")
    assert hurt("a") == 1
    assert set(ACTIONS) >= {"no_room", "no_memory", "unreachable", "hang"}


def test_every_drill_says_its_fault_and_has_a_row_and_none_failed() -> None:
    rows = table.recorded(table.PAGE.read_text(encoding="utf-8"))
    assert list(rows) == [drill.__name__ for drill in DRILLS]
    for drill in DRILLS:
        fault, _, asserted = inspect.cleandoc(drill.__doc__ or "").partition("\n\n")
        assert f"| {' '.join(fault.split())} |" in rows[drill.__name__]
        assert asserted.startswith("Asserted: ")
        assert f"| {table.FAILED} |" not in rows[drill.__name__]


def test_a_row_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\n{table.END}\nafter\n", encoding="utf-8")
    first, second = DRILLS[:2]
    table.write([table.row(second, table.SURVIVED, "a | b\nc")], DRILLS[:2], page)
    assert f"| {table.NOT_RUN} |" in table.recorded(page.read_text(encoding="utf-8"))[first.__name__]
    table.write([table.row(first, table.FAILED, "x")], DRILLS[:2], page)
    text = page.read_text(encoding="utf-8")
    assert list(table.recorded(text)) == [first.__name__, second.__name__]
    assert "| a / b c |" in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_a_victim_dies_where_it_is_struck_and_leaves_what_drills_look_for(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from drills.victim import arm; arm('dropping', 'SIGKILL')\n"
        "from warehouse import spool\n"
        "spool.drop_load(spool.write_load(spool.deal(Path(sys.argv[1])), 'run', 'feeds', {'feed': []}))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == -signal.SIGKILL
    assert len(leftovers(tmp_path)) == 2

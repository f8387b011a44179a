"""What of the docs can be derived is what it would be today: facts of queries, answers over the example, the dictionary."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tools import pages
from tools.dictionary import WORDS
from tools.example.labels import Recorded, codebook, shipped_model, texts
from warehouse.query import list_queries, run_checks

EVERY = 8  # of the recorded labels, one in so many is asked for again
NEAR = 0.02  # of a probability: what two machines may differ by


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    pages.make_example(folder)
    return folder


@pytest.mark.parametrize("page", pages.pages(), ids=lambda path: path.name)
def test_a_page_is_what_the_tool_makes_now(page: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert pages.fresh(text, folder) == text, pages.AGAIN


@pytest.mark.parametrize("page", pages.pages(), ids=lambda path: path.name)
def test_numbers_in_bold_stand_in_an_answer_of_the_page(page: Path) -> None:
    assert pages.loose(page.read_text(encoding="utf-8")) == []


def test_a_number_that_no_answer_has_is_found() -> None:
    text = (
        "<!-- made: facts x -->\n| 0.25 | -3 |\n<!-- end -->\nIt fell from **0.25** to **-3**, not to **3** or **0.2**."
    )
    assert pages.loose(text) == ["3", "0.2"]


def test_the_example_is_a_sound_warehouse(folder: Path) -> None:
    assert run_checks(folder / pages.EXAMPLE) == {}


def test_words_for_columns_are_words_for_columns_that_there_are(folder: Path) -> None:
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    known = {name: {column.strip("`") for column, *_ in pages.columns(name, folder)} for name, _ in list_queries()}
    assert {name: set(said) - known[name] for name, said in words["query"].items() if set(said) - known[name]} == {}
    views = json.loads((Path(__file__).parent / "data" / "views.json").read_text("utf-8"))
    left = {name: set(said) - set(views[name]) - {"from"} for name, said in words["view"].items()}
    assert {name: more for name, more in left.items() if more} == {}


def test_the_shipped_model_still_says_what_was_recorded() -> None:
    model, recorded = shipped_model(), Recorded(codebook())
    assert (model.model_id, model.revision) == (recorded.model_id, recorded.revision)
    some = texts()[::EVERY]
    for now, then in zip(model.label(some), recorded.label(some), strict=True):
        assert now.p_relevant == pytest.approx(then.p_relevant, abs=NEAR)
        for said, known in zip(now.stances, then.stances, strict=True):
            assert (said.p_favor, said.p_against) == pytest.approx((known.p_favor, known.p_against), abs=NEAR)

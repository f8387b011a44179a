"""Docs as tests: what they name exists, and what exists is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import duckdb
import typer.main

from flows.cli import app
from pipeline.settings import Settings
from warehouse.query import list_queries

ROOT = Path(__file__).parent.parent
TEXTS = {
    path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
ALL = "\n".join(TEXTS.values())


def commands() -> set[str]:
    group = typer.main.get_command(app)
    return set(group.commands)  # type: ignore[attr-defined]


def test_every_command_stands_in_the_readme_and_the_other_way_round() -> None:
    named = set(re.findall(r"`stancewatch ([a-z]+)", ALL)) | set(
        re.findall(r"^\$? ?stancewatch ([a-z]+)", ALL, re.MULTILINE)
    )
    assert named == commands()


def test_every_query_is_documented_and_the_other_way_round() -> None:
    pages = {path.stem: text for path, text in TEXTS.items() if path.parent == ROOT / "docs" / "queries"}
    assert set(pages) == {name for name, _ in list_queries()}
    for name, text in pages.items():
        assert text.startswith(f"# `{name}`\n")
        assert re.findall(r"^<!-- made: (?:facts|answer) (\w+)", text, re.MULTILINE)[:2] == [name, name]
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "How it is computed",
            "A worked answer",
            "What it does not say",
        ]
    for name in re.findall(r"stancewatch query ([a-z_]+)", ALL):
        assert name in {known for known, _ in list_queries()}


def test_every_view_is_documented() -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    views = {path.stem for path in (ROOT / "warehouse" / "views").glob("*.sql")}
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == views


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(Settings.model_fields)


def test_links_inside_the_docs_lead_somewhere() -> None:
    for path, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_the_pinned_database_is_the_installed_one() -> None:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"duckdb=={duckdb.__version__}" in pins

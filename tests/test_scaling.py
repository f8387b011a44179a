"""The scaled-out profile of docs/scaling.md is what a user copies: every setting in it exists, and its shares are whole."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import dask
import distributed
import prefect.settings
import pytest
import yaml  # type: ignore[import-untyped]

from drills.profile import PAGE, blocks
from drills.scaled_out import CONTENT, compare
from pipeline.settings import Settings, load_settings
from tests.support.store import Store


def exists(name: str) -> bool:
    """Whether a variable of the environment is a setting of ours, of Prefect or of Dask."""
    if name.startswith("STANCEWATCH_"):
        return name.removeprefix("STANCEWATCH_").lower() in Settings.model_fields
    if name.startswith("PREFECT_"):
        return hasattr(prefect.settings, name)
    place = name.removeprefix("DASK_").lower().replace("__", ".")
    return distributed.__name__ in place and dask.config.get(place, None) is not None


def test_every_setting_of_the_profile_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    profile, _ = blocks()
    named = set(re.findall(r"\b((?:STANCEWATCH|PREFECT|DASK)_\w+)=", PAGE.read_text(encoding="utf-8")))
    assert set(profile) <= named
    assert [name for name in named if not exists(name)] == []
    assert not exists("STANCEWATCH_DASK_ADRESS")
    for name, value in profile.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.task_runner == "dask"
    assert settings.warehouse.startswith("ducklake:postgres:")


def test_the_deployments_of_the_profile_are_all_shares_of_a_flow_that_exists() -> None:
    found: list[dict[str, Any]] = yaml.safe_load(blocks()[1])["deployments"]
    shares = [each["work_pool"]["job_variables"]["env"]["STANCEWATCH_SHARE"] for each in found]
    assert shares == [f"{n}/{len(found)}" for n in range(1, len(found) + 1)]
    assert [load_settings(share=share).share for share in shares] == shares
    for each in found:
        module, _, name = each["entrypoint"].partition(":")
        assert callable(getattr(importlib.import_module(module), name))
        assert (
            each["name"]
            == f"share-{each['work_pool']['job_variables']['env']['STANCEWATCH_SHARE'].replace('/', '-of-')}"
        )


def test_the_drill_sees_a_difference(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Store(tmp_path / "other")
    other.load("feeds", outlet=[], feed=[])
    assert compare(filled.target, other.target) is False
    assert capsys.readouterr().out.count("DIFFERENT") >= len(CONTENT) - 2

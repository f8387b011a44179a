"""The events file: what is in it comes out by day; what is wrong with it is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.events import load_events


def test_the_packages_events_are_the_two_of_july_2025() -> None:
    assert [event.day for event in load_events()] == [date(2025, 7, 23), date(2025, 7, 26)]


def test_events_come_in_the_order_of_their_days(tmp_path: Path) -> None:
    path = tmp_path / "events.toml"
    path.write_text(
        '[[event]]\nday = 2026-02-01\nname = "Later"\n[[event]]\nday = 2026-01-01\nname = "峰会"\n', "utf-8"
    )
    assert [event.name for event in load_events(path)] == ["峰会", "Later"]
    path.write_text("", "utf-8")
    assert load_events(path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[event]]\nday = 2026-01-01\n", "name"),
        ("[[event]]\nday = 'soon'\nname = 'x'\n", "day"),
        ("[[event]]\nday = 2026-01-01\nname = 'x'\nplace = 'y'\n", "place"),
        ("[[events]]\nday = 2026-01-01\nname = 'x'\n", r"\[\[event\]\]"),
        ("event = 3", r"\[\[event\]\]"),
        ("event = [3]", "event"),
        ("[[event]", "events.toml"),
        (None, "events.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "events.toml"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=words):
        load_events(path)

"""Dates of feeds: every script read, nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dates import MONTHS, read_date

AT = datetime(2025, 7, 26, 2, 0, tzinfo=UTC)
DAY = datetime(2025, 7, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sat, 26 Jul 2025 10:00:00 +0800",
        "Sat, 26 Jul 25 10:00:00 +0800 (CST)",
        "2025-07-26T10:00:00.25+08:00",
        "Sat, 26 Jul 2025 10:00:00 GMT+8",
        "Sat Jul 26 10:00:00 HKT 2025",
        "Fri, 25 Jul 2025 10:00 PM EDT",
        "2025-07-26 02:00:00",
        "2025/7/26 2:00",
        "2025.07.26 02:00",
        "20250726020000",
        "1753495200",
        "1753495200000",
        "2:00 26.07.2025",
        "26/07/2025 02h00",
        "2025年7月26日 上午 2:00",
        "２０２５年０７月２６日 02时00分",
        "2025년 7월 26일 오전 2:00",
        "26 июля 2025 г., 05:00:00 MSK",
        "Сб, 26 июл 2025 05:00:00 +0300",
        "sáb, 26 jul 2025 04:00:00 +0200",
        "sam. 26 juil. 2025 04:00 CEST",
        "الأحد، 26 يوليو 2025 - 02:00",
        "٢٦/٠٧/٢٠٢٥ ٠٢:٠٠",
        "26 กรกฎาคม 2568 02:00",
        "2025. július 26. 02:00",
        "26 Temmuz 2025 02:00",
        "July 26th, 2025 2:00 a.m.",
    ],
)
def test_one_moment_in_many_scripts(text: str) -> None:
    read = read_date(text)
    assert (read.when, read.doubt) == (AT, None)


@pytest.mark.parametrize(
    "text",
    ["2025-07-26", "26 de julio de 2025", "26. Juli 2025", "26 lipca 2025", "26. července 2025", "26 heinäkuuta 2025",
     "26 липня 2025", "26 luglio 2025", "26-Jul-2025", "July 26, 2025", "2025年07月26日", "26 ก.ค. 2568", "יולי 26 2025"],
)  # fmt: skip
def test_one_day_in_many_languages(text: str) -> None:
    read = read_date(text)
    assert (read.when, read.doubt) == (DAY, None)


@pytest.mark.parametrize(
    "text",
    ["07/08/2025", "26 listopada 2025", "2025", "2025-07", "yesterday", "31 Feb 2025", "2025-13-45", "25:00 26 Jul 2025",
     "26 Jul", "v" * 101, "", "Monday"],
)  # fmt: skip
def test_what_is_not_said_is_not_guessed(text: str) -> None:
    read = read_date(text)
    assert read.when is None
    assert read.doubt


@pytest.mark.parametrize(
    ("zone", "hour", "doubt"),
    [("IST", 5, "India"), ("CST", 16, "China"), ("XYZ", 10, "not known: XYZ"), ("+25:00", 10, "no such time zone")],
)
def test_a_zone_that_is_not_sure_keeps_the_date_with_a_doubt(zone: str, hour: int, doubt: str) -> None:
    read = read_date(f"Sat, 26 Jul 2025 10:30:00 {zone}")
    assert read.when is not None
    assert read.when.hour == hour
    assert read.when.day == 26
    assert doubt in str(read.doubt)


def test_weekdays_that_look_like_months_are_none() -> None:
    assert read_date("mar. 22 juil. 2025").when == datetime(2025, 7, 22, tzinfo=UTC)
    assert read_date("mar, 4 mar 2025 00:00:00 +0000").when == datetime(2025, 3, 4, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2069, 12, 30)))  # noqa: DTZ001
def test_what_mail_and_the_web_write_is_read_exactly(when: datetime) -> None:
    when = when.replace(microsecond=0, tzinfo=UTC)
    month = MONTHS[when.month - 1][:3].title()
    for text in (when.isoformat(), f"{when:%d} {month} {when:%Y %H:%M:%S} +0000", f"{when:%Y年%m月%d日 %H:%M:%S}"):
        assert read_date(text).when == when


@given(st.text(max_size=120))
def test_any_text_is_a_date_or_doubted(text: str) -> None:
    read = read_date(text)
    assert read.when is not None or read.doubt

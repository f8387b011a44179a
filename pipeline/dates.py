"""Dates as feeds write them, in any script: text in, a time in UTC and a doubt out.

What a text does not say is never guessed: a day without a year, a month that two languages mean differently, or
`07/08/2025` have no time, only the reason. A zone that several countries call by one name keeps the time and a doubt.
Names of months come from dateparser's tables, which are read when a text first needs them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import import_module

MAX_TEXT = 100  # characters; no date is longer
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
LANGUAGES = (
    "ar", "bg", "bn", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fa", "fi", "fr", "ga", "gl", "he", "hi",
    "hr", "hu", "id", "is", "it", "ko", "lt", "lv", "mk", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq",
    "sr", "sv", "sw", "th", "tr", "uk", "ur", "vi",
)  # fmt: skip
BUDDHIST = 543  # years that Thai dates are ahead
DIGITAL = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?Z?)?")
UNIX = re.compile(r"(\d{9,10}|\d{13})(?:\.\d+)?")
CLOCK = re.compile(
    r"(?P<early>上午|下午|오전|오후|午前|午後)?\s*(?<!\d)(?P<hour>\d{1,2})\s?[:h时時시点]\s?(?P<minute>\d{2})(?!\d)"
    r"(?:[:分분]\s?(?P<second>\d{2})[秒초]?(?:[.,]\d+)?(?!\d)|[分분])?\s*(?P<late>[ap]\.?\s?m\b\.?|上午|下午|오전|오후)?",
    re.IGNORECASE,
)
OFFSET = re.compile(r"\s*(?:UTC|GMT)?\s?([+\-\u2212])\s?(\d{1,2})(?::?(\d{2}))?(?!\d)", re.IGNORECASE)
ZONE_NAME = re.compile(r"\s*\(?([A-Za-z]{1,5})\b\)?")
YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s*[-/.年년]\s*(\d{1,2})\s*[-/.月월]\s*(\d{1,2})(?!\d)")
YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
TOKEN = re.compile(r"\d+|[^\s\d,/()_\-]+")
BETWEEN = frozenset({"de", "del", "of", "the", "st", "nd", "rd", "th", "er", "º", "ª", ".", "г", "год", "року", "พศ"})
ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 1, "west": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "mesz": 2,
    "mez": 1, "eet": 2, "sast": 2, "cat": 2, "eest": 3, "msk": 3, "eat": 3, "pkt": 5, "wib": 7, "ict": 7, "hkt": 8, "sgt": 8,
    "myt": 8, "awst": 8, "pht": 8, "jst": 9, "kst": 9, "acst": 9.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3,
    "art": -3, "edt": -4, "est": -5, "cdt": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8, "akst": -9, "hst": -10,
}  # fmt: skip
UNSURE_ZONES = {
    "ist": (5.5, "India, Israel or Ireland"),
    "cst": (-6, "America, China or Cuba"),
    "ast": (-4, "the Atlantic or Arabia"),
    "sst": (8, "Singapore or Samoa"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A time in UTC, or None; `doubt` says why there is none, or why it may be wrong by some hours."""

    when: datetime | None
    doubt: str | None = None


def read_date(text: str) -> Reading:
    """Read a date with or without a time of day; without a zone it is taken as UTC, without a time as midnight."""
    try:
        if text[:4].isdigit() and text.isascii() and len(text) in range(10, 33):  # most feeds, and 20 times as fast
            when = datetime.fromisoformat(text)
            return Reading(
                when=(when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
            )
    except (ValueError, OverflowError):
        pass
    try:
        return _read(_plain(text)) if len(text) <= MAX_TEXT else _unknown(text)
    except (ValueError, OverflowError):  # 31 February
        return _unknown(text)


def _plain(text: str) -> str:
    """Return the text with digits of every script as 0 to 9, full-width forms as ASCII, and one kind of space."""
    folded = " ".join(unicodedata.normalize("NFKC", text).split())
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in folded if c not in "\u200e\u200f\u202a\u202c"
    )


def _unknown(text: str, why: str = "not understood") -> Reading:
    return Reading(when=None, doubt=f"{why}: {text[:60]}")


def _read(text: str) -> Reading:
    if found := UNIX.fullmatch(text):
        seconds = int(found[1]) // (1000 if len(found[1]) == 13 else 1)
        return Reading(when=datetime.fromtimestamp(seconds, UTC))
    if found := DIGITAL.fullmatch(text):
        year, month, number, hour, minute, second = (int(part or 0) for part in found.groups())
        return Reading(when=datetime(year, month, number, hour, minute, second, tzinfo=UTC))
    rest, clock, hours, doubt = _time_of_day(text)
    day = _numbered(rest) or _named(rest)
    if not isinstance(day, date):
        return _unknown(text, day or "not understood")
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Reading(when=midnight + clock - timedelta(hours=hours), doubt=doubt)


def _time_of_day(text: str) -> tuple[str, timedelta, float, str | None]:
    """Split off the time: returns the rest, the time since midnight, the hours ahead of UTC, and a doubt about these."""
    found = CLOCK.search(text)
    if not found:
        return text, timedelta(), 0, None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    half = (found["early"] or found["late"] or "").casefold()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[0] == "p" or half in ("下午", "오후", "午後") else 0)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no time of day")
    hours, doubt, end = _zone(text, found.end())
    rest = f"{text[: found.start()]} {text[end:]}"
    return rest, timedelta(hours=hour, minutes=minute, seconds=min(second, 59)), hours, doubt


def _zone(text: str, start: int) -> tuple[float, str | None, int]:
    """Return hours ahead of UTC, a doubt, and where the zone ends."""
    if found := OFFSET.match(text, start):
        hours = (int(found[2]) + int(found[3] or 0) / 60) * (1 if found[1] == "+" else -1)
        if abs(hours) > 14 or int(found[3] or 0) > 59:
            return 0, f"no such time zone: {found[0].strip()}", found.end()
        return hours, None, found.end()
    found = ZONE_NAME.match(text, start)
    name = found[1].casefold() if found else ""
    if not found or _month(name):
        return 0, None, start
    if name in UNSURE_ZONES:
        hours, places = UNSURE_ZONES[name]
        return hours, f"time zone {found[1]} may be that of {places}", found.end()
    known = name in ZONES
    return ZONES.get(name, 0), None if known else f"time zone not known: {found[1]}", found.end() if known else start


def _numbered(text: str) -> date | str | None:
    """Find a day that is all numbers; a string says why it cannot be told."""
    if found := YEAR_FIRST.search(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if not (found := YEAR_LAST.search(text)):
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if found[2] == "." or first > 12 or first == second:  # no country writes month, dot, day
        return date(year, second, first)
    return date(year, first, second) if second > 12 else "day and month cannot be told apart"


def _named(text: str) -> date | str | None:
    """Find a day whose month has a name, with the day before or after it; a string says why it cannot be told."""
    tokens = [word for raw in TOKEN.findall(text) if (word := raw.replace(".", "").casefold()) not in BETWEEN and word]
    why = None
    for place, word in enumerate(tokens):
        months = _month(word)
        if not months or word.isdigit():
            continue
        before = tokens[place - 1] if place else ""
        after, last = ([*tokens[place + 1 : place + 3], "", ""])[:2]
        thai = "\u0e00" <= word[0] <= "\u0e7f"
        for day, year in ((before, after), (after, last), (after, before)):
            if day.isdigit() and year.isdigit() and len(day) <= 2 and len(year) in (2, 4):
                if len(months) > 1:
                    why = f"month {word} differs by language"
                    break
                return date(_year(year, thai), min(months), int(day))
    return why


def _year(digits: str, thai: bool) -> int:
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 70 else 1900)
    return year - BUDDHIST if thai and year > 2400 else year


def _month(word: str) -> frozenset[int]:
    """Return the months that a name means: none, one, or two where languages differ."""
    if word.isascii():
        for number, name in enumerate(MONTHS, 1):
            if word in (name, name[:3]) or (number == 9 and word == "sept"):
                return frozenset({number})
    return _names().get(word, frozenset()) if len(word) > 1 and not word.isdigit() else frozenset()


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[int]]:
    """Names and short forms of months in LANGUAGES, without dots, in lower case."""
    found = defaultdict(set)
    for language in LANGUAGES:
        table = import_module(f"dateparser.data.date_translation_data.{language}").info
        for number, month in enumerate(MONTHS, 1):
            for name in table[month]:
                word = unicodedata.normalize("NFKC", name).replace(".", "").casefold()
                found[word].add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}

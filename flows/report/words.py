"""How the report writes numbers, days and names: plain values in, text for people out."""

from __future__ import annotations

from datetime import date
from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # of no locale
BLOCS = {
    "us": "United States", "china": "China", "eu": "European Union", "europe": "Other Europe", "g7": "Other G7", "brics": "Other BRICS",
    "global_south": "Global South", "international": "International bodies",
}  # fmt: skip
CAPITALS = {"us": "US", "eu": "EU", "un": "UN", "ai": "AI", "china": "China"}
NOTHING = "–"


def named(identifier: Any) -> str:
    """Write an id of the codebook as words: `us_approach` is US approach."""
    words = [CAPITALS.get(word, word) for word in str(identifier).split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def bloc(identifier: Any) -> str:
    """Return the name of a bloc."""
    return BLOCS.get(str(identifier), named(identifier))


def day(value: date) -> str:
    """Write a day, as 26 Jul 2025."""
    return f"{short(value)} {value.year}"


def short(value: date) -> str:
    """Write a day without its year."""
    return f"{value.day} {MONTHS[value.month - 1]}"


def signed(value: float | None, digits: int = 2) -> str:
    """Write a net stance with its sign, and a minus as wide as a plus."""
    if value is None:
        return NOTHING
    return f"{value + 0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Write an interval; nothing where there is none."""
    return "" if low is None or high is None else f"{signed(low, digits)} to {signed(high, digits)}"


def exact(net: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """Write a net stance and its interval as the queries give them, with three digits."""
    return signed(net, 3), interval(low, high, 3)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share of one."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def count(number: Any) -> str:
    """Write a count, its thousands apart."""
    return NOTHING if number is None else f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """Write a count of things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

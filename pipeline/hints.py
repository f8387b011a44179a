"""What servers and feeds say about being asked: headers and the head of a feed's body in, seconds and `Wishes` out.

Everything is bounded and nothing raises: a hint that is not understood is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.schedule import DAY, Wishes

HEAD = 16_384  # bytes: the hints stand before the items
MOST = 366 * DAY
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS = {"hourly": 3600.0, "daily": DAY, "weekly": 7 * DAY, "monthly": 30 * DAY, "yearly": 365 * DAY}
MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})")
ITEM = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
TTL = re.compile(r"<ttl>\s*([0-9]{1,7})\s*</ttl>", re.IGNORECASE)
PERIOD = re.compile(r"<sy:updatePeriod>\s*(\w{1,20})\s*</sy:updatePeriod>", re.IGNORECASE)
FREQUENCY = re.compile(r"<sy:updateFrequency>\s*([0-9]{1,5})\s*</sy:updateFrequency>", re.IGNORECASE)
HOUR = re.compile(r"<hour>\s*([0-9]{1,2})\s*</hour>", re.IGNORECASE)
WEEKDAY = re.compile(r"<day>\s*(\w{6,9})\s*</day>", re.IGNORECASE)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, a number or a date; None where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), MOST)
    try:
        when = parsedate_to_datetime(value)
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MOST)


def max_age(headers: Mapping[str, str]) -> float:
    """Return for how many seconds more an answer may be taken for fresh; 0 where it may not, or does not say."""
    said = headers.get("cache-control", "").lower()
    found = MAX_AGE.search(said)
    if found is None or "no-cache" in said or "no-store" in said:
        return 0.0
    age = headers.get("age", "").strip()
    spent = float(age[:9]) if age.isascii() and age.isdigit() else 0.0
    return min(max(float(found.group(1)) - spent, 0.0), MOST)


def wishes(body: bytes) -> Wishes:
    """Read ttl, skipHours, skipDays and the syndication module's period from the head of an XML feed."""
    head = body[:HEAD].decode("latin-1")
    first = ITEM.search(head)
    head = head[: first.start()] if first else head
    ttl = TTL.search(head)
    return Wishes(
        period=max(float(ttl.group(1)) * 60 if ttl else 0.0, _period(head)),
        skip_hours=frozenset(int(hour) % 24 for hour in HOUR.findall(head) if int(hour) <= 24),
        skip_days=frozenset(DAYS.index(day.lower()) for day in WEEKDAY.findall(head) if day.lower() in DAYS),
    )


def _period(head: str) -> float:
    found = PERIOD.search(head)
    period = PERIODS.get(found.group(1).lower(), 0.0) if found else 0.0
    often = FREQUENCY.search(head)
    return period / max(int(often.group(1)) if often else 1, 1)

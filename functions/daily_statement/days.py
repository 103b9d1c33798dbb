"""Which business days are to be sealed, and what a person may ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS_BACK = 30  # how far the first statement looks for the first entries


class WrongDayError(ValueError):
    """The requested day cannot have a statement; the text says why."""


def requested_day(event: Any, today: date) -> str | None:
    """The day that an invocation by hand names, `{"day": "2026-11-24"}`. Raises WrongDayError."""
    if not isinstance(event, dict):
        raise WrongDayError('the event must be a JSON object such as {"day": "2026-11-24"}')
    if "day" not in event:
        return None
    text = str(event["day"])
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day.isoformat() != text:  # fromisoformat takes 20261124 and 2026-W48-2 too
        raise WrongDayError("day must be a date such as 2026-11-24")
    if day > today:
        raise WrongDayError(f"{text} has not begun yet: today is {today}")
    return text


def due_days(last_sealed: str | None, today: date, has_entries: Callable[[str], bool]) -> list[str]:
    """The days that are over and not sealed, oldest first.

    Before the first statement they begin with the first of the last thirty days that has entries,
    or with yesterday. A new installation needs none for the days before it.
    """
    if last_sealed:
        return _days(date.fromisoformat(last_sealed) + timedelta(1), today)
    recent = _days(today - timedelta(DAYS_BACK), today)
    return recent[next((n for n, day in enumerate(recent[:-1]) if has_entries(day)), -1) :]


def bounds(day: str, zone: ZoneInfo) -> tuple[int, int]:
    """When a business day begins and when it is over, in epoch milliseconds."""
    begin = date.fromisoformat(day)
    return _midnight(begin, zone), _midnight(begin + timedelta(1), zone)


def _days(first: date, until: date) -> list[str]:
    """Without `until`."""
    return [(first + timedelta(each)).isoformat() for each in range((until - first).days)]


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time.min, zone).timestamp() * 1000)

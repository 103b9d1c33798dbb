"""Which business days need a statement: yesterday, days missed before, or one asked for by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from shared.delivery import is_sent
from shared.ledger import RETENTION_SECONDS, PaymentId

DAYS_BACK = 7


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
    if day < today - timedelta(seconds=RETENTION_SECONDS):
        raise WrongDayError(f"{text} is older than the oldest entry the ledger keeps")
    return text


def last_days(today: date) -> list[str]:
    """The last seven days that are over, oldest first."""
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS_BACK, 0, -1)]


def due_days(
    days: Sequence[str],
    deliveries: Mapping[str, Mapping[str, Any]],
    has_entries: Callable[[str], bool],
) -> list[str]:
    """Of `days` (oldest first, the last one yesterday) those whose statement is not sent.

    Statements begin with the first day that has entries or a statement, or with yesterday. A new
    installation needs none for the days before it.
    """
    due = []
    has_begun = False
    for day in days:
        delivery = deliveries.get(statement_id(day, is_final=True))
        has_begun = has_begun or delivery is not None or day == days[-1] or has_entries(day)
        if has_begun and not is_sent(delivery):
            due.append(day)
    return due


def statement_id(day: str, *, is_final: bool) -> PaymentId:
    """The statement's key in AuditDeliveries.

    One made before the day is over has its own id; otherwise the day would never get a final one.
    """
    return PaymentId(f"statement_{day}" if is_final else f"statement_{day}_so_far")

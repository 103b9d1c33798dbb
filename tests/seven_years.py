"""An event whose oldest entries may go, and what a sealed statement certifies of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from functions.daily_statement.rules.certificates import extended
from functions.daily_statement.rules.continuity import BEFORE_THE_FIRST, ChainEnd, Link
from shared.ledger import Head, LedgerEntry, PaymentId
from shared.statements.expiry import NOTHING_EXPIRES, Certificate, last_day_to_certify
from tests.builders import NOW, ZONE, entry
from tests.statements import DAY

LAST_DAY = last_day_to_certify(date.fromisoformat(DAY))  # whose entries DAY's statement certifies


def payment_id(number: int) -> PaymentId:
    return PaymentId(f"pay_{number:032x}")


def at_noon(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).timestamp() * 1000)


def voyage(
    event_id: str = "sunset-charter", *, day: str = DAY, now: int = NOW, older: int = 0
) -> list[LedgerEntry]:
    """Three entries that the statement of `day` certifies, one that the next one does, one of now.

    The first is a payment, the second its void. older: by how many days the three are older.
    """
    last_day = last_day_to_certify(date.fromisoformat(day))
    old, next_day = at_noon(last_day - timedelta(older)), at_noon(last_day + timedelta(1))
    void = {"kind": "void", "voids": payment_id(1), "reason": "other"}
    return follow(
        event_id,
        [
            {"amount_cents": 10_000, "method": "cash", "logged_at": old},
            {"amount_cents": 10_000, "method": "cash", "logged_at": old + 1, **void},
            {"amount_cents": 500, "logged_at": old + 2},
            {"amount_cents": 70, "logged_at": next_day},
            {"amount_cents": 3, "logged_at": now},
        ],
    )


def follow(event_id: str, changes: Sequence[dict[str, Any]]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    head = Head()
    for number, each in enumerate(changes, 1):
        fields: dict[str, Any] = {"event_id": event_id, "payment_id": payment_id(number)}
        if each.get("method") == "cash":
            fields |= {"reference": "", "reference_key": None}
        made = entry(head, timestamp=each["logged_at"], **fields, **each)
        head = Head(seq=made.seq, hash=made.hash, last_logged_at=made.logged_at)
        entries.append(made)
    return entries


def certified(entries: Sequence[LedgerEntry]) -> Certificate:
    """As if all of them were old enough."""
    links = [Link.of(each, each.to_row()) for each in entries]
    end = ChainEnd(seq=entries[-1].seq, hash=entries[-1].hash) if entries else BEFORE_THE_FIRST
    return extended(NOTHING_EXPIRES, links, "9999-12-31", end)

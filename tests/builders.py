"""Ledger entries and stream records like the system's own, for tests to vary."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage
from shared.ledger import EventId, Head, LedgerEntry, PaymentId

ZONE = ZoneInfo("America/New_York")
NOW = 1_764_000_000_000  # 2025-11-24T16:00:00Z


def entry(head: Head | None = None, **changes: Any) -> LedgerEntry:
    fields: dict[str, Any] = {
        "kind": "payment",
        "payment_id": PaymentId("pay_" + "0" * 31 + "1"),
        "event_id": EventId("sunset-charter"),
        "event_name": "Sunset Charter",
        "event_date": "2025-11-28",
        "event_timezone": "America/New_York",
        "patron_email": "jane.doe@example.com",
        "patron_name": "Jane Doe",
        "amount_cents": 12_500,
        "currency": "USD",
        "method": "check",
        "reference": "1042",
        "note": "",
        "timestamp": NOW - 5_000,
        "logged_at": NOW,
        "logged_day": "2025-11-24",
        "logged_by": "admin@shipcaptaincrew.example",
        "logged_by_name": "Marina Castellanos",
        "reference_key": "1042",
    }
    return LedgerEntry(**(fields | changes)).sealed(head or Head(), ZONE)


def message(of: LedgerEntry | None = None) -> AuditMessage:
    return AuditMessage.from_row((of or entry()).to_row())


def stream_record(
    of: LedgerEntry | None = None, *, name: str = "INSERT", number: int = 1
) -> dict[str, Any]:
    return {
        "eventID": f"event-{number}",
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "SequenceNumber": str(number),
            "NewImage": to_attributes((of or entry()).to_row()),
        },
    }

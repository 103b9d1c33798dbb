"""The keys of DynamoDB rows and the names of indexes, written here and nowhere else.

A key function returns the whole primary key, as an item holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Indexes of Payments, each with its partition and sort key.
PAYMENTS_BY_PATRON = "GSI1"  # patron_email, timestamp
PAYMENTS_BY_EVENT = "GSI2"  # event_id, timestamp
PAYMENTS_BY_DAY = "GSI3"  # logged_day, logged_at
PAYMENTS_BY_REFERENCE = "GSI4"  # reference_key, timestamp
EVENTS_BY_DATE = "ByDate"  # of Events: listing, event_date
LISTED = ("listing", "event")  # the one partition of that index

HEAD_PREFIX = "EVENT#"
POINTER_PREFIX = "PAYMENT#"
VOID_PREFIX = "VOID#"
_META = "META"
_PATRON_PREFIX = "PATRON#"

LONGEST_KEY = 2_048  # bytes, DynamoDB's limit for a partition key

Key = dict[str, str]


def is_key(value: Any) -> bool:
    """Whether DynamoDB accepts it as a partition key: one bad key would fail the whole request."""
    try:
        return isinstance(value, str) and 0 < len(value.encode()) <= LONGEST_KEY
    except UnicodeEncodeError:
        return False


def entry_pk(event_id: str, patron_email: str) -> str:
    """The partition of Payments that holds one patron's entries at one event."""
    return f"{event_id}#{patron_email}"


def head(event_id: str) -> Key:
    """Ledger: the number and hash of an event's last entry, and its running totals."""
    return {"PK": f"{HEAD_PREFIX}{event_id}"}


def event_of_head(row: Mapping[str, Any]) -> str:
    return str(row["PK"]).removeprefix(HEAD_PREFIX)


def pointer(payment_id: str) -> Key:
    """Ledger: where in Payments an entry's row is."""
    return {"PK": f"{POINTER_PREFIX}{payment_id}"}


def payment_of_pointer(row: Mapping[str, Any]) -> str:
    return str(row["PK"]).removeprefix(POINTER_PREFIX)


def void_mark(payment_id: str) -> Key:
    """Ledger: this payment is voided, and by which entry."""
    return {"PK": f"{VOID_PREFIX}{payment_id}"}


def payment_of_void_mark(row: Mapping[str, Any]) -> str:
    return str(row["PK"]).removeprefix(VOID_PREFIX)


def number_uses(event_id: str, method: str, reference_key: str) -> Key:
    """Ledger: which entries of the event used this check or trace number."""
    return {"PK": f"NUMBER#{event_id}#{method}#{reference_key}"}


def event_meta(event_id: str) -> Key:
    """Events: the event itself."""
    return {"event_id": event_id, "SK": _META}


def is_event_meta(row: Mapping[str, Any]) -> bool:
    return bool(row["SK"] == _META)


def is_listed(row: Mapping[str, Any]) -> bool:
    """Events: whether the index lists it as an event."""
    name, value = LISTED
    return bool(row.get(name) == value)


def is_patron(row: Mapping[str, Any]) -> bool:
    """Events: whether it is on the event's roster."""
    return str(row["SK"]).startswith(_PATRON_PREFIX)


def address_in(row: Mapping[str, Any]) -> str:
    """Events: what a roster's key says after its prefix; an address, if we wrote it."""
    return str(row["SK"]).removeprefix(_PATRON_PREFIX)


def pacing(user: str) -> Key:
    """AuditDeliveries: how fast all mailers may use this Gmail user's quota."""
    return {"payment_id": f"pacing:{user}"}


def watch() -> Key:
    """AuditDeliveries: where the watch over the mailbox stands, and what it found."""
    return {"payment_id": "watch:mailbox"}


def patron(event_id: str, email: str) -> Key:
    """Events: a patron on the roster. email: in lower case."""
    return {"event_id": event_id, "SK": f"{_PATRON_PREFIX}{email}"}

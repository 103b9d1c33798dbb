"""The ledger entry: one row of the Payments table, its canonical form and its hash.

A row is a flat mapping of strings, integers and lists of strings. Its canonical form is JSON with
sorted keys, no spaces, UTF-8, no escapes beyond JSON's own; its hash is the SHA-256 of that form
without the `hash` attribute. `prev_hash` is part of the row: the entries of an event form a chain.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NewType, TypeAlias

from shared import keys

PaymentId = NewType("PaymentId", str)
EventId = NewType("EventId", str)
Milliseconds: TypeAlias = int  # since the epoch

# As regular expressions.
EVENT_ID = r"[a-z0-9][a-z0-9-]{0,63}"
PAYMENT_ID = r"pay_[0-9a-f]{32}"

GENESIS_HASH = "0" * 64
SCHEMA_VERSION = 1
RETENTION_SECONDS = 2_555 * 24 * 60 * 60  # seven years; DynamoDB's TTL counts in seconds


class MalformedEntryError(ValueError):
    """A Payments row that is not a ledger entry; the text names the attribute."""


def is_event_id(text: str) -> bool:
    return re.fullmatch(EVENT_ID, text) is not None


def is_payment_id(text: str) -> bool:
    return re.fullmatch(PAYMENT_ID, text) is not None


def canonical_json(row: Mapping[str, Any]) -> bytes:
    """The exact bytes that are hashed, mailed and verified."""
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the canonical row without its own `hash`."""
    unsealed = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(canonical_json(unsealed)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of an event's chain: its number (0 before the first) and its hash."""

    seq: int = 0
    hash: str = GENESIS_HASH


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A payment or a void, as written to the ledger.

    amount_cents: integer cents. timestamp, logged_at: epoch milliseconds; timestamp is when the
    form was filled in, logged_at is the server's clock. event_* and patron_name are snapshots: the
    entry stays true when the roster changes.

    This is the one list of a row's attributes: the CSV's columns, the mail's lines and the API's
    document follow it. An attribute whose default is None is left out of rows that have none.
    """

    kind: str
    payment_id: PaymentId
    event_id: EventId
    event_name: str
    event_date: str
    event_timezone: str
    patron_name: str
    patron_email: str
    amount_cents: int
    currency: str
    method: str
    reference: str
    note: str
    timestamp: Milliseconds
    logged_at: Milliseconds
    logged_day: str
    logged_by: str
    expiration_timestamp: int
    voids: PaymentId | None = None
    reason: str | None = None
    acknowledged_duplicates: tuple[PaymentId, ...] = ()
    schema_version: int = SCHEMA_VERSION
    seq: int = 0
    prev_hash: str = GENESIS_HASH
    hash: str = ""

    @property
    def pk(self) -> str:
        return keys.entry_pk(self.event_id, self.patron_email)

    def sealed(self, head: Head) -> LedgerEntry:
        """This entry as the next link after `head`: numbered, linked and hashed."""
        linked = replace(self, seq=head.seq + 1, prev_hash=head.hash, hash="")
        return replace(linked, hash=entry_hash(linked.to_row()))

    def to_row(self) -> dict[str, Any]:
        """The Payments row, keys included. Attributes that are None are left out."""
        row: dict[str, Any] = {"PK": self.pk, "SK": self.timestamp}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                row[field.name] = list(value) if isinstance(value, tuple) else value
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> LedgerEntry:
        """Read a row back. Raises MalformedEntryError."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = row.get(field.name)
            if value is None and field.default is None:
                continue
            if not isinstance(value, _TYPES[str(field.type)]):
                raise MalformedEntryError(
                    f"not a ledger entry: {field.name} is missing or mistyped"
                )
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


_TYPES: Mapping[str, type] = {
    "int": int,
    "Milliseconds": int,
    "str": str,
    "str | None": str,
    "EventId": str,
    "PaymentId": str,
    "PaymentId | None": str,
    "tuple[PaymentId, ...]": list,
}

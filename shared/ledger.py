"""The ledger entry: one row of the Payments table, its canonical form and its hash.

A row is a flat mapping of strings, integers and lists of strings. Its record is the row without
`expiration_timestamp`: that follows from `logged_at`, and a legal hold may postpone or remove it.
The record's canonical form is JSON with sorted keys, no spaces, UTF-8, no escapes beyond JSON's
own; the entry's hash is the SHA-256 of that form without `hash`. `prev_hash` is part of the record:
the entries of an event form a chain.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal, NewType, TypeAlias, get_args

from shared.keys import entry_pk

PaymentId = NewType("PaymentId", str)
EventId = NewType("EventId", str)
Milliseconds: TypeAlias = int  # since the epoch
Kind = Literal["payment", "void", "refund"]
COUNTS: Mapping[str, int] = {"payment": 1, "void": -1, "refund": 0}  # a refunded payment was made

# As regular expressions.
EVENT_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
PAYMENT_ID = r"pay_[0-9a-f]{32}"
EVENT_ID_RULE = (
    "An event's id must have 1 to 64 of the letters a to z and A to Z, digits, dots, hyphens and "
    "underscores, and begin with a letter or a digit."
)

GENESIS_HASH = "0" * 64
SCHEMA_VERSION = 2
EXPIRY = "expiration_timestamp"
NOT_AS_WRITTEN = "the row does not match its hash: it is not what was written"
MOST_ENTRIES = 10**12  # of an event: what a number may not reach
RETENTION_SECONDS = 2_555 * 24 * 60 * 60  # seven years; DynamoDB's TTL counts in seconds


class MalformedEntryError(ValueError):
    """A Payments row that is not a ledger entry; the text names the attribute."""


def is_event_id(text: str) -> bool:
    return re.fullmatch(EVENT_ID, text) is not None


def is_payment_id(text: str) -> bool:
    return re.fullmatch(PAYMENT_ID, text) is not None


def canonical_json(values: Mapping[str, Any]) -> bytes:
    """The exact bytes that are hashed, mailed and verified.

    Raises TypeError or ValueError for a value that no entry has.
    """
    text = json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a row that is mailed and hashed: all but when it expires."""
    return {name: value for name, value in row.items() if name != EXPIRY}


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the canonical record without its own `hash`. Raises as canonical_json."""
    unsealed = {name: value for name, value in record_of(row).items() if name != "hash"}
    return hashlib.sha256(canonical_json(unsealed)).hexdigest()


def matches_its_hash(row: Mapping[str, Any]) -> bool:
    """False also for a row with a value that no entry has: it was not written by us."""
    try:
        return entry_hash(row) == row.get("hash")
    except (TypeError, ValueError):
        return False


def problem_with(row: Mapping[str, Any]) -> str:
    """Why a row is not as it was written, in words; empty for one that is.

    What has a problem is in no sum, and whatever shows it says so.
    """
    return "; ".join(faults_of(row)) or ("" if matches_its_hash(row) else NOT_AS_WRITTEN)


def business_date(moment: Milliseconds, zone: tzinfo) -> date:
    """The day on which a bookkeeper counts this moment."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).date()


def business_day(moment: Milliseconds, zone: tzinfo) -> str:
    """The same as YYYY-MM-DD."""
    return business_date(moment, zone).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of an event's chain: its number (0 before the first), hash and time."""

    seq: int = 0
    hash: str = GENESIS_HASH
    last_logged_at: Milliseconds = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A payment, void or refund, as written to the ledger.

    amount_cents: integer cents, positive for every kind. timestamp, logged_at: epoch milliseconds;
    timestamp is when the form was filled in, logged_at is the server's clock and never runs
    backwards within an event. logged_day: its date in the stack's business zone. event_*,
    patron_name and logged_by_name are snapshots: the entry stays true when the roster changes.
    voids, refunds: the payment that this entry undoes. corrects: the voided payment that this
    payment replaces. reference_key: the reference as numbers are compared (shared.methods).

    This is the one list of a row's attributes: the CSV's columns, the mail's lines and the API's
    document follow it. An attribute whose default is None is left out of rows that have none.
    """

    kind: Kind
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
    logged_by_name: str
    expiration_timestamp: int | None = None
    reference_key: str | None = None
    voids: PaymentId | None = None
    corrects: PaymentId | None = None
    refunds: PaymentId | None = None
    reason: str | None = None
    acknowledged_duplicates: tuple[PaymentId, ...] = ()
    schema_version: int = SCHEMA_VERSION
    seq: int = 0
    prev_hash: str = GENESIS_HASH
    hash: str = ""

    @property
    def pk(self) -> str:
        return entry_pk(self.event_id, self.patron_email)

    @property
    def net_cents(self) -> int:
        """What the entry adds to the money held: voids and refunds take away."""
        return self.amount_cents if self.kind == "payment" else -self.amount_cents

    def sealed(self, head: Head, zone: tzinfo) -> LedgerEntry:
        """This entry as the next link after `head`: dated, numbered, linked and hashed.

        A clock that was set back does not move an entry before the one it follows.
        """
        logged_at = max(self.logged_at, head.last_logged_at)
        linked = replace(
            self,
            logged_at=logged_at,
            logged_day=business_day(logged_at, zone),
            expiration_timestamp=expiry_of(logged_at),
            seq=head.seq + 1,
            prev_hash=head.hash,
            hash="",
        )
        return replace(linked, hash=entry_hash(linked.to_row()))

    @property
    def as_head(self) -> Head:
        return Head(seq=self.seq, hash=self.hash, last_logged_at=self.logged_at)

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
        """Read a row back. Raises MalformedEntryError.

        Whether the row is also what was written is for `faults_of` and its hash to say.
        """
        fault = next(_mistyped(row), None)
        if fault:
            raise MalformedEntryError(f"not a ledger entry: {fault}")
        values = {each.name: row[each.name] for each in fields(cls) if each.name in row}
        values["acknowledged_duplicates"] = tuple(values["acknowledged_duplicates"])
        return cls(**values)


def faults_of(row: Mapping[str, Any]) -> list[str]:
    """Everything about a row or a record that no entry of ours has; empty for a sound one.

    The one strict reading: what verifies, reconciles, states or exports the ledger asks this
    before it believes a row, and goes on with the others.
    """
    faults = [*_mistyped(row), *_surplus(row)]
    return faults or [*_contradictions(row)]


def _mistyped(row: Mapping[str, Any]) -> Iterator[str]:
    for field in fields(LedgerEntry):
        value = row.get(field.name)
        if value is None and field.default is None and field.name not in row:
            continue
        kind = str(field.type).removesuffix(" | None")
        if field.name not in row:
            yield f"{field.name} is missing"
        elif type(value) is not _TYPES[kind] or (
            isinstance(value, list) and not all(isinstance(each, str) for each in value)
        ):
            yield f"{field.name} is not {_WORDS[_TYPES[kind]]}"
        elif field.name == "kind" and value not in get_args(Kind):
            yield "kind is none that the ledger has"


def _surplus(row: Mapping[str, Any]) -> Iterator[str]:
    known = {each.name for each in fields(LedgerEntry)} | {"PK", "SK"}
    for name in sorted(row.keys() - known):
        yield f"{name[:40]} is no attribute of an entry"


def _contradictions(row: Mapping[str, Any]) -> Iterator[str]:
    """Of a row whose attributes all have the right types."""
    if row.get("PK") != entry_pk(row["event_id"], row["patron_email"]):
        yield "PK does not name its event and patron"
    if row.get("SK") != row["timestamp"]:
        yield "SK is not its timestamp"
    if row["amount_cents"] <= 0:
        yield "amount_cents is not positive"
    if not 0 < row["seq"] < MOST_ENTRIES:
        yield "seq is not a number from 1 up"
    for name, kinds in _KINDS_WITH.items():
        if (name in row) > (row["kind"] in kinds):
            yield f"a {row['kind']} has no {name}"
        elif (name in row) < (row["kind"] in kinds) and name != "corrects":
            yield f"{name} is missing"
    if row.get(EXPIRY, expiry_of(row["logged_at"])) < expiry_of(row["logged_at"]):
        yield f"{EXPIRY} is earlier than seven years after logged_at"


def expiry_of(logged_at: Milliseconds) -> int:
    """When DynamoDB may delete an entry, in epoch seconds."""
    return logged_at // 1000 + RETENTION_SECONDS


_KINDS_WITH: Mapping[str, frozenset[str]] = {
    "voids": frozenset({"void"}),
    "refunds": frozenset({"refund"}),
    "reason": frozenset({"void", "refund"}),
    "corrects": frozenset({"payment"}),
}
_TYPES: Mapping[str, type] = {
    "int": int,
    "Milliseconds": int,
    "str": str,
    "Kind": str,
    "EventId": str,
    "PaymentId": str,
    "tuple[PaymentId, ...]": list,
}
_WORDS: Mapping[type, str] = {int: "a whole number", str: "text", list: "a list of text"}

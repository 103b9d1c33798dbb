"""The audit mail: a ledger entry as a person files it and as a machine verifies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.audit_mailer.mails.envelope import (
    Addresses,
    AuditMail,
    Letter,
    Record,
    sealed,
)
from functions.audit_mailer.mails.page import Page, Section
from shared.ledger import LedgerEntry, PaymentId, record_of
from shared.methods import label_of
from shared.text import dollars, search_token

_LABELS = {  # of the attributes that describe a payment; another one is called by its own name
    "event_name": "Event",
    "event_id": "Event id",
    "event_date": "Event date",
    "patron_name": "Patron",
    "patron_email": "Patron e-mail",
    "amount_cents": "Amount",
    "method": "Method",
    "reference": "Reference",
    "note": "Note",
}
_ELSEWHERE = frozenset({  # in another line or section, or for machines
    "kind", "payment_id", "event_timezone", "currency", "timestamp", "logged_at", "logged_day",
    "logged_by", "logged_by_name", "expiration_timestamp", "reference_key", "voids", "corrects",
    "refunds", "reason", "acknowledged_duplicates", "schema_version", "seq", "prev_hash", "hash",
})  # fmt: skip
LONGEST_NAME_IN_SUBJECT = 80
HOW_TO_VERIFY = (
    "The attachment record.json is the ledger row, less its expiry: its SHA-256 is the one above. "
    "Without its hash field, in the same form, the record's SHA-256 is the hash above."
)
HOW_TO_FIND = "Search for {} to find every mail about this payment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Other entries that help explain this one, as far as they were found.

    original, replacement: of a void. numbers: seq of acknowledged duplicates by payment id.
    """

    original: LedgerEntry | None = None
    replacement: LedgerEntry | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)


ALONE = Related()


def compose(row: Mapping[str, Any], addresses: Addresses, related: Related = ALONE) -> AuditMail:
    """The mail about one Payments row. Raises MalformedEntryError.

    `record.json` is the canonical record, byte for byte: Gmail's `send` may rewrite the text of a
    mail, never an attachment. The mail must not contain another mail's token: a search for that
    one, made before it is sent again, would find this one.
    """
    entry = LedgerEntry.from_row(row)
    record = Record.of(record_of(row))
    thread = f"<{entry.voids or entry.payment_id}.thread@{addresses.domain}>"
    headers: dict[str, str] = {"X-SCC-Payment-Id": entry.payment_id}
    if entry.voids:
        voided = f"<{entry.voids}@{addresses.domain}>"
        headers["In-Reply-To"] = voided
        thread += f" {voided}"
    letter = Letter(
        own_id=entry.payment_id,
        subject=_subject(entry),
        written_at=entry.logged_at,
        headers=headers | {"References": thread},
        page=_page(entry, related, record.sha256),
        record=record,
        follows=PaymentId(entry.voids) if entry.voids else None,
    )
    return sealed(letter, addresses)


def _subject(entry: LedgerEntry) -> str:
    patron, event = (_clipped(each) for each in (entry.patron_name, entry.event_name))
    return (
        f"[SCC Audit] {_number(entry)} {dollars(entry.amount_cents)} {_method(entry)} - "
        f"{patron} - {event}"
    )


def _page(entry: LedgerEntry, related: Related, record_sha256: str) -> Page:
    sections = [
        Section(entry.kind.capitalize(), _what(entry, related)),
        Section("Logging", _when(entry)),
        Section("Proof", _proof(entry, record_sha256)),
    ]
    if entry.kind == "void":
        change = Section("What changes", _changes(entry, related), ("Before", "After"))
        sections.insert(0, change)
    of = _number(related.original) if related.original else entry.voids or ""
    return Page(
        heading=f"{dollars(entry.amount_cents)} {_method(entry)}, {entry.patron_name}",
        # Numbers come before names: after a right-to-left name a date would read backwards.
        subheading=f"{_number(entry)}, {entry.event_date}, {entry.event_name}",
        notice=f"This voids {of}: {_reason(entry)}." if entry.voids else "",
        sections=sections,
        closing=[HOW_TO_VERIFY, HOW_TO_FIND.format(entry.voids or entry.payment_id)],
    )


def _what(entry: LedgerEntry, related: Related) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (_LABELS.get(name, _words(name)), _value(entry, name)) for name in _described()
    ]
    if entry.kind != "payment":
        return [*rows, ("Reason", _reason(entry))]
    duplicates = [
        f"#{related.numbers[each]:06d} ({each})" if each in related.numbers else each
        for each in entry.acknowledged_duplicates
    ]
    return [*rows, ("Acknowledged duplicates", ", ".join(duplicates) or "none")]


def _described() -> list[str]:
    """The attributes that describe a payment: those with a label, and all that have no section."""
    names = [each.name for each in fields(LedgerEntry)]
    return [*_LABELS, *(each for each in names if each not in _LABELS.keys() | _ELSEWHERE)]


def _value(entry: LedgerEntry, name: str) -> str:
    match name:
        case "amount_cents":
            return f"{dollars(entry.amount_cents)} {entry.currency}"
        case "method":
            return _method(entry)
        case _:
            return str(getattr(entry, name) or "none")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _when(entry: LedgerEntry) -> list[tuple[str, ...]]:
    return [
        ("Logged by", f"{entry.logged_by_name} ({entry.logged_by})"),
        ("Logged at (server)", _moment(entry.logged_at, "UTC")),
        ("Logged at (event)", _moment(entry.logged_at, entry.event_timezone)),
        ("Captured at", _moment(entry.timestamp, "UTC")),
    ]


def _proof(entry: LedgerEntry, record_sha256: str) -> list[tuple[str, ...]]:
    return [
        ("Entry", f"{_number(entry)} of this event"),
        ("Payment", entry.payment_id),
        *((label, named) for label, named in _others(entry) if named),
        ("Hash", entry.hash),
        ("Previous hash", entry.prev_hash),
        ("SHA-256 of record.json", record_sha256),
        ("Search token", search_token(entry.payment_id)),
    ]


def _others(entry: LedgerEntry) -> list[tuple[str, str | None]]:
    return [
        ("Voided payment", entry.voids),
        ("Refunded payment", entry.refunds),
        ("Replaces the voided payment", entry.corrects),
    ]


def _changes(entry: LedgerEntry, related: Related) -> list[tuple[str, ...]]:
    """The voided payment beside its correction. A void repeats amount, method and patron."""
    before, after = related.original or entry, related.replacement
    number = _number(before) if related.original else "not found"
    return [
        ("Entry", number, _number(after) if after else "none, voided"),
        ("Amount", dollars(before.amount_cents), dollars(after.amount_cents if after else 0)),
        ("Method", label_of(before.method), _method(after) if after else "-"),
        ("Patron", before.patron_name, after.patron_name if after else "-"),
        ("Reference", before.reference or "none", (after.reference or "none") if after else "-"),
    ]


def _number(entry: LedgerEntry) -> str:
    return f"#{entry.seq:06d}"


def _method(entry: LedgerEntry) -> str:
    method = label_of(entry.method)
    return method if entry.kind == "payment" else f"{entry.kind} of {method}"


def _reason(entry: LedgerEntry) -> str:
    return (entry.reason or "no reason given").replace("_", " ")


def _moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ZoneInfoNotFoundError, ValueError):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _clipped(text: str) -> str:
    longest = LONGEST_NAME_IN_SUBJECT
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"

"""The audit mail: a ledger entry as a person files it and as a machine verifies it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.audit_mailer.mails.page import Page, Section, to_html, to_text
from shared.ledger import LedgerEntry, PaymentId, canonical_json
from shared.methods import label_of
from shared.text import BIDI_CONTROLS

LONGEST_NAME_IN_SUBJECT = 80
HOW_TO_VERIFY = (
    "The attachment record.json is the ledger's row, byte for byte, and has the SHA-256 above. "
    "The row without its own hash, in the same form, has the hash above."
)
HOW_TO_FIND = "A search for {} finds every mail that names this payment."


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMail:
    """token: the word in the subject that Gmail's search finds this mail by.

    follows: the payment whose conversation it belongs to, if not one of its own.
    """

    token: str
    message_id: str
    record_sha256: str
    content: bytes
    follows: PaymentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Other entries that help to read this one, as far as the ledger told.

    original, replacement: of a void. numbers: seq of acknowledged duplicates by payment id.
    """

    original: LedgerEntry | None = None
    replacement: LedgerEntry | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)


ALONE = Related()


def search_token(payment_id: str) -> str:
    """One alphanumeric word: Gmail's index splits words at dashes and dots."""
    return "AUD" + hashlib.sha256(payment_id.encode()).hexdigest()[:16]


def compose(
    row: Mapping[str, Any], sender: str, recipient: str, related: Related = ALONE
) -> AuditMail:
    """The mail about one Payments row. Raises MalformedEntryError.

    `record.json` is the canonical row, byte for byte; Gmail's `send` may rewrite the text of a
    mail, never an attachment, so that is where proof lies. The token of another mail must not occur
    in it: a search for that one, before it is sent again, would find this one.
    """
    entry = LedgerEntry.from_row(row)
    record = canonical_json(row)
    record_sha256 = hashlib.sha256(record).hexdigest()
    token = search_token(entry.payment_id)
    domain = Address(addr_spec=sender).domain
    message_id = f"<{entry.payment_id}@{domain}>"
    page = _page(entry, related, record_sha256, token)

    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("SCC Payment Audit", addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = _subject(entry, token)
    mail["Date"] = format_datetime(datetime.fromtimestamp(entry.logged_at // 1000, UTC))
    mail["Message-ID"] = message_id
    mail["List-Id"] = f"<payment-audit.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-SCC-Payment-Id"] = entry.payment_id
    thread = f"<{entry.voids or entry.payment_id}.thread@{domain}>"
    if entry.voids:
        mail["In-Reply-To"] = f"<{entry.voids}@{domain}>"
        thread += f" <{entry.voids}@{domain}>"
    mail["References"] = thread
    mail.set_content(to_text(page), cte="quoted-printable")
    mail.add_alternative(to_html(page), subtype="html", cte="quoted-printable")
    mail.add_attachment(record, maintype="application", subtype="json", filename="record.json")
    return AuditMail(
        token=token,
        message_id=message_id,
        record_sha256=record_sha256,
        content=mail.as_bytes(),
        follows=PaymentId(entry.voids) if entry.voids else None,
    )


def _subject(entry: LedgerEntry, token: str) -> str:
    patron, event = (_clipped(each) for each in (entry.patron_name, entry.event_name))
    return header_line(
        f"[SCC Audit] {_number(entry)} {dollars(entry.amount_cents)} {_method(entry)} - "
        f"{patron} - {event} - {token}"
    )


def _page(entry: LedgerEntry, related: Related, record_sha256: str, token: str) -> Page:
    sections = [
        Section("Void" if entry.kind == "void" else "Payment", _what(entry, related)),
        Section("Logging", _when(entry)),
        Section("Proof", _proof(entry, record_sha256, token)),
    ]
    if entry.kind == "void":
        change = Section("What changes", _changes(entry, related), ("Before", "After"))
        sections.insert(0, change)
    of = _number(related.original) if related.original else entry.voids or ""
    return Page(
        heading=one_line(f"{dollars(entry.amount_cents)} {_method(entry)}, {entry.patron_name}"),
        # Numbers come before names: next to a right-to-left name a date would be turned round.
        subheading=one_line(f"{_number(entry)}, {entry.event_date}, {entry.event_name}"),
        notice=one_line(f"This voids {of}: {_reason(entry)}.") if entry.voids else "",
        sections=[
            Section(each.heading, [_harmless(row) for row in each.rows], each.headers)
            for each in sections
        ],
        closing=[
            HOW_TO_VERIFY,
            HOW_TO_FIND.format(one_line(entry.voids or entry.payment_id)),
        ],
    )


def _what(entry: LedgerEntry, related: Related) -> list[tuple[str, ...]]:
    duplicates = [
        f"#{related.numbers[each]:06d} ({each})" if each in related.numbers else each
        for each in entry.acknowledged_duplicates
    ]
    rows = [
        ("Event", entry.event_name),
        ("Event id", entry.event_id),
        ("Event date", entry.event_date),
        ("Patron", entry.patron_name),
        ("Patron e-mail", entry.patron_email),
        ("Amount", f"{dollars(entry.amount_cents)} {entry.currency}"),
        ("Method", _method(entry)),
        ("Reference", entry.reference or "none"),
        ("Note", entry.note or "none"),
        ("Acknowledged duplicates", ", ".join(duplicates) or "none"),
    ]
    if entry.voids:
        rows[-1] = ("Reason", _reason(entry))
    return [*rows]


def _when(entry: LedgerEntry) -> list[tuple[str, ...]]:
    return [
        ("Logged by", entry.logged_by),
        ("Logged at (server)", _moment(entry.logged_at, "UTC")),
        ("Logged at (event)", _moment(entry.logged_at, entry.event_timezone)),
        ("Captured at", _moment(entry.timestamp, "UTC")),
    ]


def _proof(entry: LedgerEntry, record_sha256: str, token: str) -> list[tuple[str, ...]]:
    return [
        ("Entry", f"{_number(entry)} of this event"),
        ("Payment", entry.payment_id),
        *([("Voided payment", entry.voids)] if entry.voids else []),
        ("Hash", entry.hash),
        ("Previous hash", entry.prev_hash),
        ("SHA-256 of record.json", record_sha256),
        ("Search token", token),
    ]


def _changes(entry: LedgerEntry, related: Related) -> list[tuple[str, ...]]:
    """The voided payment, and what stands in its place. A void repeats amount, method, patron."""
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
    return f"void of {method}" if entry.kind == "void" else method


def _reason(entry: LedgerEntry) -> str:
    return (entry.reason or "no reason given").replace("_", " ")


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"


def _moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ZoneInfoNotFoundError, ValueError):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def header_line(text: str) -> str:
    """Data as a header's value.

    Python's email package decodes what looks like an encoded word (RFC 2047) in a value it is
    given, line breaks included: a name could write headers of its own.
    """
    return one_line(text).replace("=?", "= ?")


def one_line(text: str) -> str:
    """Data as harmless text: no line break, control or direction mark survives."""
    return "".join(
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp"}
        else "\ufffd" if unicodedata.category(each) == "Cs" or each in BIDI_CONTROLS
        else each
        for each in text
    )  # fmt: skip


def _harmless(row: tuple[str, ...]) -> tuple[str, ...]:
    return (row[0], *(one_line(each) for each in row[1:]))


def _clipped(text: str) -> str:
    longest = LONGEST_NAME_IN_SUBJECT
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"

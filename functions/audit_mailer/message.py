"""The audit mail: a ledger entry as a person files it and as a machine verifies it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.ledger import LedgerEntry, canonical_json
from shared.text import BIDI_CONTROLS

METHODS = {"credit_card": "credit card", "cash": "cash", "check": "check", "ach": "ACH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMail:
    """token: the word in the subject that Gmail's search finds this mail by."""

    token: str
    message_id: str
    record_sha256: str
    content: bytes


def search_token(payment_id: str) -> str:
    """One alphanumeric word: Gmail's index splits words at dashes and dots."""
    return "AUD" + hashlib.sha256(payment_id.encode()).hexdigest()[:16]


def compose(row: Mapping[str, Any], sender: str, recipient: str) -> AuditMail:
    """The mail about one Payments row. Raises MalformedEntryError.

    `record.json` is the canonical row, byte for byte; Gmail's `send` may rewrite the text of a
    mail, never an attachment, so that is where proof lies.
    """
    entry = LedgerEntry.from_row(row)
    record = canonical_json(row)
    record_sha256 = hashlib.sha256(record).hexdigest()
    token = search_token(entry.payment_id)
    domain = Address(addr_spec=sender).domain
    message_id = f"<{entry.payment_id}@{domain}>"
    lines = _lines(entry, record_sha256)

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
    mail["References"] = f"<{entry.voids or entry.payment_id}.thread@{domain}>"
    mail.set_content(_text(lines, token), cte="quoted-printable")
    mail.add_alternative(_html(entry, lines, token), subtype="html", cte="quoted-printable")
    mail.add_attachment(record, maintype="application", subtype="json", filename="record.json")
    return AuditMail(
        token=token, message_id=message_id, record_sha256=record_sha256, content=mail.as_bytes()
    )


def _subject(entry: LedgerEntry, token: str) -> str:
    return _one_line(
        f"[SCC Audit] #{entry.seq:06d} {_dollars(entry.amount_cents)} {_method(entry)} - "
        f"{entry.patron_name} - {entry.event_name} - {token}"
    )


def _lines(entry: LedgerEntry, record_sha256: str) -> list[tuple[str, str]]:
    lines = [
        ("Event", f"{entry.event_name} ({entry.event_id})"),
        ("Event date", entry.event_date),
        ("Patron", entry.patron_name),
        ("Patron e-mail", entry.patron_email),
        ("Amount", f"{_dollars(entry.amount_cents)} {entry.currency}"),
        ("Method", _method(entry)),
        ("Reference", entry.reference or "none"),
        ("Note", entry.note or "none"),
        ("Logged by", entry.logged_by),
        ("Logged at (server)", _moment(entry.logged_at, "UTC")),
        ("Logged at (event)", _moment(entry.logged_at, entry.event_timezone)),
        ("Captured at", _moment(entry.timestamp, "UTC")),
        ("Acknowledged duplicates", ", ".join(entry.acknowledged_duplicates) or "none"),
        ("Payment", entry.payment_id),
        ("Entry", f"#{entry.seq:06d} of this event"),
        ("Hash", entry.hash),
        ("Previous hash", entry.prev_hash),
        ("SHA-256 of record.json", record_sha256),
    ]
    if entry.voids:
        lines.insert(0, ("Voids", f"{entry.voids} ({entry.reason})"))
    return [(label, _one_line(value)) for label, value in lines]


def _text(lines: list[tuple[str, str]], token: str) -> str:
    width = max(len(label) for label, _ in lines) + 2
    body = "\n".join(f"{label + ':':<{width}}{value}" for label, value in lines)
    return f"{body}\n\nSearch token: {token}\n"


def _html(entry: LedgerEntry, lines: list[tuple[str, str]], token: str) -> str:
    cell = "padding:4px 12px 4px 0;vertical-align:top;text-align:left"
    rows = "\n".join(
        f'<tr><th scope="row" style="{cell};font-weight:600;white-space:nowrap">{escape(label)}'
        f'</th><td style="{cell};word-break:break-word">{escape(value)}</td></tr>'
        for label, value in lines
    )
    headline = _one_line(f"{_dollars(entry.amount_cents)} {_method(entry)}, {entry.patron_name}")
    return (
        '<!doctype html><html lang="en"><head><meta name="color-scheme" content="light dark">'
        '</head><body style="font-family:Arial,sans-serif;font-size:14px;line-height:1.4">\n'
        f'<h1 style="font-size:18px;margin:0 0 12px">{escape(headline)}</h1>\n'
        f'<table style="border-collapse:collapse" role="presentation">\n{rows}\n</table>\n'
        f'<p style="margin:16px 0 0">Search token: {token}</p>\n</body></html>\n'
    )


def _method(entry: LedgerEntry) -> str:
    method = METHODS.get(entry.method, entry.method)
    return f"void of {method}" if entry.kind == "void" else method


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"


def _moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ZoneInfoNotFoundError, ValueError):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _one_line(text: str) -> str:
    """Data as harmless text: no line break, control or direction mark survives."""
    return "".join(
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp"}
        else "\ufffd" if unicodedata.category(each) == "Cs" or each in BIDI_CONTROLS
        else each
        for each in text
    )  # fmt: skip

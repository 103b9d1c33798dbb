"""The mail about what operators did to messages: the ops record, for people and for machines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from functions.audit_mailer.mails.page import Page, Section, to_html, to_text
from functions.audit_mailer.mails.payment_mail import AuditMail, header_line, one_line, search_token
from shared.ledger import canonical_json

SHOWN_MESSAGES = 200  # the rest is in record.json, and in further parts of the record


def compose_ops(record: Mapping[str, Any], sender: str, recipient: str) -> AuditMail:
    """The mail about one ops record (part 0). Raises TypeError for what is none."""
    for name, kind in (("ops_id", str), ("action", str), ("at", int), ("messages", list)):
        if not isinstance(record.get(name), kind):
            raise TypeError(f"not an ops record: {name} is missing or mistyped")
    ops_id = str(record["ops_id"])
    canonical = canonical_json(record)
    sha256 = hashlib.sha256(canonical).hexdigest()
    domain = Address(addr_spec=sender).domain
    at = datetime.fromtimestamp(record["at"] // 1000, UTC)
    page = _page(record, at, sha256)

    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("SCC Payment Audit", addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = header_line(
        f"[SCC Ops] {record['action']} {record.get('phase')} - {record.get('who')} - "
        f"{search_token(ops_id)}"
    )
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{ops_id}@{domain}>"
    mail["List-Id"] = f"<payment-audit.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-SCC-Ops-Id"] = ops_id
    mail["References"] = f"<{one_line(str(record.get('run', ops_id)))}.thread@{domain}>"
    mail.set_content(to_text(page), cte="quoted-printable")
    mail.add_alternative(to_html(page), subtype="html", cte="quoted-printable")
    mail.add_attachment(canonical, maintype="application", subtype="json", filename="record.json")
    return AuditMail(
        token=search_token(ops_id),
        message_id=str(mail["Message-ID"]),
        record_sha256=sha256,
        content=mail.as_bytes(),
    )


def _page(record: Mapping[str, Any], at: datetime, sha256: str) -> Page:
    counts = record.get("counts") or {}
    outcome = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"
    what = (
        ("Action", record["action"]),
        ("Phase", record.get("phase")),
        ("Outcome", outcome),
        ("Chosen by", record.get("filter")),
        ("Reason", record.get("reason") or "none given"),
    )
    who = (
        ("Who", record.get("who")),
        ("When", at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Stack", record.get("stack")),
    )
    proof = (
        ("Ops record", record["ops_id"]),
        ("SHA-256 of record.json", sha256),
        ("Search token", search_token(str(record["ops_id"]))),
    )
    return Page(
        heading=one_line(f"Operators: {record['action']} {record.get('phase')}"),
        subheading=one_line(outcome),
        notice="",
        sections=[
            Section("What", _harmless(what)),
            Section("Who and when", _harmless(who)),
            Section("Messages", _listed(record["messages"])),
            Section("Proof", _harmless(proof)),
        ],
        closing=[],
    )


def _harmless(rows: Iterable[tuple[str, Any]]) -> list[tuple[str, ...]]:
    return [(label, one_line(str(value))) for label, value in rows]


def _listed(messages: Sequence[Any]) -> list[tuple[str, ...]]:
    shown = [(str(number), str(each)) for number, each in enumerate(messages, start=1)]
    more = len(shown) - SHOWN_MESSAGES
    rest = [("more", f"{more}, see record.json")] if more > 0 else []
    return _harmless(shown[:SHOWN_MESSAGES] + rest)

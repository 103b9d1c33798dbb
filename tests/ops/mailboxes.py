"""Exported mailboxes as the sandbox writes them, with the mails that the mailer composes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email import message_from_bytes
from typing import Any

from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.mbox import mbox_entry
from local.gmail_sandbox.store import StoredMessage
from shared.ledger import Head, LedgerEntry, PaymentId
from tests.builders import NOW, entry

AUDIT = "audit@shipcaptaincrew.example"
ADDRESSES = Addresses(AUDIT, AUDIT)


def chain(count: int, event_id: str = "sunset-charter") -> list[LedgerEntry]:
    """The first entries of an event, sealed one after the other."""
    entries: list[LedgerEntry] = []
    head = Head()
    for number in range(1, count + 1):
        made = entry(
            head,
            payment_id=PaymentId(f"pay_{event_id}_{number}"),
            event_id=event_id,
            patron_name="Séamus O'Brien 李小龍",
            amount_cents=120_000 + number,
            timestamp=NOW + number,
        )
        entries.append(made)
        head = Head(seq=made.seq, hash=made.hash)
    return entries


def mail(row: dict[str, Any]) -> bytes:
    return compose(row, ADDRESSES).content


def mails(entries: Iterable[LedgerEntry]) -> list[bytes]:
    return [mail(each.to_row()) for each in entries]


def statement_mail(day: str, content: bytes, said: str) -> bytes:
    """A daily statement, as far as the verifier reads it."""
    made = message_from_bytes(mail(entry().to_row()))
    del made["X-SCC-Payment-Id"]
    made["X-SCC-Statement"] = day
    text, html, attachment = list(made.walk())[2:]
    for part in (text, html):
        part.set_payload(f"SHA-256 of statement.json: {said}")
        part.replace_header("Content-Transfer-Encoding", "7bit")
    del attachment["Content-Disposition"], attachment["Content-Transfer-Encoding"]
    attachment["Content-Disposition"] = 'attachment; filename="statement.json"'
    attachment.set_payload(content.decode())
    return made.as_bytes()


def mbox(messages: Sequence[bytes]) -> bytes:
    return b"".join(
        mbox_entry(
            StoredMessage(
                seq=number,
                id=str(number),
                mailbox=AUDIT,
                thread_id=str(number),
                sender=AUDIT,
                subject="",
                snippet="",
                internal_date=NOW,
                received_at=NOW,
                raw=raw,
                labels=["INBOX"],
            )
        )
        for number, raw in enumerate(messages)
    )

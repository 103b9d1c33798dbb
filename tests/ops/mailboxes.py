"""Exported mailboxes as the sandbox writes them, with the mails that the mailer composes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from email import message_from_bytes
from typing import Any

from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.ops_mail import compose as ops_of
from functions.audit_mailer.mails.payment_mail import Reissue, compose
from functions.audit_mailer.mails.related import Related, original_id
from functions.audit_mailer.mails.statement_mail import StoredStatement
from functions.audit_mailer.mails.statement_mail import compose as statement_of
from functions.daily_statement.rules.continuity import ChainEnd
from local.gmail_sandbox.mailbox.messages import StoredMessage
from local.gmail_sandbox.mailbox.rewrite import addressed_to, rewrite_for_sending
from local.gmail_sandbox.mbox import mbox_entry
from local.gmail_sandbox.mime import read_mail
from ops.stack.ops_record import Deed
from shared.ledger import Head, LedgerEntry, PaymentId
from tests.builders import NOW, ZONE, entry
from tests.statements import drawn_up, stored

AUDIT = "audit@shipcaptaincrew.example"
ADDRESSES = Addresses(AUDIT, AUDIT)
APP_URL = "https://pay.shipcaptaincrew.example"


def chain(
    count: int, event_id: str = "sunset-charter", *, at: int = NOW, apart: int = 1
) -> list[LedgerEntry]:
    """The first entries of an event, sealed one after the other. at, apart: milliseconds."""
    entries: list[LedgerEntry] = []
    head = Head()
    for number in range(1, count + 1):
        made = entry(
            head,
            payment_id=PaymentId(f"pay_{event_id}_{number}"),
            event_id=event_id,
            patron_name="Séamus O'Brien 李小龍",
            amount_cents=120_000 + number,
            timestamp=at + number * apart,
            logged_at=at + number * apart,
        )
        entries.append(made)
        head = made.as_head
    return entries


def voided(payment: LedgerEntry, head: LedgerEntry, **changes: Any) -> LedgerEntry:
    """The void of a payment, as the next entry after `head`."""
    return replace(
        payment,
        kind="void",
        payment_id=PaymentId(f"pay_void_{head.seq + 1}"),
        voids=payment.payment_id,
        corrects=None,
        reason="wrong_amount",
        timestamp=head.timestamp + 1,
        **changes,
    ).sealed(head.as_head, ZONE)


def corrected(payment: LedgerEntry, void: LedgerEntry, **changes: Any) -> LedgerEntry:
    """What replaces a voided payment, as the next entry after its void."""
    return replace(
        payment,
        payment_id=PaymentId(f"pay_correction_{void.seq + 1}"),
        corrects=payment.payment_id,
        timestamp=void.timestamp + 1,
        logged_at=void.logged_at,
        **changes,
    ).sealed(void.as_head, ZONE)


def refunded(payment: LedgerEntry, head: LedgerEntry, **changes: Any) -> LedgerEntry:
    """The refund of a payment, as the next entry after `head`."""
    return replace(
        payment,
        kind="refund",
        payment_id=PaymentId(f"pay_refund_{head.seq + 1}"),
        refunds=payment.payment_id,
        corrects=None,
        reason="goodwill",
        timestamp=head.timestamp + 1,
        **changes,
    ).sealed(head.as_head, ZONE)


def mail(row: dict[str, Any], known: Iterable[LedgerEntry] = ()) -> bytes:
    """known: entries that it may be about, as the mailer finds them."""
    return compose(row, ADDRESSES, related(LedgerEntry.from_row(row), known), APP_URL).content


def reissued_mail(row: dict[str, Any], run: str) -> bytes:
    """The mail of an entry that was issued again under this name."""
    return compose(row, ADDRESSES, Related(), APP_URL, Reissue(run, NOW)).content


def related(of: LedgerEntry, known: Iterable[LedgerEntry]) -> Related:
    by_id = {each.payment_id: each for each in known if each.event_id == of.event_id}
    chain = {each.prev_hash: each for each in by_id.values()}
    before = {each.hash: each for each in by_id.values()}
    original = by_id.get(original_id(of) or PaymentId(""))
    after = chain.get(of.hash)
    return Related(
        original=original,
        replacement=after if of.voids and after and after.corrects == of.voids else None,
        void=before.get(of.prev_hash) if of.corrects else None,
        earlier=(original.corrects,) if original and original.corrects else (),
        numbers={each.payment_id: each.seq for each in by_id.values()},
    )


def mails(entries: Iterable[LedgerEntry]) -> list[bytes]:
    """All that these entries are about is among them."""
    known = list(entries)
    return [mail(each.to_row(), known) for each in known]


def statement_mail(
    day: str,
    entries: Sequence[LedgerEntry],
    head: LedgerEntry | None,
    ops: Sequence[bytes] = (),
) -> bytes:
    """The day's final statement. entries: of the day. head: of their event.

    ops: the mails of what operators did that day.
    """
    return statement_of(_stored_statement(day, entries, head, ops=ops), ADDRESSES).content


def statement_mails(
    days: Sequence[str], entries: Sequence[LedgerEntry], ops: Sequence[bytes] = ()
) -> list[bytes]:
    """The statements of days that follow each other. entries: of an event, on any of them.

    ops: the mails of what operators did, named by the last one.
    """
    made: list[StoredStatement] = []
    for day in days:
        own = [each for each in entries if each.logged_day == day]
        did = ops if day == days[-1] else ()
        previous = made[-1] if made else None
        made.append(_stored_statement(day, own, entries[-1], previous, ops=did))
    return [statement_of(each, ADDRESSES).content for each in made]


def _stored_statement(
    day: str,
    entries: Sequence[LedgerEntry],
    head: LedgerEntry | None,
    previous: StoredStatement | None = None,
    *,
    ops: Sequence[bytes] = (),
) -> StoredStatement:
    first = min(entries, key=lambda each: each.seq, default=None)
    before = ChainEnd(seq=first.seq - 1, hash=first.prev_hash) if first else None
    rows = [each.to_row() for each in entries]
    head_now = head.as_head if head else None
    made = drawn_up(rows, day, before=before, head=head_now, ops=hashes_of(ops))
    return stored(made, previous)


def ops_mail(ops_id: str = "ops_replay_20251124T160000Z_0a1b2c3d_done", **changes: Any) -> bytes:
    """The mail of what an operator did to a message."""
    deed = Deed(
        run=ops_id.rpartition("_")[0],
        action="replay",
        phase="done",
        who="arn:aws:iam::123456789012:user/grace",
        at=NOW,
        stack="shipcaptaincrew",
        filter="all",
        reason="credential renewed",
        counts={"sent": 1},
        messages=["0a1b pay_1 sent"],
    )
    return ops_of(deed.parts()[0] | changes, ADDRESSES).content


def hashes_of(ops: Iterable[bytes]) -> dict[str, str]:
    """What a statement says of operators' records, by their mails."""
    records = [attachment_of(each) for each in ops]
    return {json.loads(each)["ops_id"]: hashlib.sha256(each).hexdigest() for each in records}


def with_attachment(raw: bytes, content: bytes) -> bytes:
    """The mail with another record."""
    text = raw.replace(b"\r\n", b"\n")
    at = text.index(b"\n\n", text.index(b"Content-Disposition: attachment")) + 2
    end = text.index(b"\n--", at)
    return text[:at] + base64.encodebytes(content).rstrip() + text[end:]


def attachment_of(raw: bytes) -> bytes:
    part = next(each for each in message_from_bytes(raw).walk() if each.get_filename())
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def sent_by_gmail(raw: bytes, at: int = NOW + 3_000) -> bytes:
    """As it arrives after `messages.send`: another Message-ID, Date and plain text."""
    sent = rewrite_for_sending(raw, read_mail(raw), sender=AUDIT, now=at).delivered
    return addressed_to(sent, AUDIT, AUDIT)


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

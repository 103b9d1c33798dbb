"""One mail per ledger entry: the message says which, the ledger says what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from functions.audit_mailer.delivery.courier import (
    Again,
    Courier,
    Outcome,
    PostponeError,
    QuarantineError,
    Try,
)
from functions.audit_mailer.mails import ops_mail, payment_mail, statement_mail
from functions.audit_mailer.mails.envelope import Addresses, AuditMail
from functions.audit_mailer.mails.related import Related, original_id
from shared.audit.messages import (
    AuditMessage,
    Message,
    OpsMessage,
    ReissueMessage,
    StatementMessage,
)
from shared.ledger import LedgerEntry, MalformedEntryError, PaymentId
from shared.statements.places import StatementPlace

MOST_NUMBERED = 5  # acknowledged duplicates whose number is looked up
MOST_EARLIER = 10  # payments that were replaced one after the other
DAY_BEFORE_SECONDS = 60  # how soon to look again whether the day before is mailed


class Ledger(Protocol):
    def row(self, pk: str, sk: int) -> Mapping[str, Any] | None: ...
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def void_of(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def correction_of(self, payment_id: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """logged_at: epoch milliseconds, of the entry or ops record that the mail is about.

    0 for an entry that was mailed before and whose row no longer says.
    """

    outcome: Outcome
    logged_at: int


class OpsRecord(Protocol):
    def record(self, ops_id: str) -> Mapping[str, Any] | None: ...


class Evidence(Protocol):
    def record(self, place: StatementPlace) -> bytes | None: ...
    def signature(self, place: StatementPlace) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMailer:
    """app_url: of the app that mails link to, without a slash at its end; empty: no link."""

    ledger: Ledger
    ops_record: OpsRecord
    evidence: Evidence
    courier: Courier
    addresses: Addresses
    app_url: str = ""

    def deliver(self, message: Message, this_try: Try) -> Delivered:
        """Deliver what the message names. Raises QuarantineError or PostponeError."""
        if isinstance(message, OpsMessage):
            return self._deliver_ops_mail(message.ops_id, this_try)
        if isinstance(message, StatementMessage):
            return self._deliver_statement(message.place, this_try)
        if isinstance(message, ReissueMessage):
            return self._deliver_reissue(message, this_try)
        return self._deliver_entry(message, this_try)

    def _deliver_entry(self, message: AuditMessage, this_try: Try) -> Delivered:
        row = self.ledger.row(message.pk, message.sk)
        if row is None or row.get("payment_id") != message.payment_id:
            raise QuarantineError("poison-no-payment", "the ledger has no such payment")

        def mail() -> AuditMail:
            return payment_mail.compose(row, self.addresses, self._related(row), self.app_url)

        outcome = self.courier.deliver(message.payment_id, mail, this_try)
        return Delivered(outcome, _whole(row.get("logged_at")))

    def _deliver_ops_mail(self, ops_id: str, this_try: Try) -> Delivered:
        record = self.ops_record.record(ops_id)
        if record is None:
            raise QuarantineError("poison-no-record", "there is no such ops record")

        def mail() -> AuditMail:
            return ops_mail.compose(record, self.addresses)

        # A settlement counts once somebody was told: so its mail may be asked for until it is.
        outcome = self.courier.deliver(PaymentId(ops_id), mail, this_try, if_returned=True)
        return Delivered(outcome, _whole(record.get("at")))

    def _deliver_reissue(self, message: ReissueMessage, this_try: Try) -> Delivered:
        """The mail of an entry once more, because an ops record says so.

        The entry's own delivery comes first: if AuditDeliveries has lost it, it is found or made.
        """
        record = self.ops_record.record(message.planned)
        at = record.get("at") if record else None
        if record is None or record.get("action") != "reissue" or type(at) is not int:
            raise QuarantineError("poison-no-record", "no ops record says to issue a mail again")
        row = self.ledger.find(str(record.get("filter")))
        if row is None or row.get("payment_id") != record["filter"]:
            raise QuarantineError("poison-no-payment", "the ledger has no such payment")
        own = AuditMessage.from_row(row)
        self._deliver_entry(own, this_try)
        sent_at = self.courier.deliveries.sent_at_of(own.payment_id) or 0
        reissue = payment_mail.Reissue(message.run, at)

        def mail() -> AuditMail:
            related = self._related(row)
            return payment_mail.compose(row, self.addresses, related, self.app_url, reissue)

        again = Again(sent_at=sent_at, asked_at=reissue.at)
        outcome = self.courier.deliver(message.delivery_id, mail, this_try, again)
        return Delivered(outcome, reissue.at)

    def _deliver_statement(self, place: StatementPlace, this_try: Try) -> Delivered:
        content, signature = self.evidence.record(place), self.evidence.signature(place)
        if content is None or signature is None:
            raise QuarantineError("poison-no-statement", "there is no such statement, or unsigned")
        told = _told(content)
        self._wait_for_the_day_before(place, told.get("previous"))
        stored = statement_mail.StoredStatement(place, content, signature)

        def mail() -> AuditMail:
            return statement_mail.compose(stored, self.addresses)

        outcome = self.courier.deliver(place.delivery_id, mail, this_try)
        return Delivered(outcome, _whole(told.get("made_at")))

    def _wait_for_the_day_before(self, place: StatementPlace, previous: Any) -> None:
        """Statements arrive in their order, unless one of them never will. Raises PostponeError."""
        if not place.final or not isinstance(previous, Mapping):
            return
        day, digest = str(previous.get("day")), str(previous.get("sha256"))
        before = StatementPlace(day=day, final=True, sha256=digest)
        if self.courier.deliveries.state_of(before.delivery_id) not in {"sent", "failed"}:
            raise PostponeError(DAY_BEFORE_SECONDS, f"{before.day} is not mailed yet")

    def _related(self, row: Mapping[str, Any]) -> Related:
        """Raises MalformedEntryError for a bad row. Bad related rows are left out."""
        entry = LedgerEntry.from_row(row)
        about = original_id(entry)
        if about is None:
            known = entry.acknowledged_duplicates[:MOST_NUMBERED]
            duplicates = {each: self._entry(each) for each in known}
            return Related(numbers={name: each.seq for name, each in duplicates.items() if each})
        original = self._before(entry, about)
        return Related(
            original=original,
            replacement=self._replacement(entry, about) if entry.voids else None,
            void=self._void(entry, about) if entry.corrects else None,
            earlier=self._earlier(original),
        )

    def _before(self, entry: LedgerEntry, payment_id: PaymentId) -> LedgerEntry | None:
        """The payment that an entry is about. One that cannot be it is not shown as it."""
        found = self._entry(payment_id)
        is_it = found and found.event_id == entry.event_id and found.seq < entry.seq
        return found if is_it else None

    def _replacement(self, void: LedgerEntry, payment_id: PaymentId) -> LedgerEntry | None:
        """Logged in the void's transaction, as the next in the chain."""
        found = _entry(self.ledger.correction_of(payment_id))
        return found if found and found.prev_hash == void.hash else None

    def _void(self, entry: LedgerEntry, payment_id: PaymentId) -> LedgerEntry | None:
        """Logged in the transaction of what replaces the payment, just before it."""
        void = _entry(self.ledger.void_of(payment_id))
        return void if void and void.hash == entry.prev_hash else None

    def _earlier(self, payment: LedgerEntry | None) -> tuple[PaymentId, ...]:
        """What the payment replaced, and what that one had replaced, oldest first."""
        chain: list[PaymentId] = []
        while payment and payment.corrects and len(chain) < MOST_EARLIER:
            chain.insert(0, payment.corrects)
            payment = self._before(payment, payment.corrects)
        return tuple(chain)

    def _entry(self, payment_id: str) -> LedgerEntry | None:
        found = _entry(self.ledger.find(payment_id))
        return found if found and found.payment_id == payment_id else None


def _told(statement: bytes) -> Mapping[str, Any]:
    """Raises QuarantineError for what is no statement."""
    try:
        told = json.loads(statement)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, Mapping):
        raise QuarantineError("poison-no-statement", "what was sealed there is not a statement")
    return told


def _whole(value: Any) -> int:
    return value if type(value) is int else 0


def _entry(row: Mapping[str, Any] | None) -> LedgerEntry | None:
    try:
        return LedgerEntry.from_row(row) if row else None
    except MalformedEntryError:
        return None

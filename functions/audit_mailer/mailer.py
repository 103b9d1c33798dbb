"""One mail per ledger entry: the message says which, the ledger says what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.audit_mailer.delivery.courier import Courier, Outcome, QuarantineError, Try
from functions.audit_mailer.gmail.failures import DeliveryError, Failure
from functions.audit_mailer.mails import ops_mail, payment_mail
from functions.audit_mailer.mails.envelope import Addresses, AuditMail
from functions.audit_mailer.mails.related import Related, original_id
from shared.ledger import LedgerEntry, MalformedEntryError, PaymentId
from shared.messages import AuditMessage, OpsMessage

INDEX_IS_BEHIND = Failure(
    klass="retry", code="index_is_behind", message="the index by day does not have this void yet"
)
MOST_NUMBERED = 5  # acknowledged duplicates whose number is looked up
MOST_EARLIER = 10  # payments that were replaced one after the other


class Ledger(Protocol):
    def row(self, pk: str, sk: int) -> Mapping[str, Any] | None: ...
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def void_of(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def logged_at(self, day: str, moment: int) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """logged_at: epoch milliseconds, of the entry or ops record that the mail is about.

    0 for an entry that was mailed before and whose row no longer says.
    """

    outcome: Outcome
    logged_at: int


class OpsRecord(Protocol):
    def record(self, ops_id: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMailer:
    """app_url: of the app that mails link to, without a slash at its end; empty: no link."""

    ledger: Ledger
    ops_record: OpsRecord
    courier: Courier
    addresses: Addresses
    app_url: str = ""

    def deliver(self, message: AuditMessage | OpsMessage, this_try: Try) -> Delivered:
        """Deliver the mail of one entry or ops record. Raises QuarantineError or PostponeError."""
        if isinstance(message, OpsMessage):
            return self._deliver_ops_mail(message.ops_id, this_try)
        row = self.ledger.row(message.pk, message.sk)
        if row is None or row.get("payment_id") != message.payment_id:
            raise QuarantineError("poison-no-payment", "the ledger has no such payment")

        def mail() -> AuditMail:
            return payment_mail.compose(row, self.addresses, self._related(row), self.app_url)

        outcome = self.courier.deliver(message.payment_id, mail, this_try)
        logged_at = row.get("logged_at")
        return Delivered(outcome, logged_at if isinstance(logged_at, int) else 0)

    def _deliver_ops_mail(self, ops_id: str, this_try: Try) -> Delivered:
        record = self.ops_record.record(ops_id)
        if record is None:
            raise QuarantineError("poison-no-record", "there is no such ops record")

        def mail() -> AuditMail:
            return ops_mail.compose(record, self.addresses)

        outcome = self.courier.deliver(PaymentId(ops_id), mail, this_try)
        return Delivered(outcome, int(record["at"]))

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
            replacement=self._replacement(entry) if entry.voids else None,
            void=self._void(entry, about) if entry.corrects else None,
            earlier=self._earlier(original),
        )

    def _before(self, entry: LedgerEntry, payment_id: PaymentId) -> LedgerEntry | None:
        """The payment that an entry is about. One that cannot be it is not shown as it."""
        found = self._entry(payment_id)
        is_it = found and found.event_id == entry.event_id and found.seq < entry.seq
        return found if is_it else None

    def _replacement(self, void: LedgerEntry) -> LedgerEntry | None:
        """Logged in the void's transaction, so in its millisecond and next in the chain.

        An index that does not have the void yet may lack what replaces the payment, too: the mail
        waits, rather than say that nothing does.
        """
        siblings = self.ledger.logged_at(void.logged_day, void.logged_at)
        if not any(each.get("payment_id") == void.payment_id for each in siblings):
            raise DeliveryError(INDEX_IS_BEHIND)
        found = (each for each in siblings if each.get("prev_hash") == void.hash)
        replacement = _entry(next(found, None))
        return replacement if replacement and replacement.corrects == void.voids else None

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


def _entry(row: Mapping[str, Any] | None) -> LedgerEntry | None:
    try:
        return LedgerEntry.from_row(row) if row else None
    except MalformedEntryError:
        return None

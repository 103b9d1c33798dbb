"""One mail per ledger entry: the message says which, the ledger says what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.audit_mailer.delivery.courier import Courier, Outcome, QuarantineError, Try
from functions.audit_mailer.mails import ops_mail, payment_mail
from functions.audit_mailer.mails.envelope import Addresses, AuditMail
from functions.audit_mailer.mails.payment_mail import Related
from shared.ledger import LedgerEntry, MalformedEntryError, PaymentId
from shared.messages import AuditMessage, OpsMessage

MOST_NUMBERED = 5  # acknowledged duplicates whose number is looked up


class Ledger(Protocol):
    def row(self, pk: str, sk: int) -> Mapping[str, Any] | None: ...
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...
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
    ledger: Ledger
    ops_record: OpsRecord
    courier: Courier
    addresses: Addresses

    def deliver(self, message: AuditMessage | OpsMessage, this_try: Try) -> Delivered:
        """Deliver the mail of one entry or ops record. Raises QuarantineError or PostponeError."""
        if isinstance(message, OpsMessage):
            return self._deliver_ops_mail(message.ops_id, this_try)
        row = self.ledger.row(message.pk, message.sk)
        if row is None or row.get("payment_id") != message.payment_id:
            raise QuarantineError("poison-no-payment", "the ledger has no such payment")

        def mail() -> AuditMail:
            return payment_mail.compose(row, self.addresses, self._related(row))

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
        if entry.voids:
            siblings = self.ledger.logged_at(entry.logged_day, entry.logged_at)
            next_in_chain = (each for each in siblings if each.get("prev_hash") == entry.hash)
            replacement = _entry(next(next_in_chain, None))
            if replacement and replacement.kind != "payment":
                replacement = None
            original = _entry(self.ledger.find(entry.voids))
            return Related(original=original, replacement=replacement)
        known = entry.acknowledged_duplicates[:MOST_NUMBERED]
        duplicates = {each: _entry(self.ledger.find(each)) for each in known}
        return Related(numbers={name: each.seq for name, each in duplicates.items() if each})


def _entry(row: Mapping[str, Any] | None) -> LedgerEntry | None:
    try:
        return LedgerEntry.from_row(row) if row else None
    except MalformedEntryError:
        return None

"""The history of one payment, from ledger, deliveries, queue and mailbox. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.delivery import is_sent, mail_state
from shared.ledger import entry_hash

MAIL_IS_LATE_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Step:
    """at: epoch ms, or None when the time is not recorded."""

    at: int | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentHistory:
    """row: the ledger's. voided_by: its void's row. voids: the row that this one voids.

    delivery: from AuditDeliveries, empty before the first try. dead_letters: rows of `scc dlq ls`,
    with sent_ms. mails: Gmail ids, or None without a search. now: epoch ms.
    """

    row: Mapping[str, Any]
    delivery: Mapping[str, Any]
    voided_by: Mapping[str, Any]
    voids: Mapping[str, Any]
    dead_letters: Sequence[Mapping[str, Any]]
    mails: Sequence[str] | None
    now: int

    @property
    def is_intact(self) -> bool:
        return bool(entry_hash(self.row) == self.row.get("hash"))

    def steps(self) -> list[Step]:
        """In order of time; steps without a time come last."""
        return sorted(self._steps(), key=lambda step: (step.at is None, step.at or 0))

    def _steps(self) -> Iterator[Step]:
        row, delivery = self.row, self.delivery
        yield Step(int(row["timestamp"]), f"captured by {row['logged_by']}")
        yield Step(int(row["logged_at"]), f"logged as #{row['seq']:06d} of {row['event_id']}")
        error = delivery.get("last_error")
        if error:
            told = f"{error['class']} {error['code']}: {error['message']}"
            yield Step(int(error["at"]), f"try {delivery.get('attempts')} failed, {told}")
        match mail_state(delivery):
            case "sending":
                yield Step(int(delivery["lease_until"]), "the current try has ended by now")
            case "retrying" | "failed":
                yield Step(int(delivery["retry_at"]), "can be tried again")
            case "sent":
                tries = f" on try {delivery['attempts']}" if int(delivery["attempts"]) > 1 else ""
                told = f"mailed{tries}, Gmail id {delivery['gmail_id']}"
                yield Step(int(delivery["sent_at"]), told)
        for letter in self.dead_letters:
            told = f"{letter['class']}: {letter['message']}"
            yield Step(
                letter["sent_ms"], f"queued as {letter['message_id']}, now a dead letter ({told})"
            )
        for mail in self.mails or ():
            yield Step(None, f"in the audit mailbox as {mail}")
        if self.voided_by:
            void = self.voided_by
            told = f"voided by #{void['seq']:06d}, {void['logged_by']}: {void['reason']}"
            yield Step(int(void["logged_at"]), f"{told} {void['note']}".strip())

    def concerns(self) -> list[str]:
        """What needs a person, and the command that helps."""
        found = []
        if not self.is_intact:
            event_id = self.row.get("event_id")
            found.append(
                f"The row was changed after it was logged: run `scc verify --event {event_id}`."
            )
        has_mail = is_sent(self.delivery)
        if self.dead_letters and has_mail:
            found.append(
                "Its mail was sent, but a dead letter is left: `scc dlq replay --id "
                f"{self.row['payment_id']}` removes it."
            )
        elif self.dead_letters:
            found.append(
                "Its message is in the dead-letter queue: fix the cause, then run "
                f"`scc dlq replay --id {self.row['payment_id']}`."
            )
        elif not has_mail and self.now - int(self.row["logged_at"]) > MAIL_IS_LATE_MS:
            found.append("Its mail is late: `scc status` says what the mailer is waiting for.")
        if self.mails is not None and len(self.mails) != int(has_mail):
            found.append(f"The mailbox has {len(self.mails)} mails for it: run `scc reconcile`.")
        return found

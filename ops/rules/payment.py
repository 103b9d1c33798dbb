"""The life of one payment, told from what ledger, deliveries, queue and mailbox hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ledger import entry_hash

LATE_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Step:
    """at: epoch ms, or None where nobody noted when."""

    at: int | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentHistory:
    """row: the ledger's. voided_by, voids: the rows of the void and of what this one voids.

    delivery: of AuditDeliveries, empty before the first try. dead_letters: rows as `scc dlq ls`
    describes them, with sent_ms. mails: Gmail's ids, or None when nobody looked. now: epoch ms.
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
        """In the order in which they happened; what has no time comes last."""
        return sorted(self._steps(), key=lambda step: (step.at is None, step.at or 0))

    def _steps(self) -> Iterator[Step]:
        row, delivery = self.row, self.delivery
        yield Step(int(row["timestamp"]), f"captured by {row['logged_by']}")
        yield Step(int(row["logged_at"]), f"logged as #{row['seq']:06d} of {row['event_id']}")
        error = delivery.get("last_error")
        if error:
            told = f"{error['class']} {error['code']}: {error['message']}"
            yield Step(int(error["at"]), f"try {delivery.get('attempts')} failed, {told}")
        if delivery.get("state") == "sending":
            yield Step(int(delivery["lease_until"]), "the try under way must have ended")
        elif delivery.get("state") == "failed":
            yield Step(int(delivery["retry_at"]), "free to be tried again")
        elif delivery.get("state") == "sent":
            tries = f" at try {delivery['attempts']}" if int(delivery["attempts"]) > 1 else ""
            yield Step(int(delivery["sent_at"]), f"mailed{tries}, Gmail's {delivery['gmail_id']}")
        for letter in self.dead_letters:
            told = f"{letter['class']}: {letter['message']}"
            yield Step(letter["sent_ms"], f"queued as {letter['message_id']}, now dead ({told})")
        for mail in self.mails or ():
            yield Step(None, f"in the audit mailbox as {mail}")
        if self.voided_by:
            void = self.voided_by
            told = f"voided by #{void['seq']:06d}, {void['logged_by']}: {void['reason']}"
            yield Step(int(void["logged_at"]), f"{told} {void['note']}".strip())

    def concerns(self) -> list[str]:
        """What needs a person, with the command that helps."""
        found = []
        if not self.is_intact:
            event_id = self.row.get("event_id")
            found.append(f"The row is not what was logged: run `scc verify --event {event_id}`.")
        is_sent = self.delivery.get("state") == "sent"
        if self.dead_letters and is_sent:
            found.append(
                "Its mail was sent, and a message still lies dead: `scc dlq replay --id "
                f"{self.row['payment_id']}` removes it."
            )
        elif self.dead_letters:
            found.append(
                "Its message lies dead: once the cause is mended, run `scc dlq replay --id "
                f"{self.row['payment_id']}`."
            )
        elif not is_sent and self.now - int(self.row["logged_at"]) > LATE_MS:
            found.append("Its mail is late: `scc status` says what the mailer waits for.")
        if self.mails is not None and len(self.mails) != int(is_sent):
            found.append(f"The mailbox holds {len(self.mails)} mails of it: run `scc reconcile`.")
        return found

"""One mail per ledger entry: the message says which, the ledger says what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from functions.audit_mailer.courier import Courier, Outcome, QuarantineError, Try
from functions.audit_mailer.message import compose
from shared.messages import AuditMessage


class Ledger(Protocol):
    def row(self, pk: str, sk: int) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMailer:
    ledger: Ledger
    courier: Courier
    sender: str
    recipient: str

    def deliver(self, message: AuditMessage, this_try: Try) -> Outcome:
        """Deliver the mail of one entry. Raises QuarantineError or PostponeError."""
        row = self.ledger.row(message.pk, message.sk)
        if row is None or row.get("payment_id") != message.payment_id:
            raise QuarantineError("poison-no-payment", "the ledger holds no such payment")
        return self.courier.deliver(
            message.payment_id, lambda: compose(row, self.sender, self.recipient), this_try
        )

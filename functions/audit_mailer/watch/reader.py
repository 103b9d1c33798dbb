"""The recipient's mailbox, read at the pace that the mailers leave."""

from __future__ import annotations

from dataclasses import dataclass

from functions.audit_mailer.delivery.pacing import READ_UNITS, SEARCH_UNITS
from functions.audit_mailer.gmail.mailbox import FoundMail, Gmail, Receipt
from functions.audit_mailer.gmail.paced import Paced


@dataclass(frozen=True, slots=True)
class PacedReader:
    mailbox: Gmail
    paced: Paced

    def search(self, query: str) -> list[Receipt]:
        """As Gmail.search. Raises DeliveryError or OutOfTimeError."""
        return self.paced.call(SEARCH_UNITS, lambda: self.mailbox.search(query))

    def read(self, gmail_id: str) -> FoundMail | None:
        """As Gmail.read. Raises DeliveryError or OutOfTimeError."""
        return self.paced.call(READ_UNITS, lambda: self.mailbox.read(gmail_id))

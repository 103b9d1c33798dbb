"""One row of an event's export for all that is past its seven years and gone.

The event's totals keep this money, so the file's must, too. What is gone without a certificate is
in no row: it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.api.payments.money import text_from_cents
from shared.ledger import LedgerEntry
from shared.methods import label_of
from shared.statements.bucket import EvidenceDamagedError
from shared.statements.expiry import Certificate, expired

KIND = "expired"
UNREADABLE = "what expired is not known, as the last sealed statement cannot be read"


@dataclass(slots=True)
class ExpiredRow:
    """last_seq: the event's last number, by its head. certificate: reads the event's.

    certificate may raise EvidenceDamagedError.
    """

    event_id: str
    last_seq: Any
    certificate: Callable[[str], Certificate]
    _there: list[LedgerEntry] = field(default_factory=list)

    def take(self, row: Mapping[str, Any], problem: str) -> None:
        """A row of the event. problem: why it is not as it was written; then it counts as gone."""
        if not problem:
            self._there.append(LedgerEntry.from_row(row))

    def cells(self) -> dict[str, str]:
        """By column; empty when nothing expired. Reads a certificate only if a row is gone."""
        if len({each.seq for each in self._there}) == self.last_seq:
            return {}
        name = self._there[0].event_name if self._there else ""
        told = {"kind": KIND, "event_id": self.event_id, "event_name": name, "currency": "USD"}
        try:
            certificate = self.certificate(self.event_id)
        except EvidenceDamagedError as error:
            return told | {"problem": f"{UNREADABLE}: {error}"}
        gone = expired(certificate, self._there)
        if not gone.count:
            return {}
        nets = [
            f"{label_of(name)} {text_from_cents(net)}" for name, net in gone.net_by_method.items()
        ]
        note = (
            f"{gone.count} of the entries #000001 to #{certificate.through_seq:06d}, past their "
            f"seven years as a sealed statement certifies: {', '.join(nets) or 'net 0.00'}"
        )
        return told | {"note": note, "net_amount": text_from_cents(gone.net_cents)}

"""What a bookkeeper should look at: allowed, and still worth a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from functions.daily_statement.rows import LONGEST_ADDRESS, clipped
from shared.ledger import LedgerEntry, PaymentId

LATE_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notable:
    """kind: why. The entry is named by its event, number and id; about: the payment it undoes."""

    kind: str
    event_id: str
    seq: int
    payment_id: PaymentId
    logged_by: str
    amount_cents: int
    method: str
    about: PaymentId | None = None

    def to_record(self) -> dict[str, Any]:
        record = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in record.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """cash_over_cents: from which amount cash is named; 0 names none.

    find: a payment by its id, or None. is_twin: whether the ledger has another payment like a
    voided one, not voided, for the same event, patron and amount.
    """

    cash_over_cents: int
    find: Callable[[PaymentId], LedgerEntry | None]
    has_twin: Callable[[LedgerEntry], bool]

    def look_at(self, entry: LedgerEntry) -> Iterator[Notable]:
        about = entry.voids or entry.refunds
        for kind in self._kinds(entry):
            yield Notable(
                kind=kind,
                event_id=entry.event_id,
                seq=entry.seq,
                payment_id=PaymentId(clipped(entry.payment_id)),
                logged_by=clipped(entry.logged_by, LONGEST_ADDRESS),
                amount_cents=entry.amount_cents,
                method=entry.method,
                about=PaymentId(clipped(about)) if about else None,
            )

    def _kinds(self, entry: LedgerEntry) -> Iterator[str]:
        if entry.voids:
            original = self.find(entry.voids)
            by_the_same = original is not None and original.logged_by == entry.logged_by
            if entry.method == "cash" and by_the_same:
                yield "self_voided_cash"
            if entry.reason == "entered_twice" and original and not self.has_twin(original):
                yield "entered_twice_without_twin"
            return
        if entry.logged_at - entry.timestamp > LATE_MS and not entry.corrects:
            yield "captured_late"
        if entry.acknowledged_duplicates:
            yield "acknowledged_duplicates"
        if entry.method == "cash" and 0 < self.cash_over_cents < entry.amount_cents:
            yield "large_cash"

"""Entries that fit the chain and that the API never writes. Pure rules.

Whoever can write into the tables can append an entry with a sound hash. What it says must still
agree with the other entries, and with the marks that the API leaves with each void.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from functions.daily_statement.rules.continuity import Link
from shared.ledger import LedgerEntry, PaymentId, business_day

Mark = Mapping[str, Any]  # void_id, and correction_id if the payment was replaced

BACK_DATED = "it was logged before an entry that it follows"
WRONG_DAY = "its day is not the day it was logged on"
NOT_THERE = "it {} a payment that is not there"
UNLIKE = "its {} is not that of the payment it {}"
OTHER_VOID = "another entry voids the same payment"
VOIDED = "it refunds a payment that was voided"
LONE = "it replaces a payment that was not voided for it"
_SAME: Mapping[str, tuple[str, ...]] = {
    "voids": ("amount_cents", "method", "patron_email"),
    "refunds": ("patron_email",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """zone: of business days. find: an entry by its id, or None. mark_of: a payment's void mark.

    is_whole: no entry has expired, so what is not found never was there.
    """

    zone: tzinfo
    find: Callable[[PaymentId], LedgerEntry | None]
    mark_of: Callable[[PaymentId], Mark]
    is_whole: bool = True

    def problem_with(self, entry: LedgerEntry) -> str:
        """Of an entry that is as it was written, in words; empty without one."""
        if _day_of(entry, self.zone) != entry.logged_day:
            return WRONG_DAY
        if entry.voids:
            is_other = self.mark_of(entry.voids).get("void_id") != entry.payment_id
            return self._about(entry, entry.voids, "voids") or (OTHER_VOID if is_other else "")
        if entry.refunds:
            was_voided = bool(self.mark_of(entry.refunds))
            return self._about(entry, entry.refunds, "refunds") or (VOIDED if was_voided else "")
        if entry.corrects and self.is_whole:
            is_lone = self.mark_of(entry.corrects).get("correction_id") != entry.payment_id
            return LONE if is_lone else ""
        return ""

    def _about(self, entry: LedgerEntry, payment_id: PaymentId, does: str) -> str:
        payment = self.find(payment_id)
        if payment is None and not self.is_whole:
            return ""
        if payment is None or not _comes_first(payment, entry):
            return NOT_THERE.format(does)
        unlike = (name for name in _SAME[does] if getattr(payment, name) != getattr(entry, name))
        return next((UNLIKE.format(name, does) for name in unlike), "")


def marks_of(entries: Iterable[LedgerEntry]) -> dict[PaymentId, dict[str, str]]:
    """The marks that the API left with these entries of one event: the first void counts."""
    marks: dict[PaymentId, dict[str, str]] = {}
    by_number = sorted(entries, key=lambda each: each.seq)
    for each in by_number:
        if each.voids:
            marks.setdefault(each.voids, {"void_id": each.payment_id})
        if each.corrects:
            marks.get(each.corrects, {}).setdefault("correction_id", each.payment_id)
    return marks


def back_dated(links: Iterable[Link]) -> Iterator[int]:
    """Numbers of sound links that were logged before one that they follow."""
    latest = 0
    for link in sorted((each for each in links if each.is_sound), key=lambda each: each.seq):
        if link.logged_at < latest:
            yield link.seq
        latest = max(latest, link.logged_at)


def _comes_first(payment: LedgerEntry, entry: LedgerEntry) -> bool:
    is_payment = payment.kind == "payment" and payment.event_id == entry.event_id
    return is_payment and payment.seq < entry.seq


def _day_of(entry: LedgerEntry, zone: tzinfo) -> str:
    try:
        return business_day(entry.logged_at, zone)
    except (OverflowError, ValueError, OSError):
        return ""

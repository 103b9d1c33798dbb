"""Entries that fit the chain and that the API never writes. Pure rules.

Whoever can write into the tables can append an entry with a sound hash. What it says must still
agree with the other entries, and with the marks that the API leaves with each void.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from functions.daily_statement.rules.continuity import Link
from shared.ledger import EventId, LedgerEntry, PaymentId, business_day
from shared.methods import foreign

NO_ID = PaymentId("")
Mark = Mapping[str, Any]  # void_id, and correction_id if the payment was replaced

BACK_DATED = "it was logged before an entry that it follows"
WRONG_DAY = "its day is not the day it was logged on"
NOT_THERE = "it {} a payment that is not there"
UNLIKE = "its {} is not that of the payment it {}"
OTHER_VOID = "another entry voids the same payment"
VOIDED = "it refunds a payment that was voided"
REFUNDED = "it voids a payment that was refunded"
OVER = "what was refunded is more than was paid"
LONE = "it replaces a payment that was not voided for it"
_SAME: Mapping[str, tuple[str, ...]] = {
    "voids": ("amount_cents", "method", "patron_email"),
    "refunds": ("patron_email",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """zone: of business days. find: an entry by its id, or None. mark_of: a payment's void mark.

    refunds_of: the sound refunds of a payment, in any order. may_be_gone: whether entries of an
    event may have expired, so that what is not found may have been there.
    """

    zone: tzinfo
    find: Callable[[PaymentId], LedgerEntry | None]
    mark_of: Callable[[PaymentId], Mark]
    refunds_of: Callable[[LedgerEntry], Iterable[LedgerEntry]]
    may_be_gone: Callable[[EventId], bool] = lambda _: False

    def problem_with(self, entry: LedgerEntry) -> str:
        """Of an entry that is as it was written, in words; empty without one."""
        if _day_of(entry, self.zone) != entry.logged_day:
            return WRONG_DAY
        if problem := foreign(entry.currency, entry.method):
            return problem
        if entry.kind == "void":
            return self._of_void(entry, entry.voids or NO_ID)
        if entry.kind == "refund":
            return self._of_refund(entry, entry.refunds or NO_ID)
        return "" if entry.corrects is None else self._of_correction(entry, entry.corrects)

    def _of_void(self, void: LedgerEntry, payment_id: PaymentId) -> str:
        if problem := self._about(void, payment_id, "voids"):
            return problem
        if self.mark_of(payment_id).get("void_id") != void.payment_id:
            return OTHER_VOID
        payment = self.find(payment_id)
        refunds = self.refunds_of(payment) if payment else ()
        return REFUNDED if any(each.seq < void.seq for each in refunds) else ""

    def _of_refund(self, refund: LedgerEntry, payment_id: PaymentId) -> str:
        if problem := self._about(refund, payment_id, "refunds"):
            return problem
        if self._was_voided_before(refund, payment_id):
            return VOIDED
        payment = self.find(payment_id)
        if payment is None:
            return ""
        earlier = {each.seq: each for each in self.refunds_of(payment) if each.seq < refund.seq}
        refunded = sum(each.amount_cents for each in [*earlier.values(), refund])
        return OVER if refunded > payment.amount_cents else ""

    def _was_voided_before(self, refund: LedgerEntry, payment_id: PaymentId) -> bool:
        """If the void follows, it is the void that is impossible."""
        mark = self.mark_of(payment_id)
        void_id = mark.get("void_id")
        void = self.find(PaymentId(void_id)) if isinstance(void_id, str) else None
        is_later = void is not None and void.voids == payment_id and void.seq > refund.seq
        return bool(mark) and not is_later

    def _of_correction(self, entry: LedgerEntry, payment_id: PaymentId) -> str:
        if payment_id and self.may_be_gone(entry.event_id):
            return ""
        mark = self.mark_of(payment_id) if payment_id else {}
        return "" if mark.get("correction_id") == entry.payment_id else LONE

    def _about(self, entry: LedgerEntry, payment_id: PaymentId, does: str) -> str:
        payment = self.find(payment_id) if payment_id else None
        if payment is None and payment_id and self.may_be_gone(entry.event_id):
            return ""
        if payment is None or not _comes_first(payment, entry):
            return NOT_THERE.format(does)
        unlike = (name for name in _SAME[does] if getattr(payment, name) != getattr(entry, name))
        return next((UNLIKE.format(name, does) for name in unlike), "")


def refunds_among(
    entries: Iterable[LedgerEntry],
) -> Callable[[LedgerEntry], Sequence[LedgerEntry]]:
    """What tells the refunds of a payment among these sound entries."""
    refunds: dict[tuple[str, str | None], list[LedgerEntry]] = defaultdict(list)
    for each in entries:
        if each.kind == "refund":
            refunds[each.event_id, each.refunds].append(each)
    return lambda payment: refunds.get((payment.event_id, payment.payment_id), ())


def marks_of(entries: Iterable[LedgerEntry]) -> dict[PaymentId, dict[str, str]]:
    """The marks that the API left with these entries of one event: the first void counts."""
    marks: dict[PaymentId, dict[str, str]] = {}
    by_number = sorted(entries, key=lambda each: each.seq)
    for each in by_number:
        if each.voids is not None:
            marks.setdefault(each.voids, {"void_id": each.payment_id})
        if each.corrects is not None:
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

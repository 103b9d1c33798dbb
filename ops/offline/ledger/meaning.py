"""What the entries of one event mean, alone and together: money, time, voids, refunds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from ops.offline.ledger.links import INTEGRITY, Finding, Link, found
from shared.ledger import business_day


def check_meaning(
    chain: Mapping[int, Link], *, is_whole: bool, zone: tzinfo | None
) -> Iterator[Finding]:
    """Judge only sound entries: what is wrong with the others is said elsewhere.

    chain: by number. is_whole: no entry is missing or unsound, so one that is about nothing is not
    just about one of those. zone: of business days, or None where it is not known.
    """
    sound = [chain[seq] for seq in sorted(chain) if chain[seq].is_sound]
    yield from _times(sound, zone)
    yield from _same_ids(sound)
    payments = {each.payment_id: each for each in sound if each.kind == "payment"}
    history = _History(payments, is_whole=is_whole)
    for link in sound:
        if problem := link.foreign or history.problem_of(link):
            yield found(INTEGRITY, link, f"wrong-{link.kind}", problem)


@dataclass(slots=True)
class _History:
    """What was voided and refunded so far. payments: all of the chain's, by id."""

    payments: Mapping[str, Link]
    is_whole: bool
    voids: dict[str, Link] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)

    def problem_of(self, link: Link) -> str:
        """Of the next entry, or an empty text; then the entry is part of the history."""
        match link.kind:
            case "void":
                problem = self._void_problem(link)
                self.voids.setdefault(link.about, link)
            case "refund":
                self.refunded[link.about] = self.refunded.get(link.about, 0) + link.amount_cents
                problem = self._refund_problem(link)
            case _:
                is_lone = link.about and link.about not in self.voids and self.is_whole
                problem = "it replaces a payment that was not voided before it" if is_lone else ""
        return problem

    def _void_problem(self, link: Link) -> str:
        if link.about in self.voids:
            return f"#{self.voids[link.about].seq:06d} voids the same payment"
        payment = self._before(link)
        if payment is None:
            return "it voids a payment that is not there" if self.is_whole else ""
        if link.about in self.refunded:
            return "it voids a payment that was refunded"
        for name in ("amount_cents", "method", "patron_email"):
            if getattr(payment, name) != getattr(link, name):
                return f"its {name} is not that of the payment it voids, #{payment.seq:06d}"
        return ""

    def _refund_problem(self, link: Link) -> str:
        if link.about in self.voids:
            return f"it refunds a payment that #{self.voids[link.about].seq:06d} voids"
        payment = self._before(link)
        if payment is None:
            return "it refunds a payment that is not there" if self.is_whole else ""
        if payment.patron_email != link.patron_email:
            return f"its patron_email is not that of the payment it refunds, #{payment.seq:06d}"
        if self.refunded[link.about] > payment.amount_cents:
            return f"more was refunded than #{payment.seq:06d} paid"
        return ""

    def _before(self, link: Link) -> Link | None:
        """The payment that the entry is about, if it came first."""
        payment = self.payments.get(link.about)
        return payment if payment and payment.seq < link.seq else None


def _times(sound: list[Link], zone: tzinfo | None) -> Iterator[Finding]:
    latest = 0
    for link in sound:
        if link.logged_at < latest:
            yield found(INTEGRITY, link, "back-dated", "it was logged before an entry it follows")
        elif zone and link.logged_day != _day_of(link, zone):
            yield found(INTEGRITY, link, "back-dated", "its day is not the day it was logged on")
        latest = max(latest, link.logged_at)


def _day_of(link: Link, zone: tzinfo) -> str:
    try:
        return business_day(link.logged_at, zone)
    except (OverflowError, ValueError, OSError):
        return "no day of any calendar"


def _same_ids(sound: list[Link]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for link in sound:
        earlier = first.setdefault(link.payment_id, link.seq)
        if earlier != link.seq:
            yield found(INTEGRITY, link, "same-id", f"#{earlier:06d} has the same payment id")

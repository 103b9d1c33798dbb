"""What the entries of one event mean together: time, voids, corrections, refunds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from ops.offline.links import INTEGRITY, Finding, Link, found
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
    voids: dict[str, Link] = {}
    refunded: dict[str, int] = {}
    for link in sound:
        problem = ""
        if link.kind == "void":
            problem = _void_problem(link, payments, voids, refunded, is_whole=is_whole)
            voids.setdefault(link.about, link)
        elif link.kind == "refund":
            refunded[link.about] = refunded.get(link.about, 0) + link.amount_cents
            problem = _refund_problem(link, payments, voids, refunded, is_whole=is_whole)
        elif link.about and link.about not in voids and is_whole:
            problem = "it replaces a payment that was not voided before it"
        if problem:
            yield found(INTEGRITY, link, f"wrong-{link.kind}", problem)


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


def _void_problem(
    link: Link,
    payments: Mapping[str, Link],
    voids: Mapping[str, Link],
    refunded: Mapping[str, int],
    *,
    is_whole: bool,
) -> str:
    payment = payments.get(link.about)
    if link.about in voids:
        return f"#{voids[link.about].seq:06d} voids the same payment"
    if payment is None or payment.seq >= link.seq:
        return "it voids a payment that is not there" if is_whole else ""
    if link.about in refunded:
        return "it voids a payment that was refunded"
    for name in ("amount_cents", "method", "patron_email"):
        if getattr(payment, name) != getattr(link, name):
            return f"its {name} is not that of the payment it voids, #{payment.seq:06d}"
    return ""


def _refund_problem(
    link: Link,
    payments: Mapping[str, Link],
    voids: Mapping[str, Link],
    refunded: Mapping[str, int],
    *,
    is_whole: bool,
) -> str:
    payment = payments.get(link.about)
    if link.about in voids:
        return f"it refunds a payment that #{voids[link.about].seq:06d} voids"
    if payment is None or payment.seq >= link.seq:
        return "it refunds a payment that is not there" if is_whole else ""
    if payment.patron_email != link.patron_email:
        return f"its patron_email is not that of the payment it refunds, #{payment.seq:06d}"
    if refunded[link.about] > payment.amount_cents:
        return f"more was refunded than #{payment.seq:06d} paid"
    return ""

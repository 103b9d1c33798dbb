"""Certifying an event's oldest entries, as far as they hang in the chain that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from functions.daily_statement.rules.continuity import ChainEnd, Link
from functions.daily_statement.rules.totals import Totals
from shared.statements.expiry import Certificate

MOST_METHODS = 12  # of an event that are certified; the app has four, the tables may have any


def extended(
    certificate: Certificate, links: Iterable[Link], last_day: str, end: ChainEnd
) -> Certificate:
    """With the entries that follow it without a gap, are sound, and were logged until last_day.

    links: of all rows of the event. end: the event's last entry that is known. Whoever writes into
    the table could put a row under a number that is old enough: it must be the only one, and what
    follows must hang on it. Nor can methods without number make a certificate too large.
    """
    by_seq: dict[int, list[Link]] = {}
    for link in links:
        by_seq.setdefault(link.seq, []).append(link)
    through, last_hash = certificate.through_seq, certificate.hash
    added: list[Link] = []
    methods = {*certificate.net_by_method}
    while len(found := by_seq.get(through + 1, [])) == 1:
        link = found[0]
        if not link.is_sound or link.prev_hash != last_hash or link.logged_day > last_day:
            break
        methods.add(link.method)
        if len(methods) > MOST_METHODS:
            break
        through, last_hash = link.seq, link.hash
        added.append(link)
    if not added or not _hangs(added[-1], by_seq, end):
        return certificate
    totals = Totals.certified(certificate).plus(added)
    return Certificate(
        through_seq=through,
        hash=last_hash,
        net_by_method=totals.net_by_method,
        payments_count=totals.payments_count,
    )


def _hangs(link: Link, by_seq: Mapping[int, Sequence[Link]], end: ChainEnd) -> bool:
    """Whether the chain goes on from here to its end, or to what the statement names anyway."""
    while link.seq < end.seq:
        following = by_seq.get(link.seq + 1, ())
        if not all(each.is_sound for each in following) or not following:
            return True  # altered or missing
        if len(following) > 1 or following[0].prev_hash != link.hash:
            return False
        link = following[0]
    return link.hash == end.hash

"""Certifying an event's oldest entries, as far as they hang in the chain that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from functions.daily_statement.rules.continuity import ChainEnd, Link
from shared.ledger import COUNTS
from shared.statements.expiry import Certificate


def extended(
    certificate: Certificate, links: Iterable[Link], last_day: str, end: ChainEnd
) -> Certificate:
    """With the entries that follow it without a gap, are sound, and were logged until last_day.

    links: of all rows of the event. end: the event's last entry that is known. Whoever writes into
    the table could put a row under a number that is old enough: it must be the only one, and what
    follows must hang on it.
    """
    by_seq: dict[int, list[Link]] = {}
    for link in links:
        by_seq.setdefault(link.seq, []).append(link)
    through, last = certificate.through_seq, None
    last_hash, payments = certificate.hash, certificate.payments_count
    nets = dict(certificate.net_by_method)
    while len(found := by_seq.get(through + 1, [])) == 1:
        link = found[0]
        if not link.is_sound or link.prev_hash != last_hash or link.logged_day > last_day:
            break
        through, last_hash, last = link.seq, link.hash, link
        nets[link.method] = nets.get(link.method, 0) + link.net_cents
        payments += COUNTS[link.kind]
    if last is None or not _hangs(last, by_seq, end):
        return certificate
    return Certificate(
        through_seq=through, hash=last_hash, net_by_method=nets, payments_count=payments
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

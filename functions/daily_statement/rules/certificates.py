"""Certifying an event's oldest entries, one day's after another, as far as they hang together."""

from __future__ import annotations

from collections.abc import Iterable

from functions.daily_statement.rules.continuity import Link
from shared.expiry import Certificate
from shared.ledger import COUNTS


def extended(certificate: Certificate, links: Iterable[Link]) -> Certificate:
    """With the entries that follow it without a gap, as far as they are sound."""
    through, last_hash = certificate.through_seq, certificate.hash
    net, payments = dict(certificate.net_by_method), certificate.payments_count
    for link in sorted(links, key=lambda each: each.seq):
        if link.seq <= through:
            continue
        if link.seq != through + 1 or link.prev_hash != last_hash or not link.is_sound:
            break
        through, last_hash = link.seq, link.hash
        net[link.method] = net.get(link.method, 0) + link.net_cents
        payments += COUNTS[link.kind]
    return Certificate(
        through_seq=through, hash=last_hash, net_by_method=net, payments_count=payments
    )

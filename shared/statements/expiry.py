"""Certificates of expiry: what an event's oldest entries were, before their seven years end.

DynamoDB deletes an entry some time after its 2,555 days. A sealed statement certifies thirty days
earlier through which number, with which hash and which sums: these entries may then be there or
gone, in any order, and their money stays in every total. An entry that is gone without a
certificate is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from shared.ledger import COUNTS, GENESIS_HASH, MOST_ENTRIES, RETENTION_SECONDS

NOTICE = timedelta(days=30)
RETENTION = timedelta(seconds=RETENTION_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """All entries of an event from #1 through a number.

    hash: of that last entry, on which the rest hangs. net_by_method: cents, signed. payments_count:
    payments less voids.
    """

    through_seq: int = 0
    hash: str = GENESIS_HASH
    net_by_method: Mapping[str, int] = field(default_factory=dict)
    payments_count: int = 0

    def to_record(self) -> dict[str, Any]:
        return {
            "through_seq": self.through_seq,
            "hash": self.hash,
            "count": self.through_seq,
            "payments_count": self.payments_count,
            "net_by_method": dict(sorted(self.net_by_method.items())),
            "net_cents": sum(self.net_by_method.values()),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Certificate:
        """Raises KeyError, TypeError or ValueError for what is no certificate."""
        nets = dict(record["net_by_method"])
        numbers = [record[each] for each in ("through_seq", "count", "payments_count", "net_cents")]
        if not all(type(each) is int for each in (*numbers, *nets.values())):
            raise ValueError("a certificate counts in whole numbers")
        through, count, payments, net = numbers
        if not 0 < through < MOST_ENTRIES or count != through or net != sum(nets.values()):
            raise ValueError("the sums of a certificate do not add up")
        if type(record["hash"]) is not str or not all(type(each) is str for each in nets):
            raise ValueError("a certificate has no hash, or a method without a name")
        return cls(
            through_seq=through,
            hash=record["hash"],
            net_by_method=nets,
            payments_count=payments,
        )


NOTHING_EXPIRES = Certificate()


class Entry(Protocol):
    """An entry, or what is kept of one. net_cents: signed."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def net_cents(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What a certificate covers and is not there any more. net_by_method: cents, signed."""

    count: int = 0
    payments_count: int = 0
    net_by_method: Mapping[str, int] = field(default_factory=dict)

    @property
    def net_cents(self) -> int:
        return sum(self.net_by_method.values())


def expired(certificate: Certificate, there: Iterable[Entry]) -> Expired:
    """there: the event's entries that are as they were written; those beyond are passed over.

    An altered one counts as gone: the certificate says what it was.
    """
    kept = {each.seq: each for each in there if each.seq <= certificate.through_seq}
    nets = Counter(certificate.net_by_method)
    payments = certificate.payments_count
    for each in kept.values():
        nets[each.method] -= each.net_cents
        payments -= COUNTS.get(each.kind, 0)
    return Expired(
        count=certificate.through_seq - len(kept),
        payments_count=payments,
        net_by_method={method: cents for method, cents in sorted(nets.items()) if cents},
    )


def may_be_gone(logged_at: int, now: int) -> bool:
    """Whether an entry of this age may have been certified and deleted. Both in epoch ms."""
    return logged_at + (RETENTION - NOTICE) / timedelta(milliseconds=1) <= now


def last_day_to_certify(day: date) -> date:
    """The business day whose entries may be deleted NOTICE after the statement of `day`."""
    return day + NOTICE - RETENTION

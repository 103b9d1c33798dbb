"""Certificates of expiry: what an event's oldest entries were, before the seven years end.

DynamoDB deletes an entry some time after its 2,555 days. A certificate made thirty days earlier
says through which number, with which hash and which sums: these entries may then be there or gone,
in any order. An entry that is gone without one is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from functions.daily_statement.rules.continuity import Link
from shared.ledger import GENESIS_HASH, RETENTION_SECONDS

NOTICE = timedelta(days=30)
RETENTION = timedelta(seconds=RETENTION_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """All entries of an event from #1 through a number.

    hash: of that last entry, on which the rest hangs. net_by_method: cents, signed.
    """

    through_seq: int = 0
    hash: str = GENESIS_HASH
    net_by_method: Mapping[str, int] = field(default_factory=dict)

    def extended(self, links: Iterable[Link]) -> Certificate:
        """With the entries that follow it without a gap, as far as they are sound."""
        through, last_hash, net = self.through_seq, self.hash, dict(self.net_by_method)
        for link in sorted(links, key=lambda each: each.seq):
            if link.seq <= through:
                continue
            if link.seq != through + 1 or link.prev_hash != last_hash or not link.is_sound:
                break
            through, last_hash = link.seq, link.hash
            net[link.method] = net.get(link.method, 0) + link.net_cents
        return Certificate(through_seq=through, hash=last_hash, net_by_method=net)

    def to_record(self) -> dict[str, Any]:
        return {
            "through_seq": self.through_seq,
            "hash": self.hash,
            "count": self.through_seq,
            "net_by_method": dict(sorted(self.net_by_method.items())),
            "net_cents": sum(self.net_by_method.values()),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Certificate:
        return cls(
            through_seq=record["through_seq"],
            hash=record["hash"],
            net_by_method=record["net_by_method"],
        )


NOTHING_EXPIRES = Certificate()


def last_day_to_certify(day: date) -> date:
    """The business day whose entries may be deleted NOTICE after the statement of `day`."""
    return day + NOTICE - RETENTION

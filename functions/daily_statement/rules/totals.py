"""An event's running totals: what its entries add up to, and whether its head says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.daily_statement.rules.continuity import ChainEnd, Link, continue_from
from functions.daily_statement.rules.heads import EventHead
from shared.ledger import COUNTS
from shared.methods import label_of
from shared.statements.expiry import Certificate
from shared.text import dollars

MOST_DIFFERENCES = 8  # that are told of one head
LONGEST_NAME = 40  # of a total that no head of ours has


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What all entries of an event up to a number add up to, expired ones included.

    net_by_method: cents, signed. payments_count: payments less voids.
    """

    net_by_method: Mapping[str, int] = field(default_factory=dict)
    payments_count: int = 0

    @classmethod
    def certified(cls, certificate: Certificate) -> Totals:
        return cls(
            net_by_method=certificate.net_by_method, payments_count=certificate.payments_count
        )

    def plus(self, links: Iterable[Link]) -> Totals:
        nets, payments = dict(self.net_by_method), self.payments_count
        for each in links:
            nets[each.method] = nets.get(each.method, 0) + each.net_cents
            payments += COUNTS[each.kind]
        return Totals(net_by_method=nets, payments_count=payments)

    def to_record(self) -> dict[str, Any]:
        return {
            "net_by_method": dict(sorted(self.net_by_method.items())),
            "payments_count": self.payments_count,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Totals | None:
        """None for an event of a list of heads that does not know them."""
        if "payments_count" not in record:
            return None
        return cls(net_by_method=record["net_by_method"], payments_count=record["payments_count"])


NO_ENTRIES = Totals()


def totals_differ(
    totals: Totals | None, end: ChainEnd, later: Sequence[Link], head: EventHead
) -> str:
    """In words, what a head says unlike its entries; empty if it agrees or nobody can tell.

    totals: as of `end`, None if they are not known. later: the event's entries after it. They are
    compared only if the entries lead from `end` to the head without a fault. Entries that are newer
    than the head, which is read first, are left to the next statement.
    """
    if totals is None or head.last is None:
        return ""
    seq = head.last.seq
    added = [each for each in later if end.seq < each.seq <= seq]
    found = continue_from(end, added)
    if not found.is_whole or found.end != ChainEnd(seq=seq, hash=head.last.hash):
        return ""
    told = [*_differences(head.totals, totals.plus(added))]
    if len(told) > MOST_DIFFERENCES:
        told[MOST_DIFFERENCES:] = [f"and {len(told) - MOST_DIFFERENCES} more"]
    return "; ".join(told)


def _differences(said: Mapping[str, Any], totals: Totals) -> Iterator[str]:
    wanted = {"payments_count": totals.payments_count}
    wanted["total_cents"] = sum(totals.net_by_method.values())
    wanted |= {f"{method}_cents": cents for method, cents in totals.net_by_method.items()}
    for name in sorted(wanted.keys() | said.keys()):
        value, sum_ = said.get(name, 0), wanted.get(name, 0)
        if type(value) is not int:
            yield f"{_called(name)} is not a whole number in its head"
        elif value != sum_:
            amounts = (
                f"{_amount(name, value)} in its head, and {_amount(name, sum_)} by its entries"
            )
            yield f"{_called(name)} is {amounts}"


def _called(name: str) -> str:
    """A total as people call it."""
    if name == "payments_count":
        return "the number of payments"
    if name == "total_cents":
        return "collected"
    return label_of(name.removesuffix("_cents"))[:LONGEST_NAME]


def _amount(name: str, total: int) -> str:
    return dollars(total) if name.endswith("_cents") else str(total)

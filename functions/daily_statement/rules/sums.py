"""Counts and cents by method: of a day, an event or an admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.ledger import LedgerEntry
from shared.methods import counted_as


@dataclass(slots=True)
class Sum:
    """How many, and how much in cents."""

    count: int = 0
    cents: int = 0

    def add(self, count: int, cents: int) -> None:
        self.count += count
        self.cents += cents


ByMethod = dict[str, Sum]


@dataclass(slots=True)
class Sums:
    """payments, voids, refunds: by method, positive. What they add up to is signed."""

    entries: int = 0
    payments: ByMethod = field(default_factory=dict)
    voids: ByMethod = field(default_factory=dict)
    refunds: ByMethod = field(default_factory=dict)

    def add(self, entry: LedgerEntry) -> None:
        self.entries += 1
        by_method = {"payment": self.payments, "void": self.voids, "refund": self.refunds}
        method = counted_as(entry.method)
        by_method[entry.kind].setdefault(method, Sum()).add(1, entry.amount_cents)

    def add_all(self, other: Sums) -> None:
        self.entries += other.entries
        for own, others in (
            (self.payments, other.payments),
            (self.voids, other.voids),
            (self.refunds, other.refunds),
        ):
            for method, each in others.items():
                own.setdefault(method, Sum()).add(each.count, each.cents)

    @property
    def net_by_method(self) -> dict[str, int]:
        """Cents of each method that was used, by its name."""
        net: dict[str, int] = {}
        for method, cents in self._signed():
            net[method] = net.get(method, 0) + cents
        return dict(sorted(net.items()))

    @property
    def net_cents(self) -> int:
        return sum(cents for _, cents in self._signed())

    def to_record(self) -> dict[str, Any]:
        return {
            "entries": self.entries,
            "payments": _record_of(self.payments),
            "voids": _record_of(self.voids),
            "refunds": _record_of(self.refunds),
            "net_by_method": self.net_by_method,
            "net_cents": self.net_cents,
        }

    def _signed(self) -> Iterator[tuple[str, int]]:
        for sign, kind in ((1, self.payments), (-1, self.voids), (-1, self.refunds)):
            for method, each in kind.items():
                yield method, sign * each.cents


def _record_of(sums: ByMethod) -> dict[str, Any]:
    return {
        "count": sum(each.count for each in sums.values()),
        "cents": sum(each.cents for each in sums.values()),
        "by_method": {
            name: {"count": each.count, "cents": each.cents} for name, each in sums.items()
        },
    }

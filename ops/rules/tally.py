"""An event's sums, as its rows are read page by page. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.ledger import Kind, LedgerEntry
from shared.statements.expiry import Certificate, expired

KINDS: tuple[Kind, ...] = ("payment", "void", "refund")


class _Certified(NamedTuple):
    seq: int
    kind: str
    method: str
    net_cents: int


@dataclass(slots=True)
class Tally:
    """One event's entries. sums: [count, cents] by kind and method.

    left_out: entries that are not as they were written, and so in no sum. expired: certified ones
    that are gone; expired_nets: their cents by method, signed. certified: of those that are there,
    [number, kind, method, cents] each.
    """

    entries: int = 0
    left_out: int = 0
    mailed: int = 0
    pending: int = 0
    sums: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    found: dict[str, int] = field(default_factory=dict)
    expired: int = 0
    expired_nets: dict[str, int] = field(default_factory=dict)
    certified: list[list[Any]] = field(default_factory=list)

    @property
    def net_cents(self) -> int:
        """What is there; the expired money is beside it."""
        taken = {kind: sum(cents for _, cents in self.sums[kind].values()) for kind in KINDS}
        return taken["payment"] - taken["void"] - taken["refund"]

    @property
    def expired_cents(self) -> int:
        return sum(self.expired_nets.values())

    def net_of(self, method: str) -> int:
        cents = {kind: self.sums[kind].get(method, [0, 0])[1] for kind in KINDS}
        return cents["payment"] - cents["void"] - cents["refund"]

    def add(self, row: Mapping[str, Any], certificate: Certificate) -> None:
        """A row that is as it was written. certificate: of its event's oldest entries."""
        self._count(str(row["kind"]), str(row["method"]), 1, int(row["amount_cents"]))
        if row["seq"] <= certificate.through_seq:
            entry = LedgerEntry.from_row(row)
            self.certified.append([entry.seq, entry.kind, entry.method, entry.net_cents])

    def expire(self, certificate: Certificate) -> None:
        """Once all rows of the event are added."""
        gone = expired(certificate, (_Certified(*each) for each in self.certified))
        self.expired, self.expired_nets = gone.count, dict(gone.net_by_method)

    def join(self, other: Tally) -> None:
        self.entries += other.entries
        self.left_out += other.left_out
        self.mailed += other.mailed
        self.pending += other.pending
        for kind in KINDS:
            for method, (count, cents) in other.sums[kind].items():
                self._count(kind, method, count, cents)
        for name, count in other.found.items():
            self.found[name] = self.found.get(name, 0) + count
        self.expired += other.expired
        for method, cents in other.expired_nets.items():
            self.expired_nets[method] = self.expired_nets.get(method, 0) + cents

    def _count(self, kind: str, method: str, count: int, cents: int) -> None:
        one = self.sums[kind].setdefault(method, [0, 0])
        one[0] += count
        one[1] += cents

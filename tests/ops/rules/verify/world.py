"""An event as the API writes it, for `scc verify` to look at without a stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.offline.ledger.links import Anchor
from ops.rules.verify.rows import EventProof, Ledger, prove
from shared.ledger import LedgerEntry
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from tests.builders import NOW, ZONE

Found = list[tuple[str, int]]


@dataclass
class FakePlaces:
    places: dict[str, tuple[Any, Any]]
    marks: dict[str, str] = field(default_factory=dict)

    def of(self, payment_id: str) -> tuple[Any, Any] | None:
        return self.places.get(payment_id)

    def void_of(self, payment_id: str) -> str:
        return self.marks.get(payment_id, "")

    def mark_of(self, payment_id: str) -> str:
        return self.marks.get(payment_id, "")

    def lost(self, event_id: str, known: Collection[str], expired: int) -> Collection[str]:
        return sorted(self.places.keys() - set(known))[expired:]


class World:
    """An event's rows, head, pointers and marks, as the API writes them."""

    def __init__(self, entries: Sequence[LedgerEntry]) -> None:
        self.rows = [each.to_row() for each in entries]
        last = entries[-1]
        nets: Counter[str] = Counter()
        for each in entries:
            nets[f"{each.method}_cents"] += each.net_cents
        self.head: dict[str, Any] = {
            "PK": f"EVENT#{last.event_id}",
            "seq": last.seq,
            "hash": last.hash,
            "last_logged_at": last.logged_at,
            "payments_count": sum(1 if each.kind == "payment" else -1 for each in entries),
            "total_cents": sum(each.net_cents for each in entries),
            **nets,
        }
        self.places = FakePlaces(
            {each.payment_id: (each.pk, each.timestamp) for each in entries},
            {each.voids: each.payment_id for each in entries if each.voids},
        )

    def proof(self, now: int = NOW, certificate: Certificate = NOTHING_EXPIRES) -> EventProof:
        ledger = Ledger(places=self.places, zone=ZONE, now=now)
        through = certificate.through_seq
        said = [Anchor("sunset-charter", through, certificate.hash, "a statement")]
        named = said if through else []
        return prove("sunset-charter", self.rows, lambda: self.head, ledger, named, certificate)

    def found_with(self, certificate: Certificate) -> Found:
        return [(each.kind, each.seq) for each in self.proof(certificate=certificate).ledger]

    def found(self) -> Found:
        return [(each.kind, each.seq) for each in self.proof().ledger]

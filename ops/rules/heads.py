"""An event's head, read strictly: its last entry, and the totals that every screen shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.offline.ledger.links import INTEGRITY, Finding, Link
from shared.ledger import COUNTS, MOST_ENTRIES
from shared.methods import label_of
from shared.statements.expiry import Expired
from shared.text import dollars


@dataclass(frozen=True, slots=True)
class EventHead:
    """seq: 0 without a head, or when it cannot be read. faults: what no head of ours has."""

    seq: int = 0
    hash: str = ""
    last_logged_at: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    faults: Sequence[str] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> EventHead:
        """row: of Ledger, empty for an event without entries."""
        if not row:
            return cls()
        faults = [*_faults(row)]
        if faults:
            return cls(faults=faults)
        totals = {name: row[name] for name in row if _is_total(name)}
        return cls(row["seq"], row["hash"], row["last_logged_at"], totals)

    def wrong_totals(
        self, event_id: str, links: Sequence[Link], gone: Expired
    ) -> Iterator[Finding]:
        """links: all entries of the event that are there, sound and complete but for what expired.

        gone: what expired: its money stays in the totals.
        """
        if not self.seq:
            return
        wanted: Counter[str] = Counter(payments_count=gone.payments_count)
        wanted["total_cents"] = gone.net_cents
        for method, cents in gone.net_by_method.items():
            wanted[f"{method}_cents"] = cents
        for link in links:
            wanted["payments_count"] += COUNTS[link.kind]
            wanted["total_cents"] += link.net_cents
            wanted[f"{link.method}_cents"] += link.net_cents
        for name in sorted(wanted.keys() | self.totals.keys()):
            said = self.totals.get(name, 0)
            if said != wanted[name]:
                detail = (
                    f"the event's head: {_called(name)} is {_amount(name, said)}, its entries add "
                    f"up to {_amount(name, wanted[name])}"
                )
                yield Finding(INTEGRITY, event_id, 0, 0, "wrong-totals", "", detail)
        latest = max((each.logged_at for each in links), default=0)
        is_last_here = any(each.seq == self.seq for each in links)
        if is_last_here and self.last_logged_at != latest:
            detail = "the event's head: last_logged_at is not its last entry's logged_at"
            yield Finding(INTEGRITY, event_id, 0, 0, "wrong-totals", "", detail)


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    seq = row.get("seq")
    if type(seq) is not int or not 0 < seq < MOST_ENTRIES:
        yield "seq is not a number from 1 up"
    if type(row.get("hash")) is not str:
        yield "hash is not text"
    for name in sorted(row.keys() - {"PK", "seq", "hash"} | {"last_logged_at"}):
        if name == "last_logged_at" or _is_total(name):
            if type(row.get(name)) is not int:
                yield f"{name} is not a whole number"
        else:
            yield f"{name[:40]} is no attribute of a head"


def _is_total(name: str) -> bool:
    return name == "payments_count" or name.endswith("_cents")


def _called(name: str) -> str:
    """A total as people call it."""
    if name == "payments_count":
        return "the number of payments"
    return "collected" if name == "total_cents" else label_of(name.removesuffix("_cents"))


def _amount(name: str, total: int) -> str:
    return dollars(total) if name.endswith("_cents") else str(total)

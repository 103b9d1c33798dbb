"""Counts and cents by kind and method: what entries add up to, and what a statement says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.offline.ledger.links import Link
from shared.methods import counted_as

Sums = dict[tuple[str, str], tuple[int, int]]  # (kind, method): count and cents
_KINDS = {"payments": "payment", "voids": "void", "refunds": "refund"}


def sums_of(links: Iterable[Link]) -> Sums:
    sums: Sums = {}
    for link in links:
        add_sum(sums, link.kind, link.method, 1, link.amount_cents)
    return sums


def add_sum(sums: Sums, kind: str, method: str, count: int, cents: int) -> None:
    name = (kind, counted_as(method))
    before = sums.get(name, (0, 0))
    sums[name] = (before[0] + count, before[1] + cents)


def sums_in(of: Mapping[str, Any]) -> Sums:
    """Of an event or a whole statement."""
    sums: Sums = {}
    for name, kind in _KINDS.items():
        for method, one in of.get(name, {}).get("by_method", {}).items():
            add_sum(sums, kind, method, whole(one["count"]), whole(one["cents"]))
    return sums


def net_of(sums: Sums) -> int:
    return sum(cents if kind == "payment" else -cents for (kind, _), (_, cents) in sums.items())


def whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a statement counts in whole numbers")
    return value

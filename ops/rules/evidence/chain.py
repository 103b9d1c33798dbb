"""Which entries belong to one payment: what it replaced, what undid it, what replaced it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
_ABOUT = ("voids", "refunds", "corrects")


def about_of(row: Row) -> str:
    """The payment that a row voids, refunds or replaces; empty for a new payment."""
    names = (row.get(each) for each in _ABOUT)
    return next((each for each in names if isinstance(each, str) and each), "")


def chain_of(payment_id: str, rows: Iterable[Row]) -> list[Row]:
    """All rows of an event that hang together with this entry, to both ends, by their numbers.

    Entries are one family if they are about the same payment or about each other. Acknowledged
    duplicates are other payments.
    """
    families: dict[str, set[str]] = {}
    of_event = [each for each in rows if isinstance(each.get("payment_id"), str)]
    for each in of_event:
        own, about = each["payment_id"], about_of(each)
        merged = families.get(own, {own}) | (families.get(about, {about}) if about else set())
        families |= dict.fromkeys(merged, merged)
    family = families.get(payment_id, set())
    found = [each for each in of_event if each["payment_id"] in family]
    return sorted(found, key=lambda each: (_number(each), str(each.get("SK"))))


def lost_in(chain: Collection[Row], voids: Mapping[str, str]) -> Iterator[str]:
    """What the chain names and does not have, each as a sentence.

    voids: what the ledger has marked as the void of a payment, by the payment's id.
    """
    there = {each["payment_id"] for each in chain}
    for each in chain:
        about = about_of(each)
        if about and about not in there:
            yield f"{about}, which {each['payment_id']} is about, has no row in the ledger."
    for payment_id, void_id in voids.items():
        if void_id and void_id not in there:
            yield f"{void_id}, which voids {payment_id}, has no row in the ledger."


def what_of(row: Row, chain: Iterable[Row]) -> str:
    """What an entry is, in words, and what it has to do with the others of its payment."""
    numbers = {each["payment_id"]: _numbered(each) for each in chain}
    kind, about = str(row.get("kind")), numbers.get(about_of(row), about_of(row))
    if about and row.get("corrects"):
        return f"{kind} that replaces {about}"
    if about:
        return f"{kind} of {about}"
    return kind


def undone_by(row: Row, chain: Iterable[Row]) -> str:
    """What says that a payment does not stand any more, or not as it was; or an empty text."""
    later = [each for each in chain if about_of(each) == row["payment_id"]]
    words = {"void": "voided by", "refund": "refunded by", "payment": "replaced by"}
    told = [
        f"{words[kind]} {_numbered(each)}"
        for each in later
        if (kind := str(each.get("kind"))) in words
    ]
    return ", ".join(told)


def entry_name(row: Row) -> str:
    """For people: its number and id."""
    return f"{_numbered(row)} ({row.get('payment_id')})"


def _numbered(row: Row) -> str:
    seq = row.get("seq")
    return f"#{seq:06d}" if type(seq) is int else "no number"


def _number(row: Row) -> int:
    seq = row.get("seq")
    return seq if type(seq) is int else 0

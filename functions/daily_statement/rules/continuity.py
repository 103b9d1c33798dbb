"""Whether a day's entries go on where the day before ended, and what followed hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.ledger import (
    GENESIS_HASH,
    MOST_ENTRIES,
    Head,
    LedgerEntry,
    faults_of,
    matches_its_hash,
)

MOST_NAMED = 50  # of each kind, per event; counts are always complete


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry as a link of its event's chain. is_sound: it is what was written, by its own hash.

    net_cents: of the entry, signed. logged_at: epoch milliseconds. logged_day: its business day.
    """

    seq: int
    prev_hash: str
    hash: str
    is_sound: bool
    kind: str
    method: str
    net_cents: int
    logged_at: int
    logged_day: str

    @classmethod
    def of(cls, entry: LedgerEntry, row: Mapping[str, Any]) -> Link:
        return cls(
            seq=entry.seq,
            prev_hash=entry.prev_hash,
            hash=entry.hash,
            is_sound=not faults_of(row) and matches_its_hash(row),
            kind=entry.kind,
            method=entry.method,
            net_cents=entry.net_cents,
            logged_at=entry.logged_at,
            logged_day=entry.logged_day,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """The last entry of an event that a statement knows of."""

    seq: int = 0
    hash: str = GENESIS_HASH


BEFORE_THE_FIRST = ChainEnd()


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How links go on from an end. missing: ranges of numbers. altered: numbers.

    broken_at: the first number that does not hang on what came before it, or 0.
    """

    end: ChainEnd
    missing: Sequence[tuple[int, int]] = ()
    altered: Sequence[int] = ()
    broken_at: int = 0

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.altered or self.broken_at)


def continue_from(end: ChainEnd, links: Iterable[Link]) -> Continuation:
    """Follow an event's links, in any order, from where the last statement ended."""
    before, broken_at = end, 0
    seen, altered = [], []
    for link in sorted(links, key=lambda each: each.seq):
        seen.append(link.seq)
        if not link.is_sound:
            altered.append(link.seq)
        follows = link.seq == before.seq + 1
        if link.seq <= before.seq or (follows and link.prev_hash != before.hash):
            broken_at = broken_at or link.seq
        if link.seq > before.seq:
            before = ChainEnd(seq=link.seq, hash=link.hash)
    return Continuation(
        end=before,
        missing=missing_numbers(seen, end.seq + 1, before.seq),
        altered=altered[:MOST_NAMED],
        broken_at=broken_at,
    )


def hangs_on(end: ChainEnd, head: Head | None, next_link: Link | None) -> bool:
    """Whether the chain as it is now still has `end` in it.

    head: of the event now, None if it cannot be read. next_link: the entry after `end`, if any.
    """
    if head is None or head.seq < end.seq:
        return False
    if head.seq == end.seq:
        return head.hash == end.hash
    return next_link is None or next_link.prev_hash == end.hash  # None: that it is missing is named


def how_it_was_cut(end: ChainEnd, head: Head) -> str:
    """In words, why the chain as it is now does not have `end` in it."""
    if head.seq < end.seq:
        return f"#{end.seq:06d} was there, and the last entry is #{head.seq:06d} now"
    return f"#{end.seq:06d} had another hash"


def missing_at_the_end(
    end: ChainEnd, head: Head | None, later: Iterable[Link]
) -> list[tuple[int, int]]:
    """Numbers after `end`, up to the head's, that none of the later entries has."""
    if head is None or head.seq <= end.seq:
        return []
    return missing_numbers([each.seq for each in later], end.seq + 1, head.seq)


def missing_numbers(seen: Iterable[int], first: int, last: int) -> list[tuple[int, int]]:
    """The ranges of numbers that were not seen, at most MOST_NAMED of them.

    Takes memory for what was seen, not for what a forged head claims.
    """
    return list(islice(_gaps(seen, first, min(last, MOST_ENTRIES)), MOST_NAMED))


def numbers(first: int, last: int) -> str:
    """#000012, or #000012-#000014."""
    return f"#{first:06d}" if first == last else f"#{first:06d}-#{last:06d}"


def _gaps(seen: Iterable[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    for number in sorted({each for each in seen if first <= each <= last}):
        if first < number:
            yield first, number - 1
        first = number + 1
    if first <= last:
        yield first, last

"""Rows as a statement takes them: which are entries, and what it says of the others. Pure rules.

Whoever writes into the tables writes anything, of any length. What no reader of statements takes
for an entry must not be in one, and a statement must stay small enough to be mailed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ledger import MOST_ENTRIES, LedgerEntry, MalformedEntryError, faults_of, is_event_id

LONGEST_METHOD = 40
LONGEST_NAME = 120  # of whatever is named: ids, keys, events, people
LONGEST_ADDRESS = 254
MOST_FAULTS = 30  # of one row that are told
NO_EVENT_ID = "event_id is none that an event has"
NO_METHOD = f"method is longer than {LONGEST_METHOD} characters"
NO_NUMBER = "seq is not a number from 1 up"


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row that is not an entry, by its key, and what is wrong with it."""

    pk: str
    sk: str
    faults: Sequence[str]

    @classmethod
    def of(cls, row: Mapping[str, Any], faults: Sequence[str]) -> MalformedRow:
        told = [*faults[:MOST_FAULTS]]
        if more := len(faults) - len(told):
            told.append(f"and {more} more")
        return cls(clipped(str(row.get("PK", ""))), clipped(str(row.get("SK", ""))), told)


def entries_in(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[LedgerEntry, Mapping[str, Any]]]:
    """The rows that are entries. The others are named on their own day's statement."""
    for row in rows:
        try:
            yield entry_in(row), row
        except MalformedEntryError:
            continue


def entry_in(row: Mapping[str, Any]) -> LedgerEntry:
    """Raises MalformedEntryError, also for an id, number or method that no statement may name."""
    entry = LedgerEntry.from_row(row)
    for fault in _unfit(entry):
        raise MalformedEntryError(fault)
    return entry


def faults_in(row: Mapping[str, Any]) -> list[str]:
    """Why a row is not an entry."""
    faults = faults_of(row)
    try:
        unfit = [*_unfit(LedgerEntry.from_row(row))]
    except MalformedEntryError:
        unfit = []
    return [*dict.fromkeys([*unfit, *faults])]


def clipped(text: str, longest: int = LONGEST_NAME) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def _unfit(entry: LedgerEntry) -> Iterator[str]:
    if not is_event_id(entry.event_id):
        yield NO_EVENT_ID
    if not 0 < entry.seq < MOST_ENTRIES:
        yield NO_NUMBER
    if len(entry.method) > LONGEST_METHOD:
        yield NO_METHOD

"""Appending to the ledger: what is read before, and the loop that writes after it unchanged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from functions.api.problems import ContentionError
from shared.ledger import EventId, Head, LedgerEntry, PaymentId

MOVES = 16  # of the head, until the caller is asked to come again: 8 s of pauses at most
STEPS = 100  # to the next free millisecond; each costs one write


class HeadMovedError(Exception):
    """Another entry of the event was, or is being, written first."""


class TimestampTakenError(Exception):
    """The patron already has another entry in this millisecond."""


class AlreadyLoggedError(Exception):
    """The idempotency key was used before."""


class AlreadyVoidedError(Exception):
    """Another void of the same payment was written first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    event_id: EventId
    name: str
    event_date: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patron:
    email: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What one consistent read finds before an entry is written."""

    event: Event | None
    patron: Patron | None
    head: Head
    already_logged: bool


class Ledger(Protocol):
    def ground(self, event_id: str, patron_email: str, payment_id: PaymentId) -> Ground: ...

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, head: Head) -> None:
        """One transaction: all of the entries or none.

        Raises HeadMovedError, TimestampTakenError, AlreadyLoggedError or AlreadyVoidedError.
        """

    def similar(self, entry: LedgerEntry) -> list[LedgerEntry]:
        """The patron's entries around the same time, and those with the same number; no voided."""

    def voids_of(self, payment_ids: Iterable[str]) -> Mapping[str, PaymentId]:
        """Which of these are voided, and by which entry."""

    def head(self, event_id: EventId) -> Head: ...

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it."""


def append(
    entries: Sequence[LedgerEntry],
    fingerprint: str,
    head: Head,
    ledger: Ledger,
    look: Callable[[Sequence[LedgerEntry]], Sequence[LedgerEntry]],
    pause: Callable[[float], None],
) -> list[LedgerEntry]:
    """Write entries as the next links after `head`; returns them numbered and chained.

    look: looks for duplicates, and gives the entries with what was acknowledged. It runs after the
    head was read, and nothing is written if the head has moved since: so of two like payments at
    the same moment, the later one is warned of the first. Raises ContentionError.
    """
    moves = steps = 0
    while moves < MOVES and steps < STEPS:
        sealed = _chained(look(entries), head)
        try:
            ledger.append(sealed, fingerprint, head)
        except TimestampTakenError:
            steps += 1
            entries = [replace(each, timestamp=each.timestamp + 1) for each in entries]
        except HeadMovedError:
            moves += 1
            pause(random.uniform(0, 0.02 * 2 ** min(moves, 5)))  # noqa: S311 - jitter, no secret
            head = ledger.head(entries[0].event_id)  # where many write, it has moved on again
        else:
            return sealed
    raise ContentionError(
        "Many payments are being logged for this event. Send the request again with the same key.",
        retry_after=1,
    )


def _chained(entries: Sequence[LedgerEntry], head: Head) -> list[LedgerEntry]:
    chained = []
    for entry in entries:
        chained.append(entry.sealed(head))
        head = Head(seq=chained[-1].seq, hash=chained[-1].hash)
    return chained

"""Appending to the ledger: what is read before, and the loop that writes after it unchanged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from functions.api.http.problems import ApiError, ContentionError
from shared.ledger import EventId, Head, LedgerEntry, PaymentId

MOVES = 16  # of the head, until the caller is asked to come again: 8 s of pauses at most
STEPS = 100  # to the next free millisecond; each costs one write


class HeadMovedError(Exception):
    """Another entry of the event was, or is being, written first: the ground is another one."""


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
    """What one consistent read finds before an entry is written.

    numbered: the event's payments, voided or not, with the same check or trace number.
    """

    event: Event | None
    patron: Patron | None
    head: Head
    numbered: frozenset[PaymentId]


class Ledger(Protocol):
    def ground(self, event_id: str, patron_email: str, method: str, reference: str) -> Ground: ...

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, ground: Ground) -> None:
        """One transaction on unchanged ground: all of the entries or none.

        Raises HeadMovedError, TimestampTakenError, AlreadyLoggedError or AlreadyVoidedError.
        """

    def similar(self, entry: LedgerEntry, numbered: Iterable[PaymentId]) -> list[LedgerEntry]:
        """The patron's entries around the same time, and the numbered ones; no voided."""

    def voids_of(self, payment_ids: Iterable[str]) -> Mapping[str, PaymentId]:
        """Which of these are voided, and by which entry."""

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it."""


def append(
    entries: Sequence[LedgerEntry],
    fingerprint: str,
    ground: Ground,
    ledger: Ledger,
    look: Callable[[Sequence[LedgerEntry], Ground], Sequence[LedgerEntry]],
    pause: Callable[[float], None],
) -> list[LedgerEntry]:
    """Write entries as the next links after the head; returns them numbered and chained.

    look: looks for duplicates, and gives the entries with what was acknowledged. It runs after the
    head was read, and nothing is written if the head has moved since: so of two like payments at
    the same moment, the later one is warned of the first. Raises ContentionError.
    """
    moves = steps = 0
    while moves < MOVES and steps < STEPS:
        sealed = _chained(look(entries, ground), ground.head)
        try:
            ledger.append(sealed, fingerprint, ground)
        except TimestampTakenError:
            steps += 1
            entries = [replace(each, timestamp=each.timestamp + 1) for each in entries]
        except HeadMovedError:
            moves += 1
            pause(random.uniform(0, 0.02 * 2 ** min(moves, 5)))  # noqa: S311 - jitter, no secret
            last = entries[-1]  # the one that may have a number
            ground = ledger.ground(last.event_id, last.patron_email, last.method, last.reference)
        else:
            return sealed
    raise ContentionError(
        "Many payments are being logged for this event. Send the request again with the same key.",
        retry_after=1,
    )


def logged_before(
    payment_id: PaymentId, refusal: Exception, ledger: Ledger
) -> tuple[LedgerEntry, str]:
    """What a key has written before: that stands, whatever a second look at the request says.

    Also its request's fingerprint. Raises the refusal when the key has written nothing.
    """
    found = ledger.find(payment_id)
    if found:
        return found
    if isinstance(refusal, ApiError):
        raise refusal
    raise ContentionError("The first request is still being written.", retry_after=1)


def _chained(entries: Sequence[LedgerEntry], head: Head) -> list[LedgerEntry]:
    chained = []
    for entry in entries:
        chained.append(entry.sealed(head))
        head = Head(seq=chained[-1].seq, hash=chained[-1].hash)
    return chained

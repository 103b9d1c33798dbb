"""Appending to the ledger: who writes, what is read first, and the loop that writes."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Protocol

from functions.api.http.problems import (
    ApiError,
    ContentionError,
    FieldError,
    KeyReusedError,
    UnusableError,
)
from functions.api.people.identity import User
from shared.ledger import EventId, Head, LedgerEntry, PaymentId, business_day

NAMESPACE = uuid.UUID("6f1c9a52-6b0e-5c39-9d0e-5cc5cb0f5a11")
MOVES = 16  # how often the head may move before the caller must retry: 8 s of pauses at most
STEPS = 100  # to the next free millisecond; each costs one write


class HeadMovedError(Exception):
    """Another entry of the event was written first, or is being written: read again."""


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
class Snapshot:
    """What one consistent read finds before an entry is written.

    same_number: the event's payments, voided or not, with the same check or trace number.
    unusable: why no payment can be logged for what is there; voiding one needs neither.
    """

    event: Event | None
    patron: Patron | None
    head: Head
    same_number: frozenset[PaymentId]
    unusable: UnusableError | None = None


class Ledger(Protocol):
    def snapshot(
        self, event_id: str, patron_email: str, method: str, reference: str
    ) -> Snapshot: ...

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, snapshot: Snapshot) -> None:
        """Write all of the entries or none, in one transaction, if the snapshot still holds.

        Raises HeadMovedError, TimestampTakenError, AlreadyLoggedError or AlreadyVoidedError.
        """

    def entries_between(self, pk: str, since: int, until: int) -> list[LedgerEntry]:
        """A patron's entries at an event. since, until: epoch milliseconds, both included."""

    def voids_of(self, payment_ids: Iterable[str]) -> Mapping[str, PaymentId]:
        """Which of these are voided, and by which entry."""

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it. Raises UnreadableError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request to write: who sent it under which key, and what it is checked and written with.

    now: epoch milliseconds by the server's clock. zone: of business days. pause: sleeps seconds.
    """

    user: User
    key: uuid.UUID
    now: int
    zone: tzinfo
    max_amount_cents: int
    ledger: Ledger
    pause: Callable[[float], None]

    def payment_id(self, part: str = "") -> PaymentId:
        return payment_id_of(self.user, self.key, part)

    @property
    def stamp(self) -> dict[str, Any]:
        """Who logs an entry and when; the head that it follows may make it later."""
        return {
            "logged_at": self.now,
            "logged_day": business_day(self.now, self.zone),
            "logged_by": self.user.email,
            "logged_by_name": self.user.name,
        }


def payment_id_of(user: User, key: uuid.UUID, part: str = "") -> PaymentId:
    """The id of what `user` logs under `key`: the ledger is its own idempotency record.

    part: tells the entries of one request apart, such as a void and its replacement.
    """
    return PaymentId("pay_" + uuid.uuid5(NAMESPACE, f"{user.sub}:{key}{part}").hex)


def append(
    submission: Submission,
    entries: Sequence[LedgerEntry],
    fingerprint: str,
    snapshot: Snapshot,
    check: Callable[[Sequence[LedgerEntry], Snapshot], Sequence[LedgerEntry]],
) -> list[LedgerEntry]:
    """Write entries as the next links after the head; returns them numbered and chained.

    check: refuses duplicates; returns the entries with the ones that were acknowledged. It runs
    after the head was read, and nothing is written if the head has moved since: of two similar
    payments at the same moment, the later one is warned about the first. Raises ContentionError.
    """
    ledger = submission.ledger
    moves = steps = 0
    while moves < MOVES and steps < STEPS:
        sealed = _chained(check(entries, snapshot), snapshot.head, submission.zone)
        try:
            ledger.append(sealed, fingerprint, snapshot)
        except TimestampTakenError:
            steps += 1
            entries = [replace(each, timestamp=each.timestamp + 1) for each in entries]
        except HeadMovedError:
            moves += 1
            jitter = random.uniform(0, 0.02 * 2 ** min(moves, 5))  # noqa: S311 - not a secret
            submission.pause(jitter)
            last = entries[-1]  # the one that may have a check or trace number
            snapshot = ledger.snapshot(
                last.event_id, last.patron_email, last.method, last.reference
            )
        else:
            return sealed
    raise ContentionError(
        "This event is busy: many payments are being logged. Try again in a moment.",
        retry_after=1,
    )


def logged_before(submission: Submission, refusal: Exception) -> tuple[LedgerEntry, str]:
    """The entry that this key has already written, and its request's fingerprint.

    It stands even if the same request would be refused today. Raises the refusal if there is none.
    """
    found = submission.ledger.find(submission.payment_id())
    if found:
        return found
    if isinstance(refusal, ApiError):
        raise refusal
    raise ContentionError("The first request is still being written.", retry_after=1)


def key_reused(field: str) -> KeyReusedError:
    """field: the first one that differs from the key's first request."""
    message = f"This Idempotency-Key was already used with a different {field}."
    return KeyReusedError(message, FieldError(field, "idempotency_key_reused", message))


def _chained(entries: Sequence[LedgerEntry], head: Head, zone: tzinfo) -> list[LedgerEntry]:
    chained = []
    for entry in entries:
        chained.append(entry.sealed(head, zone))
        head = chained[-1].as_head
    return chained

"""Which entries need a new message: logged a while ago, not mailed, and no mailer has them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Any, Protocol

from functions.stream_router.audit_queue import BATCH_SIZE
from functions.stream_router.dead_letters import DeadLetterView
from shared import keys
from shared.audit.delivery import is_sent, needs_message
from shared.audit.messages import AuditMessage, MalformedMessageError
from shared.ledger import business_date

MOST_QUEUED = 1_000  # in one sweep: about what Gmail's quota lets through until the next one
BACKLOG = 100  # with this many waiting on the audit queue, an entry's own may be among them
SLOT_MS = 15 * 60_000
SLOTS_A_DAY = 96


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]:
        """The rows logged on a day (YYYY-MM-DD), oldest first, in pages of at most 100."""

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...
    def waiting(self) -> int: ...


class DeadLetters(Protocol):
    def look(self, may_go_on: Callable[[], bool]) -> DeadLetterView: ...


@dataclass(slots=True)
class Swept:
    """What a sweep found and did.

    entries: read, recent ones included. missing: past the grace period and without a mail.
    queued: given a new message. dead_lettered: their message is in the dead-letter queue.
    held_back: not queued because of the sweep's limits. malformed: rows that are not entries.
    days_left: not read because time ran out, so the counts are too low.
    """

    entries: int = 0
    missing: int = 0
    queued: int = 0
    dead_lettered: int = 0
    held_back: int = 0
    malformed: int = 0
    days_left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """grace_ms: how long an entry, or a delivery that stopped, is left alone. zone: of days.

    now: epoch milliseconds. may_go_on: whether there is time left for another page.
    """

    ledger: Ledger
    queue: Queue
    dead_letters: DeadLetters
    now: int
    zone: tzinfo
    grace_ms: int
    may_go_on: Callable[[], bool]

    def sweep(self, days: int) -> Swept:
        """Queue again each entry of today and the last `days` that has no mail and no mailer.

        An extra message is harmless, because the mailer claims each entry. The limits keep the
        queues from filling up with copies while nothing can be delivered.
        """
        swept = Swept()
        dead_letters: DeadLetterView | None = None  # read only when an entry needs a message
        todo = days_to_sweep(self.now, days, self.zone)
        for number, day in enumerate(todo):
            for rows in self.ledger.logged_on(day):
                if not self.may_go_on():
                    swept.days_left = todo[number:]
                    return swept
                idle = self._idle(rows, swept)
                if idle and dead_letters is None:
                    dead_letters = self._view_dead_letters()
                if dead_letters is not None:
                    self._queue_again(idle, dead_letters, swept)
        return swept

    def _idle(self, rows: Sequence[Mapping[str, Any]], swept: Swept) -> list[AuditMessage]:
        """The entries of one page that have no mail and, by AuditDeliveries, no mailer."""
        swept.entries += len(rows)
        due = [row for row in rows if row["logged_at"] <= self.now - self.grace_ms]
        messages = _messages(due, swept)
        deliveries = self.ledger.deliveries([each.payment_id for each in messages])
        unsent = [
            (each, delivery)
            for each in messages
            if not is_sent(delivery := deliveries.get(each.payment_id, {}))
        ]
        swept.missing += len(unsent)
        return [each for each, found in unsent if needs_message(found, self.now, self.grace_ms)]

    def _view_dead_letters(self) -> DeadLetterView:
        """Counts as incomplete when the audit queue is backed up: a message may be there, too."""
        view = self.dead_letters.look(self.may_go_on)
        if self.queue.waiting() < BACKLOG:
            return view
        return DeadLetterView(view.payment_ids, is_complete=False)

    def _queue_again(
        self, idle: Sequence[AuditMessage], dead_letters: DeadLetterView, swept: Swept
    ) -> None:
        chosen = []
        for message in idle:
            if message.payment_id in dead_letters.payment_ids:
                swept.dead_lettered += 1
            elif dead_letters.is_complete or is_its_slot(message.payment_id, self.now):
                chosen.append(message)
            else:
                swept.held_back += 1
        room = max(0, MOST_QUEUED - swept.queued)
        swept.held_back += len(chosen[room:])
        swept.queued += _send(chosen[:room], self.queue)


def is_its_slot(payment_id: str, now: int) -> bool:
    """True in one quarter of an hour a day, spread over the entries.

    As long as an entry's message may still exist, one new message a day loses nothing and does not
    fill a queue with copies.
    """
    return zlib.crc32(payment_id.encode()) % SLOTS_A_DAY == now // SLOT_MS % SLOTS_A_DAY


def days_to_sweep(now: int, days: int, zone: tzinfo) -> list[str]:
    """Today and the days before (YYYY-MM-DD).

    Each sweep starts on a different day, so when time runs out it is never the same day's loss.
    """
    today = business_date(now, zone)
    oldest_first = [(today - timedelta(days=back)).isoformat() for back in range(days, -1, -1)]
    start = now // SLOT_MS % len(oldest_first)
    return oldest_first[start:] + oldest_first[:start]


def _messages(rows: Sequence[Mapping[str, Any]], swept: Swept) -> list[AuditMessage]:
    """A broken row must not keep the others from being mailed."""
    messages = []
    for row in rows:
        try:
            message = AuditMessage.from_row(row)
        except MalformedMessageError:
            swept.malformed += 1
            continue
        if keys.is_key(message.payment_id):
            messages.append(message)
        else:
            swept.malformed += 1
    return messages


def _send(messages: Sequence[AuditMessage], queue: Queue) -> int:
    """How many were sent. The next sweep finds again what SQS refused."""
    queued = 0
    for start in range(0, len(messages), BATCH_SIZE):
        batch = messages[start : start + BATCH_SIZE]
        queued += len(batch) - len(queue.send(batch))
    return queued

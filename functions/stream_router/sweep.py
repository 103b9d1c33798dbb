"""Which entries need a new message: logged a while ago, not mailed, nobody on it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from functions.stream_router.audit_queue import BATCH_SIZE
from functions.stream_router.dead_letters import Resting
from shared.daybook import is_key
from shared.messages import AuditMessage, MalformedMessageError

MOST_QUEUED = 1_000  # in one sweep: about what Gmail's quota lets through until the next one
BACKLOG = 100  # messages waiting on the audit queue, from which on an entry's own may be among them
SLOT_MS = 15 * 60_000
SLOTS_A_DAY = 96


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first, in pages of at most 100."""

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...
    def waiting(self) -> int: ...


class DeadLetters(Protocol):
    def look(self, may_go_on: Callable[[], bool]) -> Resting: ...


@dataclass(slots=True)
class Swept:
    """What a sweep found and did.

    entries: looked at, younger ones included; missing: of those past the grace, without a mail;
    queued: given a new message; resting: their message rests in the dead-letter queue; held_back:
    would have been queued but for the sweep's limits; malformed: rows that are no entry;
    days_left: not looked at for want of time, so that the counts are too low.
    """

    entries: int = 0
    missing: int = 0
    queued: int = 0
    resting: int = 0
    held_back: int = 0
    malformed: int = 0
    days_left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """grace_ms: how long an entry, or a delivery that stopped, is given before it is looked at.

    now: epoch milliseconds. may_go_on: whether there is time left for another page.
    """

    ledger: Ledger
    queue: Queue
    dead_letters: DeadLetters
    now: int
    grace_ms: int
    may_go_on: Callable[[], bool]

    def sweep(self, days: int) -> Swept:
        """Queue again every entry of today and the last `days` that has no mail and nobody on it.

        A message too many is harmless, the mailer claims each entry; the limits keep the queues
        from filling up with copies while nothing can be delivered.
        """
        swept = Swept()
        elsewhere: Resting | None = None  # looked at only when something is to be queued
        todo = days_to_sweep(self.now, days)
        for number, day in enumerate(todo):
            for rows in self.ledger.logged_on(day):
                if not self.may_go_on():
                    swept.days_left = todo[number:]
                    return swept
                idle = self._idle(rows, swept)
                if idle and elsewhere is None:
                    elsewhere = self._elsewhere()
                if elsewhere is not None:
                    self._queue_again(idle, elsewhere, swept)
        return swept

    def _idle(self, rows: Sequence[Mapping[str, Any]], swept: Swept) -> list[AuditMessage]:
        """The entries of one page that have no mail and, by AuditDeliveries, nobody on them."""
        swept.entries += len(rows)
        due = [row for row in rows if row["logged_at"] <= self.now - self.grace_ms]
        messages = _messages(due, swept)
        deliveries = self.ledger.deliveries([each.payment_id for each in messages])
        unsent = [
            (each, delivery)
            for each in messages
            if (delivery := deliveries.get(each.payment_id, {})).get("state") != "sent"
        ]
        swept.missing += len(unsent)
        return [each for each, found in unsent if needs_message(found, self.now, self.grace_ms)]

    def _elsewhere(self) -> Resting:
        """What rests in the dead-letter queue; incomplete too when the audit queue is backed up."""
        resting = self.dead_letters.look(self.may_go_on)
        if self.queue.waiting() < BACKLOG:
            return resting
        return Resting(resting.payment_ids, is_complete=False)

    def _queue_again(self, idle: Sequence[AuditMessage], elsewhere: Resting, swept: Swept) -> None:
        chosen = []
        for message in idle:
            if message.payment_id in elsewhere.payment_ids:
                swept.resting += 1
            elif elsewhere.is_complete or is_its_slot(message.payment_id, self.now):
                chosen.append(message)
            else:
                swept.held_back += 1
        room = max(0, MOST_QUEUED - swept.queued)
        swept.held_back += len(chosen[room:])
        swept.queued += _send(chosen[:room], self.queue)


def needs_message(delivery: Mapping[str, Any], now: int, grace_ms: int) -> bool:
    """No mail, and by the delivery's own word nobody on it: no live lease, no try still to come.

    delivery: the item of AuditDeliveries, empty when there is none. What failed for good rests in
    the dead-letter queue for a person to decide.
    """
    match delivery.get("state"):
        case None:
            return True
        case "sending":
            return int(delivery.get("lease_until", 0)) + grace_ms < now
        case "failed":
            is_final = (delivery.get("last_error") or {}).get("class") == "permanent"
            return not is_final and int(delivery.get("retry_at", 0)) + grace_ms < now
        case _:
            return False


def is_its_slot(payment_id: str, now: int) -> bool:
    """True in one quarter of an hour a day, spread over the entries.

    While nobody can tell whether an entry's message still exists, a new one a day is enough to
    lose nothing, and too little to fill a queue with copies.
    """
    return zlib.crc32(payment_id.encode()) % SLOTS_A_DAY == now // SLOT_MS % SLOTS_A_DAY


def days_to_sweep(now: int, days: int) -> list[str]:
    """Today and the days before (YYYY-MM-DD, UTC).

    Every sweep starts with another one: should one sweep's time not do, none is always left out.
    """
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    oldest_first = [(today - timedelta(days=back)).isoformat() for back in range(days, -1, -1)]
    start = now // SLOT_MS % len(oldest_first)
    return oldest_first[start:] + oldest_first[:start]


def _messages(rows: Sequence[Mapping[str, Any]], swept: Swept) -> list[AuditMessage]:
    """One broken row must not keep the others from their mail."""
    messages = []
    for row in rows:
        try:
            message = AuditMessage.from_row(row)
        except MalformedMessageError:
            swept.malformed += 1
            continue
        if is_key(message.payment_id):
            messages.append(message)
        else:
            swept.malformed += 1
    return messages


def _send(messages: Sequence[AuditMessage], queue: Queue) -> int:
    """How many went out; what SQS refused, the next sweep finds again."""
    queued = 0
    for start in range(0, len(messages), BATCH_SIZE):
        batch = messages[start : start + BATCH_SIZE]
        queued += len(batch) - len(queue.send(batch))
    return queued

"""Which entries need a new message: logged a while ago, not mailed, nobody on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from functions.stream_router.queue import BATCH_SIZE
from shared.messages import AuditMessage, MalformedMessageError


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first, in pages of at most 100."""

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...


@dataclass(slots=True)
class Swept:
    """entries looked at, of them without a mail, messages queued, rows that are no entry."""

    entries: int = 0
    missing: int = 0
    queued: int = 0
    malformed: int = 0


def sweep(ledger: Ledger, queue: Queue, *, now: int, days: int, grace_ms: int) -> Swept:
    """Re-queue every entry of the last `days` that has no mail. now: epoch milliseconds."""
    swept = Swept()
    for day in _days(now, days):
        for rows in ledger.logged_on(day):
            swept.entries += len(rows)
            due = [row for row in rows if row["logged_at"] <= now - grace_ms]
            messages = _messages(due, swept)
            deliveries = ledger.deliveries([each.payment_id for each in messages])
            unmailed = [
                each
                for each in messages
                if needs_message(deliveries.get(each.payment_id), now, grace_ms)
            ]
            swept.missing += len(unmailed)
            swept.queued += _queue_again(unmailed, queue)
    return swept


def needs_message(delivery: Mapping[str, Any] | None, now: int, grace_ms: int) -> bool:
    """No mail, and by the delivery's own word nobody on it: no live lease, no try still to come.

    What failed for good rests in the dead-letter queue for a person to decide.
    """
    if delivery is None:
        return True
    if delivery["state"] == "sending":
        return int(delivery["lease_until"]) + grace_ms < now
    if delivery["state"] == "failed" and delivery["last_error"]["class"] != "permanent":
        return int(delivery.get("retry_at", 0)) + grace_ms < now
    return False


def _messages(rows: Sequence[Mapping[str, Any]], swept: Swept) -> list[AuditMessage]:
    """One broken row must not keep the others from their mail."""
    messages = []
    for row in rows:
        try:
            messages.append(AuditMessage.from_row(row))
        except MalformedMessageError:
            swept.malformed += 1
    return messages


def _queue_again(messages: Sequence[AuditMessage], queue: Queue) -> int:
    queued = 0
    for start in range(0, len(messages), BATCH_SIZE):
        batch = messages[start : start + BATCH_SIZE]
        queued += len(batch) - len(queue.send(batch))
    return queued


def _days(now: int, days: int) -> Iterator[str]:
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    for back in range(days, -1, -1):
        yield (today - timedelta(days=back)).isoformat()

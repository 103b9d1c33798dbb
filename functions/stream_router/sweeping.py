"""Which entries need a new message: logged a while ago, not mailed, nobody on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from functions.stream_router.queue import BATCH_SIZE
from shared.messages import AuditMessage


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first, in pages of at most 100."""

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """entries looked at, entries without a mail after the grace, messages put on the queue."""

    entries: int
    missing: int
    queued: int


def sweep(ledger: Ledger, queue: Queue, *, now: int, days: int, grace_ms: int) -> Swept:
    """Re-queue every entry of the last `days` that has no mail. now: epoch milliseconds."""
    entries = missing = queued = 0
    for day in _days(now, days):
        for rows in ledger.logged_on(day):
            due = [row for row in rows if row["logged_at"] <= now - grace_ms]
            deliveries = ledger.deliveries([row["payment_id"] for row in due])
            unmailed = [row for row in due if needs_message(deliveries.get(row["payment_id"]), now)]
            entries += len(rows)
            missing += len(unmailed)
            queued += _queue_again(unmailed, queue)
    return Swept(entries, missing, queued)


def needs_message(delivery: Mapping[str, Any] | None, now: int) -> bool:
    """No mail, no live lease, and not resting in the dead-letter queue for a person to decide."""
    if delivery is None:
        return True
    if delivery["state"] == "sending":
        return int(delivery["lease_until"]) < now
    if delivery["state"] == "failed":
        return bool(delivery["last_error"]["class"] != "permanent")
    return False


def _queue_again(rows: Sequence[Mapping[str, Any]], queue: Queue) -> int:
    messages = [AuditMessage.from_row(row) for row in rows]
    queued = 0
    for start in range(0, len(messages), BATCH_SIZE):
        batch = messages[start : start + BATCH_SIZE]
        queued += len(batch) - len(queue.send(batch))
    return queued


def _days(now: int, days: int) -> Iterator[str]:
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    for back in range(days, -1, -1):
        yield (today - timedelta(days=back)).isoformat()

"""Routing one batch: what to send, what to set aside, where the stream has to start again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from functions.stream_router.audit_queue import BATCH_SIZE
from functions.stream_router.routing import Routed, Unroutable, chunks, route
from shared.messages import AuditMessage


class QueueRefusedError(Exception):
    """The queue accepted nothing of the batch: let Lambda retry all of it."""


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...


class Bucket(Protocol):
    def keep(self, unroutable: Unroutable) -> None: ...


@dataclass(slots=True)
class BatchOutcome:
    """failed_from: the sequence number to read the stream again from; empty when all were sent.

    failed: records without a message yet, which Lambda will hand out again.
    """

    sent: list[AuditMessage] = field(default_factory=list)
    unroutable: list[Unroutable] = field(default_factory=list)
    failed_from: list[str] = field(default_factory=list)
    failed: int = 0


class Router:
    def __init__(self, queue: Queue, bucket: Bucket) -> None:
        self._queue = queue
        self._bucket = bucket

    def route_batch(self, records: Sequence[Mapping[str, Any]]) -> BatchOutcome:
        """Send the batch's messages in order, stopping at the first that the queue refuses.

        Lambda reads the stream again from the number returned. Messages sent after it in the same
        call are sent twice, which the mailer's claim makes harmless. Raises QueueRefusedError when
        nothing was sent: Lambda then retries the whole batch.
        """
        outcome = BatchOutcome()
        routed: list[Routed] = []
        for record in records:
            result = route(record)
            if isinstance(result, Unroutable):
                self._bucket.keep(result)
                outcome.unroutable.append(result)
            elif result is not None:
                routed.append(result)
        for chunk in chunks(routed, BATCH_SIZE):
            refused = self._queue.send([each.message for each in chunk])
            outcome.sent += [each.message for n, each in enumerate(chunk) if n not in refused]
            if refused:
                if not outcome.sent:
                    raise QueueRefusedError(f"the audit queue refused {len(refused)} messages")
                outcome.failed_from = [chunk[min(refused)].sequence_number]
                outcome.failed = len(routed) - len(outcome.sent)
                break
        return outcome

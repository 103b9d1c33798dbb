"""Routing one batch: what to send, what to set aside, where the stream has to start again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from functions.stream_router.audit_queue import BATCH_SIZE
from functions.stream_router.failures_bucket import BucketRefusedError
from functions.stream_router.routing import Batch, Routed, Tampered, Unroutable, chunks
from shared.audit.messages import AuditMessage


class QueueRefusedError(Exception):
    """The queue accepted nothing of the batch: let Lambda retry all of it."""


class Queue(Protocol):
    def send(self, messages: Sequence[AuditMessage]) -> set[int]: ...


class Bucket(Protocol):
    def keep(self, record: Unroutable | Tampered) -> None: ...


@dataclass(slots=True)
class BatchOutcome:
    """failed_from: the sequence number to read the stream again from; empty when all were sent.

    failed: records without a message yet, which Lambda will hand out again.
    """

    sent: list[AuditMessage] = field(default_factory=list)
    failed_from: list[str] = field(default_factory=list)
    failed: int = 0


class Router:
    def __init__(self, queue: Queue, bucket: Bucket) -> None:
        self._queue = queue
        self._bucket = bucket

    def route_batch(self, batch: Batch) -> BatchOutcome:
        """Send the batch's messages in order, then keep what makes none.

        Lambda reads the stream again from the first message that the queue refused. What is sent or
        kept twice because of that is harmless. Raises QueueRefusedError when nothing was sent, and
        BucketRefusedError when a record could not be kept: Lambda then retries the whole batch, and
        halves it until the record is alone.
        """
        outcome = BatchOutcome()
        try:
            self._send(batch.routed, outcome)
        finally:
            self._keep([*batch.tampered, *batch.unroutable])
        return outcome

    def _send(self, routed: Sequence[Routed], outcome: BatchOutcome) -> None:
        for chunk in chunks(routed, BATCH_SIZE):
            refused = self._queue.send([each.message for each in chunk])
            outcome.sent += [each.message for n, each in enumerate(chunk) if n not in refused]
            if refused:
                if not outcome.sent:
                    raise QueueRefusedError(f"the audit queue refused {len(refused)} messages")
                outcome.failed_from = [chunk[min(refused)].sequence_number]
                outcome.failed = len(routed) - len(outcome.sent)
                break

    def _keep(self, records: Sequence[Tampered | Unroutable]) -> None:
        """Try each, so that one that S3 refuses does not keep the others out."""
        refused: BucketRefusedError | None = None
        for each in records:
            try:
                self._bucket.keep(each)
            except BucketRefusedError as error:
                refused = error
        if refused:
            raise refused

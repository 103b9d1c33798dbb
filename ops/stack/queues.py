"""The audit queue and its dead-letter queue, for operations."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.rules.depth import Depth
from ops.session import Session
from ops.terminal.interrupts import held_back

BATCH = 10  # the most that SQS takes or returns in one call
EXPIRED = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})  # what SQS may say of it
LONGEST_HOLD = 43_200  # seconds; SQS hides a message for 12 hours at most


def depth_of(client: Any, url: str) -> Depth:
    names = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return Depth(*(int(found[name]) for name in names))


class DeadLetterQueue:
    """A look hides messages for a while and makes them visible again right after.

    SQS has no other way. A dead-letter queue has no dead-letter queue itself, so receiving costs
    nothing. At most 120,000 messages of a standard queue can be hidden at once; a longer queue
    shows its first 120,000. If a look is killed, its messages stay hidden until their hold ends
    (`hold_seconds`), never longer.
    """

    def __init__(self, client: Any, url: str, now: Callable[[], float] = time.time) -> None:
        """now: seconds, also while the machine sleeps, which time.monotonic leaves out."""
        self._client = client
        self._now = now
        self.url = url

    def depth(self) -> Depth:
        return depth_of(self._client, self.url)

    def retention_ms(self) -> int:
        """How long a message is kept, counted from when it was first queued."""
        names = ["MessageRetentionPeriod"]
        found = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return int(found["Attributes"][names[0]]) * 1000

    @contextlib.contextmanager
    def looking(self, hold_seconds: int) -> Iterator[Look]:
        """A look through the queue; at its end every message becomes visible again."""
        look = Look(self._client, self.url, min(hold_seconds, LONGEST_HOLD), self._now)
        try:
            yield look
        finally:
            look.release()


class Look:
    """Pages of hidden messages. unreleased: how many could not be made visible again.

    A receipt counts until its hold ends by our own clock, which starts before SQS's does. After it,
    a standard queue says yes to a delete that deletes nothing, and a release could show what
    another reader holds:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
    """

    def __init__(
        self, client: Any, url: str, hold_seconds: int, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._url = url
        self._hold = hold_seconds
        self._now = now
        self._held: dict[str, float] = {}  # until when, by receipt, in order
        self.unreleased = 0

    def pages(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Batches of at most ten raw messages, until the queue has no more."""
        while messages := self._receive():
            yield messages

    def _receive(self) -> Sequence[Mapping[str, Any]]:
        # SQS hides them before we know their receipts: an interrupt in between would leave them so.
        with held_back():
            until = self._now() + self._hold
            try:
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=self._hold,
                    WaitTimeSeconds=1,  # a long poll asks all of SQS's servers: empty means empty
                    AttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                    MessageAttributeNames=["All"],
                )
            except self._client.exceptions.OverLimit:
                return ()  # no more can be hidden
            messages: Sequence[Mapping[str, Any]] = answer.get("Messages", ())
            self._held.update(dict.fromkeys((each["ReceiptHandle"] for each in messages), until))
        return messages

    def delete(self, receipt: str) -> bool:
        """Delete a held message. False: its hold has ended, so it may still be there."""
        until = self._held.pop(receipt, 0.0)
        if self._now() >= until:
            return False
        try:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXPIRED:
                raise
            return False
        return self._now() < until

    def release(self, but: Collection[str] = ()) -> None:
        """Make held messages visible again. The rest come back when their hold ends."""
        done = {each: until for each, until in self._held.items() if each not in but}
        for receipt in done:
            del self._held[receipt]
        receipts = [each for each, until in done.items() if self._now() < until]
        for start in range(0, len(receipts), BATCH):
            batch = receipts[start : start + BATCH]
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(batch)
            ]
            try:
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=self._url, Entries=entries
                )
            except (ClientError, BotoCoreError):
                self.unreleased += len(batch)
            else:
                self.unreleased += len(answer.get("Failed", ()))


class OpsAuditQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self.url = url

    @classmethod
    def of(cls, session: Session) -> OpsAuditQueue:
        return cls(session.aws.client("sqs"), session.aws.output("AuditQueueUrl"))

    def depth(self) -> Depth:
        return depth_of(self._client, self.url)

    def send(self, body: str, replay_count: int | None = None) -> None:
        """replay_count: how often this message has been replayed, this time included."""
        attributes = (
            {}
            if replay_count is None
            else {"replay_count": {"DataType": "Number", "StringValue": str(replay_count)}}
        )
        self._client.send_message(QueueUrl=self.url, MessageBody=body, MessageAttributes=attributes)

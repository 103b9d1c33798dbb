"""The audit queue and its dead-letter queue, from the receiving side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_DELAY_SECONDS = 900  # what SQS allows for DelaySeconds
MAX_RECEIVES = 8  # the queue's maxReceiveCount
COUNT_ATTRIBUTES = ("attempts", "replay_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """One receipt of a queue message. receives: how often SQS has handed it out."""

    body: str
    receipt_handle: str
    receives: int
    attempts: int = 0
    replay_count: int = 0

    @property
    def tries(self) -> int:
        """All tries of this message, copies of it included."""
        return self.attempts + self.receives


class AuditQueueReceiver:
    """client: gives SQS's, which is made for the first message that is not simply delivered."""

    def __init__(self, client: Callable[[], Any], url: str, dead_letter_url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url = dead_letter_url

    def postpone(self, message: ReceivedMessage, seconds: int) -> bool:
        """Come back to this message later. False: a copy took its place, let SQS delete this one.

        Waiting is what an outage asks for, so it must not use up the receives that lead to the
        dead-letter queue: shortly before, a copy with a fresh count goes on.
        """
        if message.receives < MAX_RECEIVES - 1:
            self._client().change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message.receipt_handle,
                VisibilityTimeout=seconds,
            )
            return True
        self._client().send_message(
            QueueUrl=self._url,
            MessageBody=message.body,
            DelaySeconds=min(seconds, MAX_DELAY_SECONDS),
            MessageAttributes=_counts(message.tries, message.replay_count),
        )
        return False

    def quarantine(self, message: ReceivedMessage, klass: str, reason: str) -> None:
        """Put the message where ops look, with the reason that SQS itself would not keep."""
        self._client().send_message(
            QueueUrl=self._dead_letter_url,
            MessageBody=message.body,
            MessageAttributes=_counts(message.tries, message.replay_count)
            | {
                "error_class": {"DataType": "String", "StringValue": klass},
                "error_message": {"DataType": "String", "StringValue": _attribute_text(reason)},
            },
        )


def _counts(attempts: int, replay_count: int) -> dict[str, Any]:
    return {
        "attempts": {"DataType": "Number", "StringValue": str(attempts)},
        "replay_count": {"DataType": "Number", "StringValue": str(replay_count)},
    }


def _attribute_text(text: str) -> str:
    """At most 250 characters, all of them such as SQS takes: it refuses what XML 1.0 cannot say."""
    harmless = "".join(each if each.isprintable() else " " for each in text[:250])
    return harmless.strip() or "no reason given"

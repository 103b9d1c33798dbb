"""What can happen to a received message: postponed, or moved to the dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_DELAY_SECONDS = 900  # what SQS allows for DelaySeconds
MAX_RECEIVES = 8  # the queue's maxReceiveCount
COUNT_ATTRIBUTES = ("attempts", "replay_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message as SQS handed it out. receives: how often it has done so."""

    body: str
    receipt_handle: str
    receives: int
    attempts: int = 0
    replay_count: int = 0

    @property
    def tries(self) -> int:
        """All tries of this message and of the copies it came from."""
        return self.attempts + self.receives


class AuditQueueReceiver:
    """client: returns SQS's client, made for the first message that is not simply delivered."""

    def __init__(self, client: Callable[[], Any], url: str, dead_letter_url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url = dead_letter_url

    def postpone(self, message: ReceivedMessage, seconds: int) -> bool:
        """Try this message again later. False: a copy replaced it, so let SQS delete this one.

        Waiting out an outage must not use up the receives after which SQS moves a message to the
        dead-letter queue. Just before the last one, a copy with a fresh count replaces it.
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
        """Move the message to the dead-letter queue, with the reason, which SQS would not keep."""
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
    """At most 250 characters. SQS refuses those that XML 1.0 does not allow."""
    harmless = "".join(each if each.isprintable() else " " for each in text[:250])
    return harmless.strip() or "no reason given"

"""The dead-letter queue as the sweep sees it: which entries have a message there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.audit.messages import AuditMessage, MalformedMessageError

PAGE = 10  # what ReceiveMessage and ChangeMessageVisibilityBatch take
MOST_PAGES = 500
HIDE_SECONDS = 120  # longer than a look; if the sweep is killed, messages reappear after it
ALL_SERVERS_SECONDS = 1  # any wait makes SQS ask all its servers instead of a sample
LONGEST_ID = 256  # characters; ours have 36, a longer id is not a payment's


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """is_complete: the whole queue was seen, so an entry not listed has no message there."""

    payment_ids: frozenset[str]
    is_complete: bool


class DeadLetters:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def look(self, may_go_on: Callable[[], bool]) -> DeadLetterView:
        """Read the queue without consuming: every message read is made visible again.

        Bodies are not trusted; one that is not an audit message is skipped. Messages held by
        another reader (a replay, a second sweep) are hidden, so the view is then not complete.
        """
        is_ours = self._in_flight() == 0
        handles: list[str] = []
        payment_ids: set[str] = set()
        is_whole = False
        try:
            for _ in range(MOST_PAGES):
                messages = self._receive()
                if not messages:
                    is_whole = True
                    break
                handles += [each["ReceiptHandle"] for each in messages]
                payment_ids.update(_payment_ids(messages))
                if not may_go_on():
                    break
            is_ours = is_ours and self._in_flight() <= len(handles)
        finally:
            self._release(handles)
        return DeadLetterView(frozenset(payment_ids), is_whole and is_ours)

    def _in_flight(self) -> int:
        answer = self._client.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    def _receive(self) -> Sequence[dict[str, Any]]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=PAGE,
            VisibilityTimeout=HIDE_SECONDS,
            WaitTimeSeconds=ALL_SERVERS_SECONDS,
        )
        messages: Sequence[dict[str, Any]] = answer.get("Messages", ())
        return messages

    def _release(self, handles: Sequence[str]) -> None:
        """Make the messages visible again. One that SQS refuses becomes visible by itself soon."""
        for start in range(0, len(handles), PAGE):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[start : start + PAGE])
                ],
            )


def _payment_ids(messages: Sequence[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for message in messages:
        try:
            payment_id = AuditMessage.from_json(message["Body"]).payment_id
        except MalformedMessageError:
            continue
        if len(payment_id) <= LONGEST_ID:
            found.add(payment_id)
    return found

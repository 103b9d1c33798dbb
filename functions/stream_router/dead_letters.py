"""The dead-letter queue, from the sweep's side: which entries' messages rest there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.messages import AuditMessage, MalformedMessageError

PAGE = 10  # what ReceiveMessage and ChangeMessageVisibilityBatch take
MOST_PAGES = 500
HIDE_SECONDS = 120  # outlasts a look; should the sweep die, what it looked at is back by then
ALL_SERVERS_SECONDS = 1  # any wait makes SQS ask all its servers, not a sample of them
LONGEST_ID = 256  # characters; ours have 36, and what is longer is no payment's


@dataclass(frozen=True, slots=True)
class Resting:
    """is_complete: whether the whole queue was seen, so that who is not named is not there."""

    payment_ids: frozenset[str]
    is_complete: bool


class DeadLetters:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def look(self, may_go_on: Callable[[], bool]) -> Resting:
        """Look through the queue without consuming: every message seen is made visible again.

        Bodies are anybody's; those that are no audit message name no entry. Messages that somebody
        else holds (another look, a replay) cannot be seen: then the look is not complete.
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
        return Resting(frozenset(payment_ids), is_whole and is_ours)

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
        """Make visible again; a handle that SQS refuses is visible by itself soon."""
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

"""Sending to the audit queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.audit.messages import AuditMessage

BATCH_SIZE = 10  # what SendMessageBatch takes


class AuditQueueSender:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[AuditMessage]) -> set[int]:
        """Send up to ten messages; returns the positions that SQS refused, after one more try.

        SendMessageBatch answers 200 even when entries failed: they are listed under `Failed`.
        """
        refused = self._send(messages, set(range(len(messages))))
        return self._send(messages, refused) if refused else refused

    def waiting(self) -> int:
        """About how many messages wait to be received."""
        answer = self._client.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _send(self, messages: Sequence[AuditMessage], positions: set[int]) -> set[int]:
        answer = self._client.send_message_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(position), "MessageBody": messages[position].to_json()}
                for position in sorted(positions)
            ],
        )
        return {int(failure["Id"]) for failure in answer.get("Failed", ())}

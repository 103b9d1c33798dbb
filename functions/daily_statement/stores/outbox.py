"""Handing a statement to the mailer."""

from __future__ import annotations

from typing import Any

from shared.audit.messages import StatementMessage
from shared.statements.places import StatementPlace


class Outbox:
    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, place: StatementPlace) -> None:
        """Queue its claim check. Sending it twice is harmless: the mailer claims each mail."""
        self._client.send_message(
            QueueUrl=self._queue_url, MessageBody=StatementMessage(place=place).to_json()
        )

"""Dead letters as SQS gives them, for tests to vary."""

from __future__ import annotations

import uuid
from typing import Any

from shared.audit.messages import AuditMessage
from tests.builders import NOW, message

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202eevil\u2066 \u200b\r\nforged line"


def numbered(number: int) -> AuditMessage:
    """The audit message of a payment that the ledger of a test may or may not hold."""
    return AuditMessage(
        payment_id=f"pay_{number:032x}",  # type: ignore[arg-type]  # a NewType of str
        pk="sunset-charter#jane.doe@example.com",
        sk=NOW + number,
        event_id="sunset-charter",  # type: ignore[arg-type]
        seq=number,
    )


def raw(body: str = "", **attributes: object) -> dict[str, Any]:
    """A message as ReceiveMessage answers it."""
    return {
        "MessageId": str(uuid.uuid4()),
        "ReceiptHandle": str(uuid.uuid4()),
        "Body": body or message().to_json(),
        "Attributes": {"SentTimestamp": str(NOW), "ApproximateReceiveCount": "3"},
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": str(value)}
            for name, value in attributes.items()
        },
    }

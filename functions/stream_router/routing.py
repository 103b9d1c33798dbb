"""Which stream records become audit messages, and which never can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.attributes import from_attributes
from shared.messages import ROW_ATTRIBUTES, AuditMessage, MalformedMessageError


@dataclass(frozen=True, slots=True)
class Routed:
    """A stream record and its audit message."""

    sequence_number: str
    message: AuditMessage


@dataclass(frozen=True, slots=True)
class Unroutable:
    """A stream record that no retry can turn into a message, and why."""

    sequence_number: str
    reason: str
    record: Mapping[str, Any]


def route(record: Mapping[str, Any]) -> Routed | Unroutable | None:
    """What to do with one DynamoDB stream record; None for a change that is not a new entry.

    The event source mapping passes only INSERT. Expiry (REMOVE) must never send a mail anyway.
    """
    change = record.get("dynamodb") or {}
    sequence_number = str(change.get("SequenceNumber") or record.get("eventID") or "unknown")
    if record.get("eventName") != "INSERT":
        return None
    try:
        image = change.get("NewImage") or {}
        told = {name: value for name, value in image.items() if name in ROW_ATTRIBUTES}
        message = AuditMessage.from_row(from_attributes(told))
    except (MalformedMessageError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return Unroutable(sequence_number, str(error) or type(error).__name__, record)
    return Routed(sequence_number, message)


def chunks(routed: Sequence[Routed], size: int) -> list[Sequence[Routed]]:
    return [routed[start : start + size] for start in range(0, len(routed), size)]

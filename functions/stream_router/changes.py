"""What a change of a row that was already there is: its time has come, a legal hold, or tampering.

The API only ever inserts rows. Images are compared as DynamoDB sends them, so a row that nobody
can read is judged, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from shared.attributes import from_attributes
from shared.ledger import EXPIRY, expiry_of, is_event_id, is_payment_id

Image = Mapping[str, Any]
Fate = Literal["expired", "held", "altered", "removed"]
# docs.aws.amazon.com/amazondynamodb: "DynamoDB Streams and Time to Live"
BY_TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def fate_of_modified(old: Image, new: Image) -> Fate:
    """`held` if the row only expires later, or never; a hold that ends is `altered`.

    An expiry that comes back or moves nearer lets DynamoDB delete the row sooner, which nobody may
    decide unseen.
    """
    if _but_expiry(old) != _but_expiry(new):
        return "altered"
    before, after = _number(old, EXPIRY), _number(new, EXPIRY)
    is_later = before is not None and after is not None and after > before
    is_never = before is not None and EXPIRY not in new
    return "held" if is_later or is_never else "altered"


def fate_of_removed(old: Image, identity: Mapping[str, Any], created: float) -> Fate:
    """`expired` only if DynamoDB's TTL removed the row, and not before the end of its seven years.

    identity: the record's userIdentity. created: when the row was removed, in epoch seconds.
    """
    logged_at = _number(old, "logged_at")
    by_ttl = {name: identity.get(name) for name in BY_TTL} == BY_TTL
    is_due = logged_at is not None and expiry_of(logged_at) <= created
    return "expired" if by_ttl and is_due else "removed"


def ids_of(image: Image) -> dict[str, Any]:
    """What a log line may say of a row. Only what is an id: a forged one could hold an address."""
    payment_id, event_id = _text(image, "payment_id"), _text(image, "event_id")
    ids = {
        "payment_id": payment_id if is_payment_id(payment_id) else None,
        "event_id": event_id if is_event_id(event_id) else None,
        "seq": _number(image, "seq"),
    }
    return {name: value for name, value in ids.items() if value is not None}


def _but_expiry(image: Image) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name != EXPIRY}


def _number(image: Image, name: str) -> int | None:
    value = _value(image, name)
    return value if type(value) is int else None


def _text(image: Image, name: str) -> str:
    value = _value(image, name)
    return value if isinstance(value, str) else ""


def _value(image: Image, name: str) -> Any:
    """None when the image lacks the attribute, or holds what DynamoDB never sends."""
    try:
        return from_attributes({name: image[name]})[name]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None

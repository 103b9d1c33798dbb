"""What an item of AuditDeliveries says about an entry's mail. Pure; read here and nowhere else.

An entry without an item has not been tried yet: pass None or an empty mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Item = Mapping[str, Any]
MailState = Literal["queued", "sending", "retrying", "failed", "sent"]


def mail_state(item: Item | None) -> MailState:
    """`sent` only when Gmail accepted the mail; `failed` only when no try will follow."""
    match (item or {}).get("state"):
        case "sent":
            return "sent"
        case "sending":
            return "sending"
        case "failed":
            return "failed" if error_class(item) == "permanent" else "retrying"
        case _:
            return "queued"


def is_sent(item: Item | None) -> bool:
    return mail_state(item) == "sent"


def error_class(item: Item | None) -> str:
    """The class of the last try's error, or an empty text."""
    return str(last_error(item).get("class", ""))


def attempts_of(item: Item | None) -> int:
    attempts = (item or {}).get("attempts")
    return attempts if isinstance(attempts, int) else 0


def last_error(item: Item | None) -> Mapping[str, Any]:
    """The last try's error, empty without one: whoever edits a table by hand writes anything."""
    error = (item or {}).get("last_error")
    return error if isinstance(error, Mapping) else {}


def needs_message(item: Item | None, now: int, grace_ms: int) -> bool:
    """No mail, no live lease and no try still to come: nobody is at it. now: epoch milliseconds.

    What failed for good has its message in the dead-letter queue, where a person decides.
    """
    match mail_state(item):
        case "queued":
            return True
        case "sending":
            return _moment(item, "lease_until") + grace_ms < now
        case "retrying":
            return _moment(item, "retry_at") + grace_ms < now
        case _:
            return False


def _moment(item: Item | None, name: str) -> int:
    """Long ago if the item does not say: an extra message is harmless."""
    moment = (item or {}).get(name)
    return moment if isinstance(moment, int) else 0

"""What an item of AuditDeliveries says about an entry's mail. Pure; read here and nowhere else.

An entry without an item has not been tried yet: pass None or an empty mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Item = Mapping[str, Any]
MailState = Literal["queued", "sending", "retrying", "failed", "sent"]
MailboxFinding = Literal["missing", "duplicate", "altered", "explained"]

_FINDINGS: tuple[MailboxFinding, ...] = get_args(MailboxFinding)
MOST_AHEAD_MS = 24 * 3_600_000  # SQS hides no message for longer than 12 h
LONG_AGO = 1  # epoch milliseconds
BOUNCED = "bounced"  # the role of a mail that came back
_MOMENTS = range(1, 253_402_300_800_000)  # epoch milliseconds, up to the year 9999


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


def sent_at(item: Item | None) -> int | None:
    """When Gmail accepted the mail, in epoch milliseconds."""
    return moment_of(item, "sent_at")


def seen_at(item: Item | None) -> int | None:
    """Since when a sent mail is known to be in the audit mailbox, in epoch milliseconds."""
    return moment_of(item, "seen_at") if is_sent(item) else None


def mailbox_finding(item: Item | None) -> MailboxFinding | None:
    """What is wrong with a sent mail in the audit mailbox.

    `explained` when the mail is not there, and a person has said why.
    """
    known = item or {}
    if not is_sent(item):
        return None
    found = next((each for each in _FINDINGS if each == known.get("mailbox_finding")), None)
    return found or ("explained" if known.get("mailbox_explained") is True else None)


def first_seen_at(item: Item | None) -> int | None:
    """When the watch first saw a mail of it, in epoch milliseconds, whatever became of that one."""
    return moment_of(item, "first_seen_at") or seen_at(item)


def found_since(item: Item | None, kind: str) -> int | None:
    """Since when the watch finds this, in epoch milliseconds, explained or not."""
    noted = (item or {}).get("found_since")
    return moment_of(noted, kind) if isinstance(noted, Mapping) else None


def missed_at(item: Item | None) -> int | None:
    """When the watch last began to miss its mail, in epoch milliseconds."""
    return moment_of(item, "missed_at")


def came_back(item: Item | None) -> frozenset[str]:
    """Gmail ids of mails that could not be delivered: they lie in *Sent*, and nobody got them."""
    mails = (item or {}).get("mails")
    roles = mails if isinstance(mails, Mapping) else {}
    return frozenset(name for name, role in roles.items() if role == BOUNCED)


def reached_nobody(item: Item | None) -> bool:
    """Whether its mail came back, and no other one is there."""
    return is_sent(item) and (item or {}).get("gmail_id") in came_back(item) and not seen_at(item)


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


def last_known_as(item: Item | None) -> frozenset[str]:
    """Gmail ids of an entry's mails when they were last seen, or as which its mail was sent."""
    known = item or {}
    seen = known.get("last_seen_as")
    if isinstance(seen, list) and seen:
        return frozenset(each for each in seen if isinstance(each, str))
    sent_as = known.get("gmail_id")
    return frozenset({sent_as}) if isinstance(sent_as, str) and sent_as else frozenset()


def lost_as(item: Item | None) -> frozenset[str]:
    """What a missing mail is called: as it was last known, with what came back since then."""
    return last_known_as(item) | came_back(item)


def needs_message(item: Item | None, now: int, grace_ms: int) -> bool:
    """No mail, no live lease and no try still to come: nobody is at it. now: epoch milliseconds.

    An extra message is harmless. What failed for good has its message in the dead-letter queue,
    where a person decides.
    """
    if mail_state(item) in ("sent", "failed"):
        return False
    return held_until(item, now - grace_ms) is None


def held_until(item: Item | None, now: int) -> int | None:
    """Until when nobody may try it: a lease lives, or the next try is not due. Epoch milliseconds.

    A moment that is none, or that no mailer sets so far ahead, holds nothing.
    """
    match mail_state(item):
        case "sending":
            until = moment_of(item, "lease_until")
        case "retrying" | "failed":
            until = moment_of(item, "retry_at")
        case _:
            return None
    return until if until is not None and now <= until <= now + MOST_AHEAD_MS else None


def doubtful_since(item: Item | None) -> int | None:
    """The last time a try of unknown outcome may have sent (epoch ms), None without one.

    A lapsed lease belonged to a mailer that was killed, perhaps after it had sent.
    """
    name = "lease_until" if mail_state(item) == "sending" else "doubtful_since"
    if name not in (item or {}):
        return None
    return moment_of(item, name) or LONG_AGO


def due_since(item: Item | None) -> int | None:
    """From when on an earlier try let it be tried again (epoch ms), None without one.

    A try that failed left its error.
    """
    return moment_of(item, "retry_at") if last_error(item) else None


def moment_of(row: Mapping[str, Any] | None, name: str) -> int | None:
    """A stored moment in epoch milliseconds; nothing for what no calendar has, such as a bool."""
    value = (row or {}).get(name)
    return value if type(value) is int and value in _MOMENTS else None

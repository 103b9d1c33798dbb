"""A dead letter: which mail it is about, why it is in the queue, what a replay would do with it.

Pure: SQS messages and DynamoDB items go in, decisions come out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.audit.delivery import attempts_of, is_sent, last_error
from shared.audit.messages import (
    AuditMessage,
    MalformedMessageError,
    Message,
    OpsMessage,
    ReissueMessage,
    StatementMessage,
    read_message,
)

MOST_REPLAYS = 2  # then a message is quarantined: another replay would not help
SHORTEST_ID = 6  # of a prefix that is accepted as an id
LONGEST_KEPT = 250  # of a message's own text: a body may be a megabyte of anything

LONGEST_KEY = 500
LARGEST_TIME = 10**15

UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """sent_at: epoch ms when it was first queued, from which SQS counts its retention.

    message: the parsed body, or None; then problem says why it cannot be parsed.
    """

    message_id: str
    sent_at: int
    receives: int
    size: int
    message: Message | None
    problem: str
    error_class: str
    error_message: str
    attempts: int
    replay_count: int

    @property
    def subject_id(self) -> str:
        """Its key in AuditDeliveries, or nothing."""
        match self.message:
            case AuditMessage():
                return self.message.payment_id
            case OpsMessage():
                return self.message.ops_id
            case ReissueMessage():
                return self.message.delivery_id
            case StatementMessage():
                return self.message.place.delivery_id
            case None:
                return ""

    @property
    def name(self) -> str:
        """What a person calls it: a payment id, an ops record id, "statement 2026-11-24"."""
        if not isinstance(self.message, StatementMessage):
            return self.subject_id
        place = self.message.place
        return f"statement {place.day}{'' if place.final else ' so far'}"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it is there. message: normalized, so that similar failures share a text."""

    klass: str
    message: str

    @property
    def group(self) -> str:
        """A short name for the group; every run gives the same one."""
        return hashlib.sha256(f"{self.klass}\n{self.message}".encode()).hexdigest()[:8]


class Verdict(StrEnum):
    SEND = "send"
    ALREADY_SENT = "skip-already-sent"
    POISON_SCHEMA = "poison-schema"
    POISON_NO_PAYMENT = "poison-no-payment"
    POISON_NO_RECORD = "poison-no-record"
    POISON_NO_STATEMENT = "poison-no-statement"
    QUARANTINED = "quarantined"


def read_letter(raw: Mapping[str, Any]) -> DeadLetter:
    """Parse a message from ReceiveMessage, whatever it contains."""
    body, system = str(raw.get("Body", "")), raw.get("Attributes", {})
    message, problem = None, ""
    try:
        message = _plausible(read_message(body))
    except MalformedMessageError as error:
        problem = str(error)[:LONGEST_KEPT]
    return DeadLetter(
        message_id=str(raw["MessageId"]),
        sent_at=_number(system.get("SentTimestamp")),
        receives=_number(system.get("ApproximateReceiveCount")),
        size=len(body.encode("utf-8", "surrogatepass")),
        message=message,
        problem=problem,
        error_class=_attribute(raw, "error_class"),
        error_message=_attribute(raw, "error_message"),
        attempts=_number(_attribute(raw, "attempts")),
        replay_count=_number(_attribute(raw, "replay_count")),
    )


def _plausible(message: Message) -> Message:
    """Refuse what is not a valid key, so that one message cannot stop a whole list."""
    for text in _texts(message):
        if len(text) > LONGEST_KEY or any("\ud800" <= each <= "\udfff" for each in text):
            raise MalformedMessageError("a field is too long or not Unicode")
    if isinstance(message, AuditMessage) and not 0 <= message.sk < LARGEST_TIME:
        raise MalformedMessageError("sk is not a time in milliseconds")
    return message


def _texts(message: Message) -> Sequence[str]:
    """What a message says as it likes; a statement's message holds only a date and a hash."""
    match message:
        case AuditMessage():
            return (message.payment_id, message.pk, message.event_id)
        case OpsMessage():
            return (message.ops_id,)
        case ReissueMessage():
            return (message.run,)
        case StatementMessage():
            return ()


def cause_of(letter: DeadLetter, delivery: Mapping[str, Any] | None) -> Cause:
    """The mailer's reason on the message, or the delivery's last error, or what can be seen."""
    if letter.error_class:
        return Cause(letter.error_class, normalized(letter.error_message))
    if letter.message is None:
        return Cause(Verdict.POISON_SCHEMA, normalized(letter.problem))
    error = last_error(delivery)
    if error:
        text = f"{error.get('code', '')}: {error.get('message', '')}"
        return Cause(str(error.get("class", UNEXPLAINED)), normalized(text))
    return Cause(UNEXPLAINED, "SQS gave up on it, and the mailer noted no reason")


_NOISE = (
    (re.compile(r"[\w.+'-]+@[\w.-]+"), "<address>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(pay_)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def normalized(text: str) -> str:
    """`text` without what differs from one failure to the next: addresses, times, ids, numbers."""
    text = text[:LONGEST_KEPT]
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text.strip()


def verdict_of(
    letter: DeadLetter,
    delivery: Mapping[str, Any] | None,
    *,
    lack: Verdict | None = None,
    is_named: bool = False,
) -> Verdict:
    """What a replay does with it. is_named: a person chose it by its id.

    lack: why the mailer would set it aside again, None if it can make the mail.
    """
    if letter.message is None:
        return Verdict.POISON_SCHEMA
    if is_sent(delivery):
        return Verdict.ALREADY_SENT
    if lack:
        return lack
    if letter.replay_count >= MOST_REPLAYS and not is_named:
        return Verdict.QUARANTINED
    return Verdict.SEND


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which dead letters a command works on. since: epoch ms. Without any choice: all of them."""

    ids: Sequence[str] = ()
    group: str = ""
    since: int | None = None

    def picks(self, letter: DeadLetter, cause: Cause) -> bool:
        if self.ids:
            return any(is_meant(each, letter) for each in self.ids)
        if self.group:
            return self.group in (cause.group, cause.klass)
        return self.since is None or letter.sent_at >= self.since

    def __str__(self) -> str:
        if self.ids:
            return "id " + ", ".join(self.ids)
        if self.group:
            return f"group {self.group}"
        if self.since is not None:
            return f"since {moment(self.since)}"
        return "all"


def is_meant(wanted: str, letter: DeadLetter) -> bool:
    """Whether an id, or the start of one, is this message's or that of what it is about."""
    ids = (letter.message_id, letter.subject_id, letter.name)
    return len(wanted) >= SHORTEST_ID and any(each.startswith(wanted) for each in ids)


_KINDS = {
    AuditMessage: "audit",
    OpsMessage: "ops",
    ReissueMessage: "reissue",
    StatementMessage: "statement",
    type(None): "unparseable",
}


def described(
    letter: DeadLetter, delivery: Mapping[str, Any] | None, *, now: int, retention_ms: int
) -> dict[str, Any]:
    """One row of `ls`: what is known about a dead letter. Times are ISO 8601, ages in seconds."""
    cause = cause_of(letter, delivery)
    message, known = letter.message, delivery or {}
    return {
        "message_id": letter.message_id,
        "class": cause.klass,
        "message": letter.error_message or letter.problem or cause.message,
        "group": cause.group,
        "kind": _KINDS[type(message)],
        "about": letter.name or None,
        "payment_id": message.payment_id if isinstance(message, AuditMessage) else None,
        "event_id": message.event_id if isinstance(message, AuditMessage) else None,
        "seq": message.seq if isinstance(message, AuditMessage) else None,
        "ops_id": _ops_id(message),
        "statement_day": message.place.day if isinstance(message, StatementMessage) else None,
        "attempts": max(letter.attempts, attempts_of(delivery)),
        "replay_count": letter.replay_count,
        "receives": letter.receives,
        "bytes": letter.size,
        "sent_at": moment(letter.sent_at),
        "age_seconds": max(0, now - letter.sent_at) // 1000,
        "expires_at": moment(letter.sent_at + retention_ms),
        "delivery": known.get("state"),
    }


def _ops_id(message: Message | None) -> str | None:
    match message:
        case OpsMessage():
            return message.ops_id
        case ReissueMessage():
            return message.planned
        case _:
            return None


def moment(milliseconds: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC; what no calendar has is told as that."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "a time that no calendar has"


def _attribute(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get("MessageAttributes", {}).get(name, {}).get("StringValue", "")
    return str(value)[:LONGEST_KEPT]


def _number(text: Any) -> int:
    """Anyone can set attributes: one that is not a number counts as 0."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0

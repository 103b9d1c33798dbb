"""Which stream records become audit messages, which never can, and which are tampering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from functions.stream_router.changes import Fate, fate_of_modified, fate_of_removed, ids_of
from shared.attributes import from_attributes
from shared.audit.messages import ROW_ATTRIBUTES, AuditMessage, MalformedMessageError


@dataclass(frozen=True, slots=True)
class Routed:
    """A stream record and its audit message."""

    sequence_number: str
    message: AuditMessage


@dataclass(frozen=True, slots=True)
class Unroutable:
    """A stream record that no retry can turn into a message, and why."""

    folder: ClassVar = "unroutable"

    sequence_number: str
    reason: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tampered:
    """A row was altered or removed behind the API's back. record: has both images, if there are."""

    folder: ClassVar = "tampered"

    sequence_number: str
    reason: str
    record: Mapping[str, Any]
    ids: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lawful:
    """A change that a ledger goes through: fate is `expired` or `held`."""

    fate: Fate
    ids: Mapping[str, Any]


@dataclass(slots=True)
class Batch:
    """The records of one invocation, sorted; each kind in the stream's order."""

    routed: list[Routed] = field(default_factory=list)
    unroutable: list[Unroutable] = field(default_factory=list)
    tampered: list[Tampered] = field(default_factory=list)
    lawful: list[Lawful] = field(default_factory=list)

    @property
    def expired(self) -> int:
        return sum(each.fate == "expired" for each in self.lawful)

    @property
    def held(self) -> list[Lawful]:
        return [each for each in self.lawful if each.fate == "held"]


def sort_out(records: Sequence[Mapping[str, Any]]) -> Batch:
    batch = Batch()
    for record in records:
        match route(record):
            case Routed() as routed:
                batch.routed.append(routed)
            case Unroutable() as unroutable:
                batch.unroutable.append(unroutable)
            case Tampered() as tampered:
                batch.tampered.append(tampered)
            case Lawful() as lawful:
                batch.lawful.append(lawful)
    return batch


def route(record: Mapping[str, Any]) -> Routed | Unroutable | Tampered | Lawful:
    """What to do with one DynamoDB stream record. Only a new row makes a mail."""
    change = record.get("dynamodb") or {}
    number = str(change.get("SequenceNumber") or record.get("eventID") or "unknown")
    try:
        match record.get("eventName"):
            case "INSERT":
                return Routed(number, _message(change))
            case "MODIFY" | "REMOVE" as name:
                return _changed(number, name, record)
            case _:
                return Unroutable(number, "it is no change of a row", record)
    except (MalformedMessageError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return Unroutable(number, str(error) or type(error).__name__, record)


def _message(change: Mapping[str, Any]) -> AuditMessage:
    image = change.get("NewImage") or {}
    told = {name: value for name, value in image.items() if name in ROW_ATTRIBUTES}
    return AuditMessage.from_row(from_attributes(told))


def _changed(number: str, name: str, record: Mapping[str, Any]) -> Tampered | Lawful:
    change = record["dynamodb"]
    old, new = change.get("OldImage") or {}, change.get("NewImage") or {}
    if name == "MODIFY":
        fate = fate_of_modified(old, new)
    else:
        created = float(change.get("ApproximateCreationDateTime") or 0)
        fate = fate_of_removed(old, record.get("userIdentity") or {}, created)
    ids = ids_of(old or new)
    if fate in _TAMPERING:
        return Tampered(number, _TAMPERING[fate], record, ids)
    return Lawful(fate, ids)


def chunks(routed: Sequence[Routed], size: int) -> list[Sequence[Routed]]:
    return [routed[start : start + size] for start in range(0, len(routed), size)]


_TAMPERING: Mapping[Fate, str] = {"altered": "ledger row altered", "removed": "ledger row removed"}

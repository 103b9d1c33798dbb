"""The audit message, which the router sends to the mailer.

It is a claim check: it names the ledger entry to mail and holds none of its content, so a forged,
stale or replayed message can only produce the true mail. The ops message does the same for a record
of what operators did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.ledger import EventId, PaymentId

SCHEMA = "scc.audit/1"
OPS_SCHEMA = "scc.ops/1"
ROW_ATTRIBUTES = frozenset({"payment_id", "PK", "SK", "event_id", "seq"})  # what from_row reads


class MalformedMessageError(ValueError):
    """A queue message that this version of the mailer cannot read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMessage:
    """pk, sk: the entry's key in the Payments table; sk is epoch milliseconds."""

    payment_id: PaymentId
    pk: str
    sk: int
    event_id: EventId
    seq: int

    def to_json(self) -> str:
        return json.dumps(
            {
                "schema": SCHEMA,
                "payment_id": self.payment_id,
                "pk": self.pk,
                "sk": self.sk,
                "event_id": self.event_id,
                "seq": self.seq,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, body: str) -> AuditMessage:
        """Raises MalformedMessageError: not JSON, another schema, a field missing or mistyped."""
        message = read_message(body)
        if not isinstance(message, cls):
            raise MalformedMessageError(f"the schema is not {SCHEMA}")
        return message

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> AuditMessage:
        """The message about a ledger row. Raises MalformedMessageError naming the attribute."""
        return cls(
            payment_id=PaymentId(_text(row, "payment_id")),
            pk=_text(row, "PK"),
            sk=_number(row, "SK"),
            event_id=EventId(_text(row, "event_id")),
            seq=_number(row, "seq"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsMessage:
    """ops_id: of the OpsRecord item to mail."""

    ops_id: str

    def to_json(self) -> str:
        return json.dumps({"schema": OPS_SCHEMA, "ops_id": self.ops_id}, separators=(",", ":"))


def read_message(body: str) -> AuditMessage | OpsMessage:
    """Raises MalformedMessageError: not JSON, another schema, a field missing or mistyped."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessageError("the body is not JSON") from error
    if not isinstance(content, dict):
        raise MalformedMessageError("the body is not a JSON object")
    if content.get("schema") == OPS_SCHEMA:
        return OpsMessage(ops_id=_text(content, "ops_id"))
    if content.get("schema") != SCHEMA:
        raise MalformedMessageError(f"the schema is not {SCHEMA} or {OPS_SCHEMA}")
    return AuditMessage.from_row({**content, "PK": content.get("pk"), "SK": content.get("sk")})


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedMessageError(f"{name} is missing or not text")
    return value


def _number(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedMessageError(f"{name} is missing or not a whole number")
    return value

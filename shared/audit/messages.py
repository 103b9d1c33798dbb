"""The audit message, which the router sends to the mailer.

It is a claim check: it names the ledger entry to mail and holds none of its content, so a forged,
stale or replayed message can only produce the true mail. The ops message does the same for a record
of what operators did, the reissue message for a mail that operators had issued again, the statement
message for a day's statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.ledger import EventId, PaymentId
from shared.statements.places import StatementPlace

SCHEMA = "scc.audit/1"
OPS_SCHEMA = "scc.ops/1"
STATEMENT_SCHEMA = "scc.statement/1"
REISSUE_SCHEMA = "scc.reissue/1"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementMessage:
    """place: of the statement to mail, which its hash names: no other bytes can be mailed."""

    place: StatementPlace

    def to_json(self) -> str:
        content = {
            "schema": STATEMENT_SCHEMA,
            "day": self.place.day,
            "final": self.place.final,
            "sha256": self.place.sha256,
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> StatementMessage:
        """Raises MalformedMessageError."""
        day, digest, final = _text(content, "day"), _text(content, "sha256"), content.get("final")
        if not _is_day(day):
            raise MalformedMessageError("day is not a date such as 2026-11-24")
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise MalformedMessageError("sha256 is not 64 hex digits")
        if not isinstance(final, bool):
            raise MalformedMessageError("final is missing or neither true nor false")
        return cls(place=StatementPlace(day=day, final=final, sha256=digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissueMessage:
    """run: of the ops records that say which mail is issued again, by whom and why.

    It names the mail, too: however often the message arrives, there is one.
    """

    run: str

    @property
    def planned(self) -> str:
        """Of the OpsRecord item that was written before anything was queued."""
        return f"{self.run}_planned"

    @property
    def delivery_id(self) -> PaymentId:
        """Its key in AuditDeliveries."""
        return PaymentId(self.run)

    def to_json(self) -> str:
        return json.dumps({"schema": REISSUE_SCHEMA, "run": self.run}, separators=(",", ":"))


Message = AuditMessage | OpsMessage | ReissueMessage | StatementMessage


def read_message(body: str) -> Message:
    """Raises MalformedMessageError: not JSON, another schema, a field missing or mistyped."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessageError("the body is not JSON") from error
    if not isinstance(content, dict):
        raise MalformedMessageError("the body is not a JSON object")
    if content.get("schema") == OPS_SCHEMA:
        return OpsMessage(ops_id=_text(content, "ops_id"))
    if content.get("schema") == STATEMENT_SCHEMA:
        return StatementMessage.from_content(content)
    if content.get("schema") == REISSUE_SCHEMA:
        return ReissueMessage(run=_text(content, "run"))
    if content.get("schema") != SCHEMA:
        known = f"{SCHEMA}, {OPS_SCHEMA}, {REISSUE_SCHEMA} or {STATEMENT_SCHEMA}"
        raise MalformedMessageError(f"the schema is not {known}")
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


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

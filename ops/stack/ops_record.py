"""The ops record: who did what to which messages, kept in a table and mailed to compliance."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from ops.session import Session
from ops.stack.queues import OpsAuditQueue
from shared.attributes import to_attributes
from shared.audit.messages import OpsMessage

SCHEMA_VERSION = 1
MESSAGES_A_PART = 1_000  # of at most 200 bytes each; an item may have 400 KB

Action = Literal["replay", "discard", "repair", "ack", "reissue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was planned or done. at: epoch milliseconds. run: shared by its phases."""

    run: str
    action: Action
    phase: Literal["planned", "done"]
    who: str
    at: int
    stack: str
    filter: str
    reason: str
    counts: Mapping[str, int]
    messages: Sequence[str]

    @property
    def ops_id(self) -> str:
        return f"{self.run}_{self.phase}"

    def parts(self) -> list[dict[str, Any]]:
        """The OpsRecord items. Part 0 has everything except the messages of later parts."""
        pieces = [
            list(self.messages[start : start + MESSAGES_A_PART])
            for start in range(0, len(self.messages), MESSAGES_A_PART)
        ] or [[]]
        listed = "\n".join(self.messages).encode("utf-8", "replace")
        first = {
            "ops_id": self.ops_id,
            "part": 0,
            "run": self.run,
            "action": self.action,
            "phase": self.phase,
            "who": self.who,
            "at": self.at,
            "stack": self.stack,
            "filter": self.filter,
            "reason": self.reason,
            "counts": dict(self.counts),
            "messages": pieces[0],
            "messages_total": len(self.messages),
            "messages_sha256": hashlib.sha256(listed).hexdigest(),
            "parts": len(pieces),
            "schema_version": SCHEMA_VERSION,
        }
        further = [
            {"ops_id": self.ops_id, "part": number, "messages": piece}
            for number, piece in enumerate(pieces[1:], start=1)
        ]
        return [first, *further]


def new_run(action: Action, at: int) -> str:
    """A unique name that sorts by time. at: epoch milliseconds."""
    stamp = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"ops_{action}_{stamp}_{secrets.token_hex(4)}"


class OpsRecord:
    """Appends to the table, never overwrites, then tells the mailer."""

    def __init__(self, client: Any, table: str, queue: OpsAuditQueue) -> None:
        self._client = client
        self._table = table
        self._queue = queue

    @classmethod
    def of(cls, session: Session, queue: OpsAuditQueue) -> OpsRecord:
        table = session.aws.output("OpsRecordTableName")
        return cls(session.aws.client("dynamodb"), table, queue)

    def acknowledged(self) -> frozenset[str]:
        """The ops ids by which findings were settled. The table is small."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="part = :first AND #action = :ack",
            ExpressionAttributeNames={"#action": "action"},
            ExpressionAttributeValues=to_attributes({":first": 0, ":ack": "ack"}),
            ProjectionExpression="ops_id",
        )
        return frozenset(each["ops_id"]["S"] for page in pages for each in page["Items"])

    def append(self, deed: Deed) -> None:
        """Part 0 goes last: it completes the record, and the mail is made from it."""
        for part in reversed(deed.parts()):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=to_attributes(part),
                    ConditionExpression="attribute_not_exists(ops_id)",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                # Ours: the SDK retried after a lost answer.
        self._queue.send(OpsMessage(ops_id=deed.ops_id).to_json())

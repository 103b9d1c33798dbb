"""The ops record: who did what to which messages, kept in a table and mailed to compliance."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from ops.errors import OpsError
from ops.session import Session
from ops.stack.queues import OpsAuditQueue
from ops.terminal.interrupts import held_back
from shared.attributes import from_attributes, to_attributes
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

    def append(self, deed: Deed) -> None:
        """A record that was there before stays as it is, and its mail is asked for anew.

        Part 0 goes last: it completes the record, and the mail is made from it. An interrupt waits
        until both are done, as a record that nobody is mailed about counts for little. Raises
        OpsError when something else has the record's id.
        """
        with held_back():
            for part in reversed(deed.parts()):
                is_new = self._put(part)
            if not is_new:
                self._require_same(deed)
            self.tell(deed.ops_id)

    def tell(self, ops_id: str) -> None:
        """Have a record mailed to compliance; however often, it is mailed once."""
        self._queue.send(OpsMessage(ops_id=ops_id).to_json())

    @contextmanager
    def around(self, planned: Deed, ended: Callable[[], Deed]) -> Iterator[None]:
        """Record what is planned, and what came of it, however the block ends.

        ended: what came of it; asked even if an interrupt came before the block could begin.
        """
        try:
            self.append(planned)
        except KeyboardInterrupt:
            self.append(ended())
            raise
        try:
            yield
        finally:
            self.append(ended())

    def _require_same(self, deed: Deed) -> None:
        key = to_attributes({"ops_id": deed.ops_id, "part": 0})
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        there = from_attributes(answer.get("Item", {}))
        if (there.get("action"), there.get("filter")) != (deed.action, deed.filter):
            raise OpsError(
                f"{deed.ops_id} is recorded already, about something else. scc did not write that: "
                "tell compliance, and find out who may write to the ops record."
            )

    def _put(self, part: Mapping[str, Any]) -> bool:
        """False: it was there, by the SDK's own retry after a lost answer, or from before."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_attributes(part),
                ConditionExpression="attribute_not_exists(ops_id)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

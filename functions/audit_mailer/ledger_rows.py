"""What the mailer reads: the entry that a message is about, its relatives, and ops records."""

from __future__ import annotations

from typing import Any

from shared import keys
from shared.attributes import from_attributes, to_attributes


class LedgerRows:
    def __init__(self, client: Any, payments_table: str, ledger_table: str) -> None:
        self._client = client
        self._payments = payments_table
        self._ledger = ledger_table

    def row(self, pk: str, sk: int) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._payments,
            Key=to_attributes({"PK": pk, "SK": sk}),
            ConsistentRead=True,  # the message may arrive before replication
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def find(self, payment_id: str) -> dict[str, Any] | None:
        """The row of a payment, through the pointer that its transaction wrote.

        None also for a pointer that leads nowhere.
        """
        pointer = self._ledger_item(keys.pointer(payment_id))
        pk, sk = pointer.get("row_pk"), pointer.get("row_sk")
        return self.row(pk, sk) if isinstance(pk, str) and pk and isinstance(sk, int) else None

    def void_of(self, payment_id: str) -> dict[str, Any] | None:
        """The row of the entry that voids a payment."""
        void_id = self._ledger_item(keys.void_mark(payment_id)).get("void_id")
        return self.find(void_id) if isinstance(void_id, str) and void_id else None

    def _ledger_item(self, key: keys.Key) -> dict[str, Any]:
        answer = self._client.get_item(
            TableName=self._ledger,
            Key=to_attributes(key),
            ConsistentRead=True,  # as above: pointers are as new as their rows
        )
        return from_attributes(answer.get("Item", {}))

    def logged_at(self, day: str, moment: int) -> list[dict[str, Any]]:
        """The rows logged in one millisecond of a business day, of one transaction or a few.

        Read from an index, which may lag behind the table by a moment.
        """
        answer = self._client.query(
            TableName=self._payments,
            IndexName=keys.PAYMENTS_BY_DAY,
            KeyConditionExpression="logged_day = :day AND logged_at = :moment",
            ExpressionAttributeValues=to_attributes({":day": day, ":moment": moment}),
            Limit=20,
        )
        return [from_attributes(item) for item in answer["Items"]]


class OpsRecordReader:
    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, ops_id: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes({"ops_id": ops_id, "part": 0}),
            ConsistentRead=True,
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

"""What the mailer reads: the entry that a message is about, its relatives, and ops records."""

from __future__ import annotations

from typing import Any

from shared import keys
from shared.attributes import from_attributes, to_attributes

MOST_MS = 10**15  # epoch milliseconds; DynamoDB refuses a number of more than 38 digits


class LedgerRows:
    def __init__(self, client: Any, payments_table: str, ledger_table: str) -> None:
        self._client = client
        self._payments = payments_table
        self._ledger = ledger_table

    def row(self, pk: Any, sk: Any) -> dict[str, Any] | None:
        """None also for what is no key: anything may be in a pointer or a message."""
        if not (keys.is_key(pk) and type(sk) is int and abs(sk) <= MOST_MS):
            return None
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
        return self.row(pk, sk)

    def void_of(self, payment_id: str) -> dict[str, Any] | None:
        """The row of the entry that voids a payment."""
        return self._marked(payment_id, "void_id")

    def correction_of(self, payment_id: str) -> dict[str, Any] | None:
        """The row of the payment that replaces a voided one."""
        return self._marked(payment_id, "correction_id")

    def _marked(self, payment_id: str, name: str) -> dict[str, Any] | None:
        named = self._ledger_item(keys.void_mark(payment_id)).get(name)
        return self.find(named) if isinstance(named, str) and named else None

    def _ledger_item(self, key: keys.Key) -> dict[str, Any]:
        if not keys.is_key(key["PK"]):
            return {}
        answer = self._client.get_item(
            TableName=self._ledger,
            Key=to_attributes(key),
            ConsistentRead=True,  # as above: pointers are as new as their rows
        )
        return from_attributes(answer.get("Item", {}))


class OpsRecordReader:
    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, ops_id: str) -> dict[str, Any] | None:
        if not keys.is_key(ops_id):
            return None
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes({"ops_id": ops_id, "part": 0}),
            ConsistentRead=True,
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

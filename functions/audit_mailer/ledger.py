"""The ledger, from the mailer's side: read the one entry that a message is about."""

from __future__ import annotations

from typing import Any

from shared.attributes import from_attributes, to_attributes


class LedgerReader:
    def __init__(self, client: Any, payments_table: str) -> None:
        self._client = client
        self._table = payments_table

    def row(self, pk: str, sk: int) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes({"PK": pk, "SK": sk}),
            ConsistentRead=True,  # the message may be quicker than replication
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

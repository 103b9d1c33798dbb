"""An event's chain of entries: its head, and where all its rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.ledger import Head


class Chains:
    def __init__(self, client: Any, ledger_table: str, payments_table: str) -> None:
        self._client = client
        self._ledger = ledger_table
        self._payments = payments_table

    def head(self, event_id: str) -> Head | None:
        """The last entry's number and hash; Head() without an item, None for one that is forged."""
        answer = self._client.get_item(
            TableName=self._ledger,
            Key=to_attributes(keys.head(event_id)),
            ConsistentRead=True,
        )
        if "Item" not in answer:
            return Head()
        item = from_attributes(answer["Item"])
        seq, last_hash = item.get("seq"), item.get("hash")
        if type(seq) is not int or not isinstance(last_hash, str):
            return None
        return Head(seq=seq, hash=last_hash)

    def places(self, event_id: str) -> Iterator[dict[str, Any]]:
        """Key, number, day and time of every row of the event, as far as it has them; any order.

        The index may lag by a moment.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._payments,
            IndexName=keys.PAYMENTS_BY_EVENT,
            KeyConditionExpression="event_id = :event_id",
            ExpressionAttributeValues=to_attributes({":event_id": event_id}),
            ProjectionExpression="PK, SK, seq, logged_day, logged_at",
        )
        for page in pages:
            yield from (from_attributes(item) for item in page["Items"])

"""An event's chain of entries: its head, and the numbers of all its rows."""

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

    def head(self, event_id: str) -> Head:
        """The last entry's number and hash; Head() for an event without entries."""
        answer = self._client.get_item(
            TableName=self._ledger,
            Key=to_attributes(keys.head(event_id)),
            ConsistentRead=True,
        )
        item = from_attributes(answer.get("Item", {}))
        return Head(seq=item["seq"], hash=item["hash"]) if item else Head()

    def numbers(self, event_id: str) -> Iterator[int]:
        """The number of every row of the event, in any order. The index may lag by a moment."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._payments,
            IndexName=keys.PAYMENTS_BY_EVENT,
            KeyConditionExpression="event_id = :event_id",
            ExpressionAttributeValues=to_attributes({":event_id": event_id}),
            ProjectionExpression="seq",
        )
        for page in pages:
            for item in page["Items"]:
                number = from_attributes(item).get("seq")
                if isinstance(number, int):
                    yield number

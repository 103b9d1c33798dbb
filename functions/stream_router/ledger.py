"""What the sweep reads: the entries of a day, and what became of their mails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shared.attributes import from_attributes, to_attributes


class LedgerReader:
    def __init__(self, client: Any, payments_table: str, deliveries_table: str) -> None:
        self._client = client
        self._payments = payments_table
        self._deliveries = deliveries_table

    def logged_on(self, day: str) -> Iterator[list[dict[str, Any]]]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first, in pages of at most 100."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._payments,
            IndexName="GSI3",
            KeyConditionExpression="logged_day = :day",
            ExpressionAttributeValues=to_attributes({":day": day}),
            PaginationConfig={"PageSize": 100},
        )
        for page in pages:
            yield [from_attributes(item) for item in page["Items"]]

    def deliveries(self, payment_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """AuditDeliveries of at most 100 payments, by payment_id."""
        keys = [to_attributes({"payment_id": each}) for each in payment_ids]
        pending: dict[str, Any] = {self._deliveries: {"Keys": keys}} if keys else {}
        found: dict[str, dict[str, Any]] = {}
        while pending:
            answer = self._client.batch_get_item(RequestItems=pending)
            for item in answer["Responses"].get(self._deliveries, ()):
                delivery = from_attributes(item)
                found[delivery["payment_id"]] = delivery
            pending = answer.get("UnprocessedKeys") or {}
        return found

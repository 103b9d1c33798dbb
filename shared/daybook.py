"""The daybook: what was logged on a day, and what became of those entries' mails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shared.attributes import from_attributes, to_attributes

PAGE = 100  # what BatchGetItem takes
LONGEST_KEY = 2_048  # bytes, DynamoDB's limit for a partition key
ROUNDS = 6  # for keys that DynamoDB left out; the waits between add up to 3 s


class DaybookUnreadableError(Exception):
    """DynamoDB keeps leaving keys out: what they hold is unknown. Try again later."""


class Daybook:
    """Reads the Payments index by day, and AuditDeliveries. pause: sleeps seconds."""

    def __init__(
        self,
        client: Any,
        payments_table: str,
        deliveries_table: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._payments = payments_table
        self._deliveries = deliveries_table
        self._pause = pause

    def logged_on(self, day: str) -> Iterator[list[dict[str, Any]]]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first, in pages of at most 100."""
        pages = self._client.get_paginator("query").paginate(
            **self._query(day), PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            yield [from_attributes(item) for item in page["Items"]]

    def has_entries(self, day: str) -> bool:
        """Whether anything was logged on a UTC day."""
        return bool(self._client.query(**self._query(day), Limit=1)["Items"])

    def deliveries(self, payment_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """AuditDeliveries of at most 100 payments, by payment_id; what can be no key has none.

        Raises DaybookUnreadableError.
        """
        wanted = [each for each in dict.fromkeys(payment_ids) if is_key(each)]
        keys = [to_attributes({"payment_id": each}) for each in wanted]
        pending: dict[str, Any] = {self._deliveries: {"Keys": keys}} if keys else {}
        found: dict[str, dict[str, Any]] = {}
        for each_round in range(ROUNDS):
            if not pending:
                return found
            if each_round:
                self._pause(0.1 * 2 ** (each_round - 1))
            answer = self._client.batch_get_item(RequestItems=pending)
            for item in answer["Responses"].get(self._deliveries, ()):
                delivery = from_attributes(item)
                found[delivery["payment_id"]] = delivery
            pending = answer.get("UnprocessedKeys") or {}
        if pending:
            raise DaybookUnreadableError("DynamoDB left keys of AuditDeliveries unread")
        return found

    def _query(self, day: str) -> dict[str, Any]:
        return {
            "TableName": self._payments,
            "IndexName": "GSI3",
            "KeyConditionExpression": "logged_day = :day",
            "ExpressionAttributeValues": to_attributes({":day": day}),
        }


def is_key(payment_id: Any) -> bool:
    """Whether DynamoDB can look it up: one id that it refuses would fail the whole page."""
    return isinstance(payment_id, str) and 0 < len(payment_id.encode()) <= LONGEST_KEY

"""The daybook: what was logged on a day, and whether those entries were mailed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.reads import Pause, batch_get

PAGE = 100


class Daybook:
    """Reads the Payments index by day, and AuditDeliveries. pause: sleeps seconds."""

    def __init__(
        self,
        client: Any,
        payments_table: str,
        deliveries_table: str,
        pause: Pause = time.sleep,
    ) -> None:
        self._client = client
        self._payments = payments_table
        self._deliveries = deliveries_table
        self._pause = pause

    def logged_on(self, day: str) -> Iterator[list[dict[str, Any]]]:
        """The rows logged on a business day (YYYY-MM-DD), oldest first, in pages of at most 100."""
        pages = self._client.get_paginator("query").paginate(
            **self._query(day), PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            yield [from_attributes(item) for item in page["Items"]]

    def has_entries(self, day: str) -> bool:
        """Whether anything was logged on a business day."""
        return bool(self._client.query(**self._query(day), Limit=1)["Items"])

    def deliveries(self, payment_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """AuditDeliveries of these payments, by payment_id. Skips ids that are not valid keys.

        Raises UnreadKeysError.
        """
        wanted = [
            (self._deliveries, {"payment_id": each})
            for each in dict.fromkeys(filter(keys.is_key, payment_ids))
        ]
        rows = batch_get(self._client, wanted, consistent=False, pause=self._pause)
        return {row["payment_id"]: row for _, row in rows}

    def _query(self, day: str) -> dict[str, Any]:
        return {
            "TableName": self._payments,
            "IndexName": keys.PAYMENTS_BY_DAY,
            "KeyConditionExpression": "logged_day = :day",
            "ExpressionAttributeValues": to_attributes({":day": day}),
        }

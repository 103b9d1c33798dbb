"""What operators did on a day, as they recorded it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.attributes import from_attributes, to_attributes


class OpsRecords:
    """The table is small: a few items whenever somebody replays, discards or repairs."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def made(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        """The records made from `start` until before `end` (epoch ms), in any order."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="part = :first AND #at >= :start AND #at < :end",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=to_attributes({":first": 0, ":start": start, ":end": end}),
        )
        for page in pages:
            yield from (from_attributes(item) for item in page["Items"])

"""What operators did on a day, by hash."""

from __future__ import annotations

import hashlib
from typing import Any

from shared.attributes import from_attributes, to_attributes
from shared.ledger import canonical_json


class OpsRecords:
    """The table is small: a few items whenever somebody replays, discards or repairs."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def hashes(self, start: int, end: int) -> dict[str, str]:
        """SHA-256 of each record made from `start` until before `end` (epoch ms), by ops_id.

        Of its canonical form, which is the attachment of its mail.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="part = :first AND #at >= :start AND #at < :end",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=to_attributes({":first": 0, ":start": start, ":end": end}),
        )
        records = [from_attributes(item) for page in pages for item in page["Items"]]
        return {
            str(each["ops_id"]): hashlib.sha256(canonical_json(each)).hexdigest()
            for each in records
        }

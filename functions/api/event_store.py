"""The Events table: events and their rosters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.dynamo import Dynamo, Page
from shared.attributes import to_attributes


class EventStore:
    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def events(self, limit: int, start: Mapping[str, Any] | None) -> Page:
        """One page of events, newest first by date."""
        return self._dynamo.query(
            start,
            TableName=self._table,
            IndexName="ByDate",
            KeyConditionExpression="listing = :listing",
            ExpressionAttributeValues=to_attributes({":listing": "event"}),
            ScanIndexForward=False,
            Limit=limit,
        )

    def event(self, event_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """An event's META item and its whole roster, or None."""
        start: Mapping[str, Any] | None = None
        rows: list[dict[str, Any]] = []
        while True:
            page = self._dynamo.query(
                start,
                TableName=self._table,
                KeyConditionExpression="event_id = :event_id",
                ExpressionAttributeValues=to_attributes({":event_id": event_id}),
            )
            rows += page.rows
            if page.position is None:
                break
            start = page.position
        meta = [row for row in rows if row["SK"] == "META"]
        return (meta[0], [row for row in rows if row["SK"] != "META"]) if meta else None

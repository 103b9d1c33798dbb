"""The Events table: events and their rosters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.api.tables.dynamo import Dynamo, Page
from shared import keys
from shared.attributes import to_attributes

_ORDER = {"event_date": "", "event_id": ""}


class EventStore:
    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def events(self, limit: int, after: Sequence[Any] | None) -> Page:
        """One page of events, newest first by date; those of one day from z to a by id."""
        return self._dynamo.newest_first(
            self._table, keys.EVENTS_BY_DATE, ("listing", "event"), _ORDER, limit, after
        )

    def event(self, event_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """An event's META item and its whole roster, or None."""
        pages = self._dynamo.pages(
            TableName=self._table,
            KeyConditionExpression="event_id = :event_id",
            ExpressionAttributeValues=to_attributes({":event_id": event_id}),
        )
        rows = [row for page in pages for row in page]
        meta = [row for row in rows if keys.is_event_meta(row)]
        return (meta[0], [row for row in rows if not keys.is_event_meta(row)]) if meta else None

"""The Events table: events and their rosters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.api.tables.dynamo import Dynamo
from functions.api.tables.platform_items import PlatformItems, Row, Sorted, event_among
from shared import keys
from shared.attributes import to_attributes

_ORDER = {"event_date": "", "event_id": ""}


@dataclass(frozen=True, slots=True)
class EventPage:
    """position: where the next page starts, or None."""

    events: Sorted
    position: list[Any] | None


def items_of(dynamo: Dynamo, table: str, event_id: str, *, consistent: bool) -> list[Row]:
    """The event's own item and its whole roster."""
    pages = dynamo.pages(
        TableName=table,
        KeyConditionExpression="event_id = :event_id",
        ExpressionAttributeValues=to_attributes({":event_id": event_id}),
        ConsistentRead=consistent,
    )
    return [row for page in pages for row in page]


class EventStore:
    def __init__(self, dynamo: Dynamo, table: str, items: PlatformItems) -> None:
        self._dynamo = dynamo
        self._table = table
        self._items = items

    def events(self, limit: int, after: Sequence[Any] | None) -> EventPage:
        """One page of events, newest first by date; those of one day from z to a by id."""
        page = self._dynamo.newest_first(
            self._table, keys.EVENTS_BY_DATE, keys.LISTED, _ORDER, limit, after
        )
        return EventPage(self._items.events(page.rows), page.position)

    def event(self, event_id: str) -> tuple[dict[str, Any], Sorted] | None:
        """An event and its whole roster, or None. Raises UnusableError."""
        rows = items_of(self._dynamo, self._table, event_id, consistent=False)
        row = event_among(rows)
        return (self._items.event(row), self._items.roster(rows)) if row else None

    def without_roster(self, event_id: str) -> dict[str, Any] | None:
        """An event, or None. Raises UnusableError."""
        row = self._dynamo.get(self._table, keys.event_meta(event_id))
        return self._items.event(row) if row else None

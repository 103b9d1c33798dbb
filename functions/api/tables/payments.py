"""Pages of payments, and the state of their mails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from functions.api.tables.dynamo import Dynamo, Page
from shared import keys
from shared.attributes import to_attributes

EXPORT_PAGE = 100
_ORDER = {"timestamp": 0, "seq": 0, "payment_id": ""}
_INDEXES = {
    "patron_email": keys.PAYMENTS_BY_PATRON,
    "event_id": keys.PAYMENTS_BY_EVENT,
    "logged_day": keys.PAYMENTS_BY_DAY,
}


class PaymentStore:
    """Reads the Payments table by its indexes, and AuditDeliveries."""

    def __init__(self, dynamo: Dynamo, payments_table: str, deliveries_table: str) -> None:
        self._dynamo = dynamo
        self._payments_table = payments_table
        self._deliveries_table = deliveries_table

    def payments_by(self, name: str, value: str, limit: int, after: Sequence[Any] | None) -> Page:
        """One page of an event's or a patron's entries, newest first by timestamp.

        Of one millisecond, the entry with the higher number comes first; between events that
        number says nothing, so equal ones are in order of payment_id, from f to 0.
        name: "event_id" or "patron_email". after: the place of the last entry seen.
        """
        index = _INDEXES[name]
        return self._dynamo.newest_first(
            self._payments_table, index, (name, value), _ORDER, limit, after
        )

    def newest(self, event_id: str, limit: int) -> list[dict[str, Any]]:
        return self.payments_by("event_id", event_id, limit, None).rows

    def pages_by(self, name: str, value: str) -> Iterator[list[dict[str, Any]]]:
        """All rows of an event ("event_id") or a business day ("logged_day"), oldest first."""
        return self._dynamo.pages(
            TableName=self._payments_table,
            IndexName=_INDEXES[name],
            KeyConditionExpression=f"{name} = :value",
            ExpressionAttributeValues=to_attributes({":value": value}),
            Limit=EXPORT_PAGE,
        )

    def deliveries(self, payment_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """AuditDeliveries of these payments, by payment_id. Skips ids that are not valid keys."""
        wanted = [{"payment_id": each} for each in dict.fromkeys(payment_ids) if keys.is_key(each)]
        items = self._dynamo.batch_get(self._deliveries_table, wanted, consistent=False)
        return {item["payment_id"]: item for item in items}

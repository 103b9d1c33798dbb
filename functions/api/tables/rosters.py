"""An event's roster, on which the API writes one thing: a patron's signature."""

from __future__ import annotations

from typing import Any

from functions.api.events.waiver import NotOnRosterError, Signed, SignedWaiver, WaiverSignature
from functions.api.http.problems import FieldError, UnusableError
from functions.api.tables.dynamo import Dynamo
from functions.api.tables.events import items_of
from functions.api.tables.platform_items import (
    PlatformItems,
    Row,
    address_of,
    entry_of,
    is_signed,
)
from shared import keys
from shared.attributes import to_attributes

_UNSIGNED = (  # a platform may write nothing, null or no text
    "attribute_not_exists(waiver_signed_at) OR attribute_type(waiver_signed_at, :null) "
    "OR waiver_signed_at = :empty"
)


class RosterStore:
    """The PATRON# items of the Events table."""

    def __init__(self, dynamo: Dynamo, events_table: str, items: PlatformItems) -> None:
        self._dynamo = dynamo
        self._table = events_table
        self._items = items

    def sign(self, event_id: str, email: str, signature: WaiverSignature, now: int) -> Signed:
        """One conditional write: the entry must be there, and a signature never changes.

        email: in lower case; it is kept as typed beside it. now: epoch milliseconds. Raises
        NotOnRosterError or UnusableError.
        """
        written = {
            "waiver_signed_at": now,
            "waiver_name": signature.name,
            "waiver_email": signature.email,
        }
        row = self._entry(event_id, email)
        if row is None:
            raise NotOnRosterError
        key = {"event_id": event_id, "SK": str(row["SK"])}
        if not is_signed(row) and self._write(key, written):
            return Signed(SignedWaiver(email=email, name=signature.name, signed_at=now))
        before = self._dynamo.get(self._table, key)
        if before is None:
            raise NotOnRosterError
        return Signed(self._signed(before), replayed=True)

    def has_event(self, event_id: str) -> bool:
        return self._dynamo.get(self._table, keys.event_meta(event_id)) is not None

    def _entry(self, event_id: str, email: str) -> Row | None:
        row = self._dynamo.get(self._table, keys.patron(event_id, email))
        if row is not None and address_of(row) == email:
            return row
        return entry_of(items_of(self._dynamo, self._table, event_id, consistent=True), email)

    def _write(self, key: keys.Key, written: dict[str, Any]) -> bool:
        """Whether there was an entry without a signature, which now has this one."""
        values = {f":{name}": value for name, value in written.items()}
        try:
            self._dynamo.client.update_item(
                TableName=self._table,
                Key=to_attributes(key),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in written),
                ConditionExpression=f"attribute_exists(SK) AND ({_UNSIGNED})",
                ExpressionAttributeValues=to_attributes(values | {":null": "NULL", ":empty": ""}),
            )
        except self._dynamo.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _signed(self, row: dict[str, Any]) -> SignedWaiver:
        """A signature without a name came with the roster, so it is the patron's."""
        entry = self._items.patron(row)
        if entry["waiver_signed_at"] is None:
            message = "The roster notes this signature in a way that cannot be read: ask the crew."
            raise UnusableError(message, FieldError("email", "unusable", message))
        return SignedWaiver(
            email=entry["email"], name=entry["waiver_name"], signed_at=entry["waiver_signed_at"]
        )

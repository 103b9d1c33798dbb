"""An event's roster, on which the API writes one thing: a patron's signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.events.waiver import NotOnRosterError, Signed, SignedWaiver, WaiverSignature
from functions.api.tables.dynamo import Dynamo
from shared import keys
from shared.attributes import to_attributes


class RosterStore:
    """The PATRON# items of the Events table."""

    def __init__(self, dynamo: Dynamo, events_table: str) -> None:
        self._dynamo = dynamo
        self._table = events_table

    def sign(self, event_id: str, email: str, signature: WaiverSignature, now: int) -> Signed:
        """One conditional write: the entry must be there, and a signature never changes.

        email: the entry's key, in lower case; it is kept as typed beside it. now: epoch
        milliseconds. Raises NotOnRosterError.
        """
        key = keys.patron(event_id, email)
        written = {
            "waiver_signed_at": now,
            "waiver_name": signature.name,
            "waiver_email": signature.email,
        }
        try:
            self._dynamo.client.update_item(
                TableName=self._table,
                Key=to_attributes(key),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in written),
                ConditionExpression=(
                    "attribute_exists(SK) AND attribute_not_exists(waiver_signed_at)"
                ),
                ExpressionAttributeValues=to_attributes({f":{k}": v for k, v in written.items()}),
            )
        except self._dynamo.client.exceptions.ConditionalCheckFailedException as error:
            there = self._dynamo.get(self._table, key)
            if there is None or "waiver_signed_at" not in there:
                raise NotOnRosterError from error
            return Signed(_signed(email, there), replayed=True)
        return Signed(_signed(email, written))

    def has_event(self, event_id: str) -> bool:
        return self._dynamo.get(self._table, keys.event_meta(event_id)) is not None


def _signed(email: str, entry: Mapping[str, Any]) -> SignedWaiver:
    """A signature without a name came with the roster, so it is the patron's."""
    name = entry.get("waiver_name") or entry["name"]
    return SignedWaiver(email=email, name=name, signed_at=entry["waiver_signed_at"])

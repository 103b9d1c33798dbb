"""What a statement reads of the ledger: heads, all rows of an event, single payments."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from functions.daily_statement.rules.heads import EventHead
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.reads import Pause, batch_get


class LedgerRows:
    def __init__(
        self, client: Any, ledger_table: str, payments_table: str, pause: Pause = time.sleep
    ) -> None:
        self._client = client
        self._ledger = ledger_table
        self._payments = payments_table
        self._pause = pause

    def events(self) -> Iterator[str]:
        """The ids of all events with a head. Reads the whole table: for the first statement."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._ledger,
            ConsistentRead=True,
            FilterExpression="begins_with(PK, :prefix)",
            ExpressionAttributeValues=to_attributes({":prefix": keys.HEAD_PREFIX}),
            ProjectionExpression="PK",
        )
        for page in pages:
            yield from (keys.event_of_head(from_attributes(item)) for item in page["Items"])

    def heads(self, event_ids: Iterable[str]) -> dict[str, EventHead]:
        """An id that no table takes as a key has no head. Raises UnreadKeysError."""
        wanted = list(dict.fromkeys(event_ids))
        found = dict.fromkeys(wanted, EventHead())
        read = batch_get(
            self._client,
            [(self._ledger, key) for key in map(keys.head, wanted) if keys.is_key(key["PK"])],
            consistent=True,
            pause=self._pause,
        )
        for _, item in read:
            found[keys.event_of_head(item)] = EventHead.of(item)
        return found

    def places(self, payment_ids: Sequence[str]) -> dict[str, tuple[Any, Any]]:
        """Where pointers say that rows are, as a row's PK and SK; of those that have a pointer.

        Raises UnreadKeysError.
        """
        wanted = [keys.pointer(each) for each in dict.fromkeys(payment_ids)]
        read = batch_get(
            self._client,
            [(self._ledger, each) for each in wanted if keys.is_key(each["PK"])],
            consistent=True,
            pause=self._pause,
        )
        return {
            keys.payment_of_pointer(item): (item.get("row_pk"), item.get("row_sk"))
            for _, item in read
        }

    def of_event(self, event_id: str) -> Iterator[dict[str, Any]]:
        """Every row of the event, in any order. The index may lag by a moment.

        None of an id that no table takes as a key, such as the empty one of a forged head.
        """
        if not keys.is_key(event_id):
            return
        pages = self._client.get_paginator("query").paginate(
            TableName=self._payments,
            IndexName=keys.PAYMENTS_BY_EVENT,
            KeyConditionExpression="event_id = :event_id",
            ExpressionAttributeValues=to_attributes({":event_id": event_id}),
        )
        for page in pages:
            yield from (from_attributes(item) for item in page["Items"])

    def find(self, payment_id: str) -> dict[str, Any] | None:
        """The row of a payment, through its pointer; None also if that leads nowhere."""
        pointer = self._ledger_item(keys.pointer(payment_id))
        pk, sk = pointer.get("row_pk"), pointer.get("row_sk")
        if not keys.is_key(pk) or type(sk) is not int:  # a bool is an int, too
            return None
        answer = self._client.get_item(
            TableName=self._payments, Key=to_attributes({"PK": pk, "SK": sk})
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def mark_of(self, payment_id: str) -> dict[str, Any]:
        """The mark that a payment is voided, and by which entry; empty without one."""
        return self._ledger_item(keys.void_mark(payment_id))

    def _ledger_item(self, key: keys.Key) -> dict[str, Any]:
        """Empty without one; an entry may be about an id that no table takes as a key."""
        if not keys.is_key(key["PK"]):
            return {}
        answer = self._client.get_item(TableName=self._ledger, Key=to_attributes(key))
        return from_attributes(answer.get("Item", {}))

    def of_patron(self, event_id: str, patron_email: str) -> Iterator[dict[str, Any]]:
        """Every row of a patron at an event; none of one that no table takes as a key."""
        pk = keys.entry_pk(event_id, patron_email)
        if not keys.is_key(pk):
            return
        pages = self._client.get_paginator("query").paginate(
            TableName=self._payments,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues=to_attributes({":pk": pk}),
        )
        for page in pages:
            yield from (from_attributes(item) for item in page["Items"])

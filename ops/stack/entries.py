"""What operators read from the ledger and the deliveries. Nothing here writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.session import Session
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.daybook import PAGE, is_key
from shared.messages import AuditMessage
from shared.reads import Pause, batch_get

Row = dict[str, Any]
Page = tuple[list[Row], dict[str, Any] | None]  # and where the next one begins


class LedgerReader:
    """Reading many keys raises UnreadKeysError when DynamoDB keeps leaving some out.

    client: DynamoDB's. pause: sleeps seconds, between two tries to read what was left out.
    """

    def __init__(
        self,
        client: Any,
        payments: str,
        ledger: str,
        deliveries: str,
        pause: Pause = time.sleep,
    ) -> None:
        self._client = client
        self._payments, self._ledger, self._deliveries = payments, ledger, deliveries
        self._pause = pause

    @classmethod
    def of(cls, session: Session) -> LedgerReader:
        aws = session.aws
        return cls(
            aws.client("dynamodb"),
            aws.output("PaymentsTableName"),
            aws.output("LedgerTableName"),
            aws.output("DeliveriesTableName"),
        )

    def heads(self) -> dict[str, Row]:
        """The head of every event that has entries: seq and hash, by event id."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._ledger,
            ConsistentRead=True,
            FilterExpression="begins_with(PK, :event)",
            ExpressionAttributeValues=to_attributes({":event": keys.HEAD_PREFIX}),
        )
        found = (from_attributes(item) for page in pages for item in page["Items"])
        return {keys.event_of_head(each): each for each in found}

    def head(self, event_id: str) -> Row:
        """Empty when the event has no entries."""
        return self._get(self._ledger, keys.head(event_id))

    def of_event(self, event_id: str, after: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """The rows of an event by timestamp. after: where an earlier page said the next begins."""
        return self._query(keys.PAYMENTS_BY_EVENT, "event_id", event_id, after)

    def of_day(self, day: str, after: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """The rows logged on a business day (YYYY-MM-DD), oldest first."""
        return self._query(keys.PAYMENTS_BY_DAY, "logged_day", day, after)

    def deliveries(self, ids: Sequence[str]) -> dict[str, Row]:
        """AuditDeliveries of payments or ops records, by id. Skips ids that are not valid keys."""
        wanted = [{"payment_id": each} for each in dict.fromkeys(ids) if is_key(each)]
        return {each["payment_id"]: each for each in self._batch(self._deliveries, wanted)}

    def known(self, messages: Sequence[AuditMessage]) -> set[str]:
        """Which of the payments that these messages name are in the ledger where they say."""
        places = dict.fromkeys((each.pk, each.sk) for each in messages)
        wanted = [{"PK": pk, "SK": sk} for pk, sk in places]
        rows = self._batch(self._payments, wanted, attributes=("PK", "SK", "payment_id"))
        there = {(each["PK"], each["SK"], each.get("payment_id")) for each in rows}
        return {
            each.payment_id for each in messages if (each.pk, each.sk, each.payment_id) in there
        }

    def payment(self, payment_id: str) -> Row:
        """The row of a payment or void; empty when there is none."""
        pointer = self._get(self._ledger, keys.pointer(payment_id))
        if not pointer:
            return {}
        return self._get(self._payments, {"PK": pointer["row_pk"], "SK": pointer["row_sk"]})

    def void_of(self, payment_id: str) -> str:
        """The id of what voids this payment; empty when nothing does."""
        return str(self._get(self._ledger, keys.void_mark(payment_id)).get("void_id", ""))

    def _get(self, table: str, key: Mapping[str, Any]) -> Row:
        answer = self._client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer.get("Item", {}))

    def _query(
        self, index: str, name: str, value: str, after: Mapping[str, Any] | None
    ) -> Iterator[Page]:
        wanted: dict[str, Any] = {
            "TableName": self._payments,
            "IndexName": index,
            "KeyConditionExpression": f"{name} = :value",
            "ExpressionAttributeValues": to_attributes({":value": value}),
            "Limit": PAGE,
        }
        start = dict(after) if after else None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            answer = self._client.query(**wanted, **more)
            start = answer.get("LastEvaluatedKey")
            yield [from_attributes(item) for item in answer["Items"]], start
            if not start:
                return

    def _batch(
        self, table: str, wanted: Sequence[Mapping[str, Any]], attributes: Sequence[str] = ()
    ) -> Iterator[Row]:
        rows = batch_get(
            self._client,
            [(table, key) for key in wanted],
            consistent=True,
            attributes=attributes,
            pause=self._pause,
        )
        return (row for _, row in rows)

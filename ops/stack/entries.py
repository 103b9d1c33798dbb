"""What operations read of the ledger and of the deliveries. Nothing here writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ops.session import Session
from shared.attributes import from_attributes, to_attributes
from shared.daybook import PAGE, ROUNDS, DaybookUnreadableError, is_key
from shared.messages import AuditMessage

Row = dict[str, Any]
Page = tuple[list[Row], dict[str, Any] | None]  # and where the next one begins


class LedgerReader:
    """Reading many keys raises DaybookUnreadableError when DynamoDB keeps leaving some out.

    client: DynamoDB's. pause: sleeps seconds, between two tries to read what was left out.
    """

    def __init__(
        self,
        client: Any,
        payments: str,
        ledger: str,
        deliveries: str,
        pause: Callable[[float], None] = time.sleep,
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
            ExpressionAttributeValues=to_attributes({":event": "EVENT#"}),
        )
        found = (from_attributes(item) for page in pages for item in page["Items"])
        return {each["PK"].removeprefix("EVENT#"): each for each in found}

    def head(self, event_id: str) -> Row:
        """Empty when the event has no entries."""
        return self._get(self._ledger, {"PK": f"EVENT#{event_id}"})

    def of_event(self, event_id: str, after: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """The rows of an event by timestamp. after: where an earlier page said the next begins."""
        return self._query("GSI2", "event_id", event_id, after)

    def of_day(self, day: str, after: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """The rows logged on a UTC day (YYYY-MM-DD), oldest first."""
        return self._query("GSI3", "logged_day", day, after)

    def deliveries(self, ids: Sequence[str]) -> dict[str, Row]:
        """AuditDeliveries of payments (or ops records), by id; what can be no key has none."""
        keys = [{"payment_id": each} for each in dict.fromkeys(ids) if is_key(each)]
        return {each["payment_id"]: each for each in self._batch(self._deliveries, keys)}

    def known(self, messages: Sequence[AuditMessage]) -> set[str]:
        """Which of the payments that these messages name are in the ledger where they say."""
        places = dict.fromkeys((each.pk, each.sk) for each in messages)
        keys = [{"PK": pk, "SK": sk} for pk, sk in places]
        rows = self._batch(self._payments, keys, ProjectionExpression="PK, SK, payment_id")
        there = {(each["PK"], each["SK"], each.get("payment_id")) for each in rows}
        return {
            each.payment_id for each in messages if (each.pk, each.sk, each.payment_id) in there
        }

    def payment(self, payment_id: str) -> Row:
        """The row of a payment or void; empty when there is none."""
        pointer = self._get(self._ledger, {"PK": f"PAYMENT#{payment_id}"})
        if not pointer:
            return {}
        return self._get(self._payments, {"PK": pointer["row_pk"], "SK": pointer["row_sk"]})

    def void_of(self, payment_id: str) -> str:
        """The id of what voids this payment; empty when nothing does."""
        return str(self._get(self._ledger, {"PK": f"VOID#{payment_id}"}).get("void_id", ""))

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

    def _batch(self, table: str, keys: Sequence[Mapping[str, Any]], **more: Any) -> Iterator[Row]:
        for first in range(0, len(keys), PAGE):
            some = [to_attributes(key) for key in keys[first : first + PAGE]]
            pending: dict[str, Any] = {table: {"Keys": some, "ConsistentRead": True} | more}
            for each_round in range(ROUNDS):
                if each_round:
                    self._pause(0.1 * 2 ** (each_round - 1))
                answer = self._client.batch_get_item(RequestItems=pending)
                yield from map(from_attributes, answer["Responses"].get(table, ()))
                pending = answer.get("UnprocessedKeys") or {}
                if not pending:
                    break
            else:
                raise DaybookUnreadableError(f"DynamoDB left keys of {table} unread")

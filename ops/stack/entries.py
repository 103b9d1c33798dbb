"""What operators read from the ledger and the deliveries. Nothing here writes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ops.session import Session
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.audit.messages import AuditMessage
from shared.daybook import PAGE
from shared.reads import Pause, batch_get

Row = dict[str, Any]
Place = tuple[Any, Any]  # the key of a row in Payments, as its pointer holds it
Page = tuple[list[Row], dict[str, Any] | None]  # and where the next one begins
MOST_NUMBER = 10**38  # DynamoDB's numbers have 38 digits


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
        ops: str = "",
        pause: Pause = time.sleep,
    ) -> None:
        self._client = client
        self._payments, self._ledger = payments, ledger
        self._deliveries, self._ops = deliveries, ops
        self._pause = pause

    @classmethod
    def of(cls, session: Session) -> LedgerReader:
        aws = session.aws
        return cls(
            aws.client("dynamodb"),
            aws.output("PaymentsTableName"),
            aws.output("LedgerTableName"),
            aws.output("DeliveriesTableName"),
            aws.output("OpsRecordTableName"),
        )

    def places(self) -> Places:
        """Heads, pointers and the marks of voids, in one scan: how all events are found."""
        places = Places(self)
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._ledger,
            ConsistentRead=True,
            FilterExpression=(
                "begins_with(PK, :event) OR begins_with(PK, :payment) OR begins_with(PK, :void)"
            ),
            ExpressionAttributeValues=to_attributes(
                {
                    ":event": keys.HEAD_PREFIX,
                    ":payment": keys.POINTER_PREFIX,
                    ":void": keys.VOID_PREFIX,
                }
            ),
        )
        for page in pages:
            for item in page["Items"]:
                places.take(from_attributes(item))
        return places

    def unlisted(self, events: Collection[str]) -> list[Row] | None:
        """Keys of the rows that no query of these events finds; None if we may not look.

        They are of another event, or lack what the index by event needs.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._payments,
            ProjectionExpression="PK, SK, event_id, #timestamp",
            ExpressionAttributeNames={"#timestamp": "timestamp"},
        )
        found: list[Row] = []
        try:
            for page in pages:
                rows = map(from_attributes, page["Items"])
                found += (each for each in rows if not _is_listed(each, events))
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            return None
        return found

    def ops_records(self) -> dict[str, Row]:
        """What operators did, by ops id: the first part of each record."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._ops,
            FilterExpression="part = :first",
            ExpressionAttributeValues=to_attributes({":first": 0}),
        )
        rows = (from_attributes(item) for page in pages for item in page["Items"])
        return {str(each["ops_id"]): each for each in rows}

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
        wanted = [{"payment_id": each} for each in dict.fromkeys(ids) if keys.is_key(each)]
        return {each["payment_id"]: each for each in self._batch(self._deliveries, wanted)}

    def unsettled(self) -> list[str]:
        """Payments about whose mail the watch found something that nobody has settled."""
        named = self._get(self._deliveries, keys.watch()).get("unsettled")
        return [each for each in named if isinstance(each, str)] if isinstance(named, list) else []

    def known(self, messages: Sequence[AuditMessage]) -> set[AuditMessage]:
        """The messages whose payment is in the ledger where they say."""
        places = dict.fromkeys((each.pk, each.sk) for each in messages)
        wanted = [key for pk, sk in places if _can_be_key(key := {"PK": pk, "SK": sk})]
        rows = self._batch(self._payments, wanted, attributes=("PK", "SK", "payment_id"))
        there = {(each["PK"], each["SK"], each.get("payment_id")) for each in rows}
        return {each for each in messages if (each.pk, each.sk, each.payment_id) in there}

    def payment(self, payment_id: str) -> Row:
        """The row of an entry; empty when there is none, or its pointer leads nowhere."""
        place = self.place_of(payment_id)
        return self.row(place) if place else {}

    def place_of(self, payment_id: str) -> Place | None:
        """Where its pointer says that an entry is."""
        pointer = self._get(self._ledger, keys.pointer(payment_id))
        return (pointer.get("row_pk"), pointer.get("row_sk")) if pointer else None

    def row(self, place: Place) -> Row:
        pk, sk = place
        return self._get(self._payments, {"PK": pk, "SK": sk})

    def void_of(self, payment_id: str) -> str:
        """The id of what voids this payment; empty when nothing does."""
        return str(self._get(self._ledger, keys.void_mark(payment_id)).get("void_id", ""))

    def _get(self, table: str, key: Mapping[str, Any]) -> Row:
        if not _can_be_key(key):
            return {}
        answer = self._client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer.get("Item", {}))

    def _query(
        self, index: str, name: str, value: str, after: Mapping[str, Any] | None
    ) -> Iterator[Page]:
        if not keys.is_key(value):
            yield [], None
            return
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


class Places:
    """The Ledger table as one scan found it. What is not in it is looked up: it may be newer."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._reader = ledger
        self._places: dict[str, Place] = {}
        self._of_event: dict[str, list[str]] = {}
        self._voids: dict[str, str] = {}
        self.heads: dict[str, Row] = {}

    @property
    def events(self) -> set[str]:
        """All that have a head or an entry with a pointer."""
        return self.heads.keys() | self._of_event.keys()

    def take(self, row: Row) -> None:
        name = str(row["PK"])
        if name.startswith(keys.HEAD_PREFIX):
            self.heads[keys.event_of_head(row)] = row
        elif name.startswith(keys.VOID_PREFIX):
            self._voids[keys.payment_of_void_mark(row)] = str(row.get("void_id"))
        else:
            payment_id = keys.payment_of_pointer(row)
            place = (row.get("row_pk"), row.get("row_sk"))
            self._places[payment_id] = place
            event_id = str(place[0]).partition("#")[0]
            self._of_event.setdefault(event_id, []).append(payment_id)

    def of(self, payment_id: str) -> Place | None:
        """Where the entry's pointer leads, or None without one."""
        return self._places.get(payment_id) or self._reader.place_of(payment_id)

    def void_of(self, payment_id: str) -> str:
        """What voids the payment, by its mark; empty without one."""
        return self.mark_of(payment_id) or self._reader.void_of(payment_id)

    def mark_of(self, payment_id: str) -> str:
        """The same, as the scan found it."""
        return self._voids.get(payment_id, "")

    def lost(self, event_id: str, known: Collection[str], expired: int) -> list[str]:
        """Payments of the event with a pointer and without a row, but for the oldest `expired`.

        known: those with a row.
        """
        unseen = [each for each in self._of_event.get(event_id, ()) if each not in known]
        if len(unseen) <= expired:
            return []
        gone = [each for each in unseen if not self._reader.row(self._places[each])]
        return sorted(gone, key=self._moment_of)[expired:]

    def _moment_of(self, payment_id: str) -> int:
        """When the payment was taken, which is a part of its place."""
        _, moment = self._places[payment_id]
        return moment if type(moment) is int else 0


def _is_listed(row: Row, events: Collection[str]) -> bool:
    return "timestamp" in row and row.get("event_id") in events


def _can_be_key(key: Mapping[str, Any]) -> bool:
    """Whether DynamoDB takes it for a key: one that it refuses would end the whole command.

    A number has at most 38 digits, and a bool is none.
    """
    return all(
        keys.is_key(each) or (type(each) is int and abs(each) < MOST_NUMBER)
        for each in key.values()
    )

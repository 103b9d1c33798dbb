"""DynamoDB: events and rosters, the ledger transaction, pages of payments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.api.appending import (
    AlreadyLoggedError,
    AlreadyVoidedError,
    Event,
    Ground,
    HeadMovedError,
    Patron,
    TimestampTakenError,
)
from functions.api.duplicates import MOST, WINDOW_MS, has_number
from functions.api.settings import ApiSettings
from shared.attributes import from_attributes, to_attributes
from shared.ledger import Head, LedgerEntry, MalformedEntryError, PaymentId

MOST_KEYS = 100  # in one BatchGetItem
EXPORT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """rows, and where the next page starts (DynamoDB's LastEvaluatedKey) or None."""

    rows: list[dict[str, Any]]
    position: dict[str, Any] | None


class Store:
    def __init__(self, client: Any, tables: ApiSettings) -> None:
        self._client = client
        self._tables = tables

    def ground(self, event_id: str, patron_email: str, payment_id: PaymentId) -> Ground:
        """Event, patron, head and earlier use of the key, in one consistent read."""
        wanted: dict[str, list[Mapping[str, Any]]] = {
            self._tables.events_table: [
                {"event_id": event_id, "SK": "META"},
                {"event_id": event_id, "SK": f"PATRON#{patron_email}"},
            ],
            self._tables.ledger_table: [
                {"PK": f"EVENT#{event_id}"},
                {"PK": f"PAYMENT#{payment_id}"},
            ],
        }
        found = {
            item.get("PK") or item["SK"]: item for item in self._batch_get(wanted, consistent=True)
        }
        event, patron = found.get("META"), found.get(f"PATRON#{patron_email}")
        head = found.get(f"EVENT#{event_id}")
        return Ground(
            event=_event(event) if event else None,
            patron=Patron(email=patron["email"], name=patron["name"]) if patron else None,
            head=Head(seq=head["seq"], hash=head["hash"]) if head else Head(),
            already_logged=f"PAYMENT#{payment_id}" in found,
        )

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, head: Head) -> None:
        """Rows, pointers, voids, numbers and head in one transaction: all of them or none."""
        writes: list[tuple[str, dict[str, Any]]] = []
        for entry in entries:
            writes.append(("row", _put_new(self._tables.payments_table, entry.to_row())))
            pointer = _pointer(entry, fingerprint)
            writes.append(("pointer", _put_new(self._tables.ledger_table, pointer)))
            if entry.voids:
                void = {"PK": f"VOID#{entry.voids}", "void_id": entry.payment_id}
                writes.append(("void", _put_new(self._tables.ledger_table, void)))
            elif has_number(entry):
                writes.append(("number", self._note_number(entry)))
        writes.append(("head", self._advance_head(entries, head)))
        try:
            self._client.transact_write_items(TransactItems=[write for _, write in writes])
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            reason = _reason([(kind, why) for (kind, _), why in zip(writes, reasons, strict=True)])
            if reason is None:
                raise
            raise reason from error
        except self._client.exceptions.TransactionInProgressException as error:
            raise HeadMovedError(None) from error

    def similar(self, entry: LedgerEntry) -> list[LedgerEntry]:
        """The patron's entries within the window, and those with the same number; consistent."""
        near = self._client.query(
            TableName=self._tables.payments_table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :since AND :until",
            ExpressionAttributeValues=to_attributes(
                {
                    ":pk": entry.pk,
                    ":since": entry.timestamp - WINDOW_MS,
                    ":until": entry.timestamp + WINDOW_MS,
                }
            ),
            ConsistentRead=True,
        )["Items"]
        entries = [each for each in map(_entry_or_none, near) if each]
        if has_number(entry):
            numbered = self._get(self._tables.ledger_table, _number_key(entry)) or {}
            found = [
                self.find(PaymentId(each))
                for each in sorted(numbered.get("payment_ids", ()))[:MOST]
            ]
            entries += [each[0] for each in found if each]
        voided = self.voids_of(each.payment_id for each in entries)
        return [each for each in entries if each.payment_id not in voided]

    def voids_of(self, payment_ids: Iterable[str]) -> dict[str, PaymentId]:
        """Which of these payments are voided, and by which entry; consistent."""
        keys: list[Mapping[str, Any]] = [{"PK": f"VOID#{each}"} for each in set(payment_ids)]
        if not keys:
            return {}
        items = self._batch_get({self._tables.ledger_table: keys}, consistent=True)
        return {item["PK"].removeprefix("VOID#"): PaymentId(item["void_id"]) for item in items}

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        pointer = self._get(self._tables.ledger_table, {"PK": f"PAYMENT#{payment_id}"})
        if pointer is None:
            return None
        key = {"PK": pointer["row_pk"], "SK": pointer["row_sk"]}
        row = self._get(self._tables.payments_table, key)
        return (LedgerEntry.from_row(row), pointer["fingerprint"]) if row else None

    def payments_by(
        self, name: str, value: str, limit: int, start: Mapping[str, Any] | None
    ) -> Page:
        """One page of an event's or a patron's entries, newest first by timestamp.

        name: "event_id" or "patron_email".
        """
        return self._query(
            start,
            TableName=self._tables.payments_table,
            IndexName={"patron_email": "GSI1", "event_id": "GSI2"}[name],
            KeyConditionExpression=f"{name} = :value",
            ExpressionAttributeValues=to_attributes({":value": value}),
            ScanIndexForward=False,
            Limit=limit,
        )

    def pages_by(self, name: str, value: str) -> Iterator[list[dict[str, Any]]]:
        """All entries of an event ("event_id") or of a UTC day ("logged_day"), oldest first."""
        start: Mapping[str, Any] | None = None
        while True:
            page = self._query(
                start,
                TableName=self._tables.payments_table,
                IndexName={"event_id": "GSI2", "logged_day": "GSI3"}[name],
                KeyConditionExpression=f"{name} = :value",
                ExpressionAttributeValues=to_attributes({":value": value}),
                Limit=EXPORT_PAGE,
            )
            yield page.rows
            if page.position is None:
                return
            start = page.position

    def deliveries(self, payment_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """AuditDeliveries of these payments, by payment_id."""
        keys: list[Mapping[str, Any]] = [{"payment_id": each} for each in payment_ids]
        if not keys:
            return {}
        items = self._batch_get({self._tables.deliveries_table: keys}, consistent=False)
        return {item["payment_id"]: item for item in items}

    def events(self, limit: int, start: Mapping[str, Any] | None) -> Page:
        """One page of events, newest first by date."""
        return self._query(
            start,
            TableName=self._tables.events_table,
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
            page = self._query(
                start,
                TableName=self._tables.events_table,
                KeyConditionExpression="event_id = :event_id",
                ExpressionAttributeValues=to_attributes({":event_id": event_id}),
            )
            rows += page.rows
            if page.position is None:
                break
            start = page.position
        meta = [row for row in rows if row["SK"] == "META"]
        return (meta[0], [row for row in rows if row["SK"] != "META"]) if meta else None

    def heads(self, event_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Each event's running totals, by event_id; an event without payments has none."""
        keys: list[Mapping[str, Any]] = [{"PK": f"EVENT#{each}"} for each in event_ids]
        if not keys:
            return {}
        items = self._batch_get({self._tables.ledger_table: keys}, consistent=False)
        return {item["PK"].removeprefix("EVENT#"): item for item in items}

    def _advance_head(self, entries: Sequence[LedgerEntry], head: Head) -> dict[str, Any]:
        """The last entry's number and hash, and the event's totals, from which voids take away."""
        added: Counter[str] = Counter()
        for entry in entries:
            sign = -1 if entry.voids else 1
            added["payments_count"] += sign
            added["total_cents"] += sign * entry.amount_cents
            added[f"{entry.method}_cents"] += sign * entry.amount_cents
        last = entries[-1]
        values = {":seq": last.seq, ":hash": last.hash, ":now": last.logged_at}
        values |= {f":{name}": amount for name, amount in added.items()}
        if head.seq:
            values[":read"] = head.seq
        adding = ", ".join(f"{name} :{name}" for name in added)
        return {
            "Update": {
                "TableName": self._tables.ledger_table,
                "Key": to_attributes({"PK": f"EVENT#{last.event_id}"}),
                "UpdateExpression": (
                    f"SET seq = :seq, #hash = :hash, last_logged_at = :now ADD {adding}"
                ),
                "ConditionExpression": ("seq = :read" if head.seq else "attribute_not_exists(PK)"),
                "ExpressionAttributeNames": {"#hash": "hash"},
                "ExpressionAttributeValues": to_attributes(values),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _note_number(self, entry: LedgerEntry) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._tables.ledger_table,
                "Key": to_attributes(_number_key(entry)),
                "UpdateExpression": "ADD payment_ids :ids",
                "ExpressionAttributeValues": to_attributes({":ids": {entry.payment_id}}),
            }
        }

    def _get(self, table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _query(self, start: Mapping[str, Any] | None, **query: Any) -> Page:
        if start:
            query["ExclusiveStartKey"] = start
        answer = self._client.query(**query)
        rows = [from_attributes(item) for item in answer["Items"]]
        return Page(rows, answer.get("LastEvaluatedKey"))

    def _batch_get(
        self, wanted: Mapping[str, list[Mapping[str, Any]]], *, consistent: bool
    ) -> Iterable[dict[str, Any]]:
        keys = [(table, key) for table, keys in wanted.items() for key in keys]
        for start in range(0, len(keys), MOST_KEYS):
            pending: dict[str, Any] = {}
            for table, key in keys[start : start + MOST_KEYS]:
                reads = pending.setdefault(table, {"Keys": [], "ConsistentRead": consistent})
                reads["Keys"].append(to_attributes(key))
            while pending:  # DynamoDB may leave keys for the next call
                answer = self._client.batch_get_item(RequestItems=pending)
                for items in answer["Responses"].values():
                    yield from (from_attributes(item) for item in items)
                pending = answer.get("UnprocessedKeys") or {}


def _event(item: Mapping[str, Any]) -> Event:
    return Event(
        event_id=item["event_id"],
        name=item["name"],
        event_date=item["event_date"],
        timezone=item["timezone"],
    )


def _entry_or_none(item: Mapping[str, Any]) -> LedgerEntry | None:
    """A row that is no ledger entry duplicates nothing, and must not keep others from logging."""
    try:
        return LedgerEntry.from_row(from_attributes(item))
    except MalformedEntryError:
        return None


def _pointer(entry: LedgerEntry, fingerprint: str) -> dict[str, Any]:
    return {
        "PK": f"PAYMENT#{entry.payment_id}",
        "row_pk": entry.pk,
        "row_sk": entry.timestamp,
        "fingerprint": fingerprint,
    }


def _number_key(entry: LedgerEntry) -> dict[str, str]:
    return {"PK": f"NUMBER#{entry.event_id}#{entry.method}#{entry.reference.casefold()}"}


def _put_new(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": to_attributes(row),
            "ConditionExpression": "attribute_not_exists(PK)",
        }
    }


def _reason(reasons: Sequence[tuple[str, Mapping[str, Any]]]) -> Exception | None:
    """Why the transaction was cancelled; an earlier use of the key outranks the rest.

    reasons: what each write was, and DynamoDB's reason. None: writing again would not mend it.
    """
    failed = {kind: why for kind, why in reasons if why.get("Code") == "ConditionalCheckFailed"}
    if "pointer" in failed:
        return AlreadyLoggedError()
    if "void" in failed:
        return AlreadyVoidedError()
    if "row" in failed:
        return TimestampTakenError()
    if "head" in failed:
        item = from_attributes(failed["head"]["Item"])
        return HeadMovedError(Head(seq=item["seq"], hash=item["hash"]))
    if {why.get("Code") for _, why in reasons} <= {None, "None", "TransactionConflict"}:
        return HeadMovedError(None)
    return None

"""The ledger in DynamoDB: what an entry is judged by, and the one transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.api.appending import Event, Ground, HeadMovedError, Patron
from functions.api.duplicates import MOST, WINDOW_MS, has_number
from functions.api.dynamo import Dynamo
from functions.api.settings import ApiSettings
from functions.api.transaction import number_key, reason_of, writes_of
from shared.attributes import to_attributes
from shared.ledger import EventId, Head, LedgerEntry, MalformedEntryError, PaymentId


class LedgerStore:
    """Every read here is consistent: a rule that decides about money looks at what is written."""

    def __init__(self, dynamo: Dynamo, tables: ApiSettings) -> None:
        self._dynamo = dynamo
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
        rows = self._dynamo.batch_get(wanted, consistent=True)
        found = {row.get("PK") or row["SK"]: row for row in rows}
        event, patron = found.get("META"), found.get(f"PATRON#{patron_email}")
        head = found.get(f"EVENT#{event_id}")
        return Ground(
            event=_event(event) if event else None,
            patron=Patron(email=patron["email"], name=patron["name"]) if patron else None,
            head=_head(head),
            already_logged=f"PAYMENT#{payment_id}" in found,
        )

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, head: Head) -> None:
        """Rows, pointers, voids, numbers and head in one transaction: all of them or none."""
        client = self._dynamo.client
        writes = writes_of(entries, fingerprint, head, self._tables)
        try:
            client.transact_write_items(TransactItems=[write for _, write in writes])
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            reason = reason_of(
                [(kind, why) for (kind, _), why in zip(writes, reasons, strict=True)]
            )
            if reason is None:
                raise
            raise reason from error
        except client.exceptions.TransactionInProgressException as error:
            raise HeadMovedError from error

    def similar(self, entry: LedgerEntry) -> list[LedgerEntry]:
        """The patron's entries within the window, and those with the same number; no voided."""
        pages = self._dynamo.pages(
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
        )
        entries = [each for page in pages for each in map(_entry_or_none, page) if each]
        if has_number(entry):
            numbered = self._dynamo.get(self._tables.ledger_table, number_key(entry)) or {}
            found = [
                self.find(PaymentId(each))
                for each in sorted(numbered.get("payment_ids", ()))[:MOST]
            ]
            entries += [each[0] for each in found if each]
        voided = self.voids_of(each.payment_id for each in entries)
        return [each for each in entries if each.payment_id not in voided]

    def voids_of(self, payment_ids: Iterable[str]) -> dict[str, PaymentId]:
        """Which of these payments are voided, and by which entry."""
        keys = [{"PK": f"VOID#{each}"} for each in set(payment_ids)]
        rows = self._dynamo.batch_get({self._tables.ledger_table: keys}, consistent=True)
        return {row["PK"].removeprefix("VOID#"): PaymentId(row["void_id"]) for row in rows}

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it, or None."""
        pointer = self._dynamo.get(self._tables.ledger_table, {"PK": f"PAYMENT#{payment_id}"})
        if pointer is None:
            return None
        key = {"PK": pointer["row_pk"], "SK": pointer["row_sk"]}
        row = self._dynamo.get(self._tables.payments_table, key)
        return (LedgerEntry.from_row(row), pointer["fingerprint"]) if row else None

    def head(self, event_id: EventId) -> Head:
        return _head(self._dynamo.get(self._tables.ledger_table, {"PK": f"EVENT#{event_id}"}))

    def heads(self, event_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Each event's running totals, by event_id; an event without payments has none."""
        keys = [{"PK": f"EVENT#{each}"} for each in event_ids]
        rows = self._dynamo.batch_get({self._tables.ledger_table: keys}, consistent=True)
        return {row["PK"].removeprefix("EVENT#"): row for row in rows}


def _head(row: Mapping[str, Any] | None) -> Head:
    return Head(seq=row["seq"], hash=row["hash"]) if row else Head()


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        event_id=row["event_id"],
        name=row["name"],
        event_date=row["event_date"],
        timezone=row["timezone"],
    )


def _entry_or_none(row: Mapping[str, Any]) -> LedgerEntry | None:
    """A row that is no ledger entry duplicates nothing, and must not keep others from logging."""
    try:
        return LedgerEntry.from_row(row)
    except MalformedEntryError:
        return None

"""The ledger in DynamoDB: what is read before an entry, and the one transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.api.payments.appending import Event, HeadMovedError, Patron, Snapshot
from functions.api.settings import ApiSettings
from functions.api.tables.dynamo import Dynamo
from functions.api.tables.transaction import reason_of, writes_of
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import Head, LedgerEntry, MalformedEntryError, PaymentId
from shared.methods import is_unique_reference, reference_key
from shared.reads import TableKey


class LedgerStore:
    """Every read is consistent: a decision about money must see the latest write."""

    def __init__(self, dynamo: Dynamo, tables: ApiSettings) -> None:
        self._dynamo = dynamo
        self._tables = tables

    def snapshot(self, event_id: str, patron_email: str, method: str, reference: str) -> Snapshot:
        event, patron, head, *numbered = self._dynamo.get_all(
            self.snapshot_keys(event_id, patron_email, method, reference)
        )
        ids = [each["payment_ids"] for each in numbered if each]
        return Snapshot(
            event=_event(event) if event else None,
            patron=Patron(email=patron["email"], name=patron["name"]) if patron else None,
            head=_head(head) if head else Head(),
            same_number=frozenset().union(*ids),
        )

    def snapshot_keys(
        self, event_id: str, patron_email: str, method: str, reference: str
    ) -> list[TableKey]:
        """What `snapshot` reads: event, patron, head, and who used a check or trace number."""
        wanted: list[TableKey] = [
            (self._tables.events_table, keys.event_meta(event_id)),
            (self._tables.events_table, keys.patron(event_id, patron_email)),
            (self._tables.ledger_table, keys.head(event_id)),
        ]
        if is_unique_reference(method, reference):
            uses = keys.number_uses(event_id, method, reference_key(reference))
            wanted.append((self._tables.ledger_table, uses))
        return wanted

    def append(self, entries: Sequence[LedgerEntry], fingerprint: str, snapshot: Snapshot) -> None:
        """Rows, pointers, voids, numbers and head in one transaction: all of them or none."""
        client = self._dynamo.client
        writes = writes_of(entries, fingerprint, snapshot, self._tables)
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

    def entries_between(self, pk: str, since: int, until: int) -> list[LedgerEntry]:
        """A patron's entries at an event. since, until: epoch milliseconds, both included."""
        values = {":pk": pk, ":since": since, ":until": until}
        pages = self._dynamo.pages(
            TableName=self._tables.payments_table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :since AND :until",
            ExpressionAttributeValues=to_attributes(values),
            ConsistentRead=True,
        )
        return [each for page in pages for each in map(_entry_or_none, page) if each]

    def voids_of(self, payment_ids: Iterable[str]) -> dict[str, PaymentId]:
        """Which of these payments are voided, and by which entry."""
        marks = [keys.void_mark(each) for each in set(payment_ids)]
        rows = self._dynamo.batch_get(self._tables.ledger_table, marks, consistent=True)
        return {keys.payment_of_void_mark(row): PaymentId(row["void_id"]) for row in rows}

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it, or None."""
        pointer = self._dynamo.get(self._tables.ledger_table, keys.pointer(payment_id))
        if pointer is None:
            return None
        key = {"PK": pointer["row_pk"], "SK": pointer["row_sk"]}
        row = self._dynamo.get(self._tables.payments_table, key)
        return (LedgerEntry.from_row(row), pointer["fingerprint"]) if row else None

    def heads(self, event_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Each event's running totals, by event_id; an event without payments has none."""
        heads = [keys.head(each) for each in event_ids]
        rows = self._dynamo.batch_get(self._tables.ledger_table, heads, consistent=True)
        return {keys.event_of_head(row): row for row in rows}


def _head(row: Mapping[str, Any]) -> Head:
    return Head(seq=row["seq"], hash=row["hash"], last_logged_at=row["last_logged_at"])


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        event_id=row["event_id"],
        name=row["name"],
        event_date=row["event_date"],
        timezone=row["timezone"],
    )


def _entry_or_none(row: Mapping[str, Any]) -> LedgerEntry | None:
    """A malformed row is never a duplicate, and must not keep others from logging."""
    try:
        return LedgerEntry.from_row(row)
    except MalformedEntryError:
        return None

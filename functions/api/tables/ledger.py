"""The ledger in DynamoDB: what is read before an entry, and the one transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from functions.api.http.problems import UnreadableError, UnusableError
from functions.api.payments.appending import Event, HeadMovedError, Patron, Snapshot
from functions.api.settings import ApiSettings
from functions.api.tables.dynamo import Dynamo
from functions.api.tables.events import items_of
from functions.api.tables.platform_items import (
    PlatformItems,
    Row,
    address_of,
    entry_of,
    event_among,
)
from functions.api.tables.transaction import reason_of, writes_of
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import (
    EventId,
    Head,
    LedgerEntry,
    PaymentId,
    faults_of,
    matches_its_hash,
)
from shared.methods import is_unique_reference, reference_key
from shared.reads import TableKey
from shared.settings import zone_named

Kind = TypeVar("Kind", str, int)


class LedgerStore:
    """Every read is consistent: a decision about money must see the latest write.

    What is stored otherwise than we write it raises UnreadableError where it is needed, and is
    passed over where it is only looked at.
    """

    def __init__(self, dynamo: Dynamo, tables: ApiSettings) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._items = PlatformItems(zone_named(tables.business_timezone))

    def snapshot(self, event_id: str, patron_email: str, method: str, reference: str) -> Snapshot:
        wanted = self.snapshot_keys(event_id, patron_email, method, reference)
        event: Row | None
        patron: Row | None
        event, patron, head, *numbered = self._dynamo.get_all(wanted)
        if event is None or patron is None or address_of(patron) != patron_email:
            # A platform may write addresses in capitals, or key its roster by something else.
            table = self._tables.events_table
            rows = items_of(self._dynamo, table, event_id, consistent=True)
            event, patron = event_among(rows), entry_of(rows, patron_email)
        found: dict[str, Any] = {"event": None, "patron": None}
        try:
            found["event"] = _event(self._items.event(event)) if event else None
            found["patron"] = _patron(self._items.patron(patron)) if patron else None
        except UnusableError as error:
            found["unusable"] = error
        ids = [_ids(each) for each in numbered if each]
        return Snapshot(
            head=_head(head) if head else Head(),
            same_number=frozenset().union(*ids),
            **found,
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
        return [each for page in pages for each in map(_as_written, page) if each]

    def voids_of(self, payment_ids: Iterable[str]) -> dict[str, PaymentId]:
        """Which of these payments are voided, and by which entry."""
        marks = [keys.void_mark(each) for each in set(payment_ids)]
        wanted = [each for each in marks if keys.is_key(each["PK"])]
        rows = self._dynamo.batch_get(self._tables.ledger_table, wanted, consistent=True)
        return {keys.payment_of_void_mark(row): PaymentId(str(row.get("void_id"))) for row in rows}

    def find(self, payment_id: PaymentId) -> tuple[LedgerEntry, str] | None:
        """An entry and the fingerprint of the request that wrote it, or None.

        Raises UnreadableError.
        """
        pointer = self._dynamo.get(self._tables.ledger_table, keys.pointer(payment_id))
        if pointer is None:
            return None
        what = "This entry"
        place = (_field(pointer, "row_pk", str, what), _field(pointer, "row_sk", int, what))
        key = dict(zip(("PK", "SK"), place, strict=True))
        row = self._dynamo.get(self._tables.payments_table, key)
        if row is None:
            return None
        entry = _as_written(row)
        if entry is None or entry.payment_id != payment_id:
            raise UnreadableError(what)
        return entry, _field(pointer, "fingerprint", str, what)

    def taken_at(self, payment_id: PaymentId) -> int | None:
        """When a payment of this id was taken, also if its row is gone; None if there was none."""
        pointer = self._dynamo.get(self._tables.ledger_table, keys.pointer(payment_id))
        return _field(pointer, "row_sk", int, "This entry") if pointer else None

    def heads(self, event_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Each event's running totals, by event_id; an event without payments has none."""
        heads = [keys.head(each) for each in event_ids]
        rows = self._dynamo.batch_get(self._tables.ledger_table, heads, consistent=True)
        return {keys.event_of_head(row): row for row in rows}


def _head(row: Mapping[str, Any]) -> Head:
    what = "The last entry's number and hash"
    return Head(
        seq=_field(row, "seq", int, what),
        hash=_field(row, "hash", str, what),
        last_logged_at=_field(row, "last_logged_at", int, what),
    )


def _event(event: Mapping[str, Any]) -> Event:
    return Event(
        event_id=EventId(event["event_id"]),
        name=event["name"],
        event_date=event["event_date"],
        timezone=event["timezone"],
    )


def _patron(patron: Mapping[str, Any]) -> Patron:
    return Patron(email=patron["email"], name=patron["name"])


def _ids(row: Mapping[str, Any]) -> frozenset[PaymentId]:
    ids = row.get("payment_ids")
    return frozenset(map(PaymentId, ids)) if isinstance(ids, set) else frozenset()


def _field(row: Mapping[str, Any], name: str, kind: type[Kind], what: str) -> Kind:
    value = row.get(name)
    if type(value) is not kind:
        raise UnreadableError(what)
    return value


def _as_written(row: Mapping[str, Any]) -> LedgerEntry | None:
    """The entry, or None if the row is not what was written.

    Such a row is never a duplicate, since it must not keep others from logging, and nothing is
    voided or corrected by what it says.
    """
    if faults_of(row) or not matches_its_hash(row):
        return None
    return LedgerEntry.from_row(row)

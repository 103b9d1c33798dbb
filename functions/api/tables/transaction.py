"""The ledger transaction in DynamoDB's terms, and what its refusals mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.payments.appending import (
    AlreadyLoggedError,
    AlreadyVoidedError,
    HeadMovedError,
    Snapshot,
    TimestampTakenError,
)
from functions.api.settings import ApiSettings
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import COUNTS, Head, LedgerEntry
from shared.methods import is_unique_reference, reference_key


def writes_of(
    entries: Sequence[LedgerEntry], fingerprint: str, snapshot: Snapshot, tables: ApiSettings
) -> list[tuple[str, dict[str, Any]]]:
    """TransactItems, each with what it is: row, pointer, void, number or head."""
    writes: list[tuple[str, dict[str, Any]]] = []
    for entry in entries:
        writes.append(("row", _put_new(tables.payments_table, entry.to_row())))
        pointer = {
            **keys.pointer(entry.payment_id),
            "row_pk": entry.pk,
            "row_sk": entry.timestamp,
            "fingerprint": fingerprint,
        }
        writes.append(("pointer", _put_new(tables.ledger_table, pointer)))
        if entry.voids:
            void = {**keys.void_mark(entry.voids), "void_id": entry.payment_id}
            correction = next((each for each in entries if each.corrects == entry.voids), None)
            if correction:
                void["correction_id"] = correction.payment_id
            writes.append(("void", _put_new(tables.ledger_table, void)))
        elif is_unique_reference(entry.method, entry.reference):
            known = len(snapshot.same_number)
            writes.append(("number", _note_number(tables.ledger_table, entry, known)))
    writes.append(("head", _advance_head(tables.ledger_table, entries, snapshot.head)))
    return writes


def reason_of(reasons: Sequence[tuple[str, Mapping[str, Any]]]) -> Exception | None:
    """Why the transaction was canceled; an earlier use of the key outranks the rest.

    reasons: what each write was, and DynamoDB's reason. None: writing again would not help.
    """
    failed = {kind: why for kind, why in reasons if why.get("Code") == "ConditionalCheckFailed"}
    if "pointer" in failed:
        return AlreadyLoggedError()
    if "void" in failed:
        return AlreadyVoidedError()
    if failed.keys() == {"row"}:
        return TimestampTakenError()
    if failed:
        return HeadMovedError()
    if {why.get("Code") for _, why in reasons} <= {None, "None", "TransactionConflict"}:
        return HeadMovedError()
    return None


def _put_new(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": to_attributes(row),
            "ConditionExpression": "attribute_not_exists(PK)",
        }
    }


def _note_number(table: str, entry: LedgerEntry, known: int) -> dict[str, Any]:
    """Record another use of a number, unless others were added since it was read."""
    values: dict[str, Any] = {":ids": {entry.payment_id}}
    if known:
        values[":known"] = known
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(
                keys.number_uses(entry.event_id, entry.method, reference_key(entry.reference))
            ),
            "UpdateExpression": "ADD payment_ids :ids",
            "ConditionExpression": (
                "size(payment_ids) = :known" if known else "attribute_not_exists(PK)"
            ),
            "ExpressionAttributeValues": to_attributes(values),
        }
    }


def _advance_head(table: str, entries: Sequence[LedgerEntry], head: Head) -> dict[str, Any]:
    """The last entry's number and hash, and the event's totals, less voids and refunds."""
    added: Counter[str] = Counter()
    for entry in entries:
        added["payments_count"] += COUNTS[entry.kind]
        added["total_cents"] += entry.net_cents
        added[f"{entry.method}_cents"] += entry.net_cents
    last = entries[-1]
    values = {":seq": last.seq, ":hash": last.hash, ":now": last.logged_at}
    values |= {f":{name}": amount for name, amount in added.items()}
    if head.seq:
        values[":read"] = head.seq
    adding = ", ".join(f"{name} :{name}" for name in added)
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(keys.head(last.event_id)),
            "UpdateExpression": (
                f"SET seq = :seq, #hash = :hash, last_logged_at = :now ADD {adding}"
            ),
            "ConditionExpression": "seq = :read" if head.seq else "attribute_not_exists(PK)",
            "ExpressionAttributeNames": {"#hash": "hash"},
            "ExpressionAttributeValues": to_attributes(values),
        }
    }

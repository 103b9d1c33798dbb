"""Is this a duplicate? Which earlier payments a new one may repeat: it warns and never blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from functions.api.http.problems import FieldError, PossibleDuplicateError, UnreadableError
from functions.api.payments.appending import AlreadyLoggedError, Ledger, Snapshot
from functions.api.payments.listing import payment_view
from shared.ledger import LedgerEntry, PaymentId
from shared.methods import is_unique_reference, reference_key

MOST = 20  # what a person can look through, and a request may acknowledge
WINDOW_MS = 10 * 60 * 1000


def check_duplicates(
    entry: LedgerEntry,
    snapshot: Snapshot,
    ledger: Ledger,
    acknowledged: Sequence[str],
    replaces: str = "",
) -> LedgerEntry:
    """The entry, with the likely duplicates that the admin has acknowledged.

    acknowledged: the payment ids that the request names. replaces: a payment voided in the same
    transaction, which is no duplicate. Raises PossibleDuplicateError if there are others, and
    AlreadyLoggedError if the entry itself is there: another try of the same request was faster.
    """
    earlier = [each for each in _earlier(entry, snapshot, ledger) if each.payment_id != replaces]
    if any(each.payment_id == entry.payment_id for each in earlier):
        raise AlreadyLoggedError
    duplicates = _likely_duplicates(entry, earlier)
    if any(each.payment_id not in acknowledged for each in duplicates):
        message = "A similar payment was already logged. Confirm if this is a different one."
        field = FieldError("acknowledge_duplicates", "possible_duplicate", message)
        raise PossibleDuplicateError(message, field, payments=[payment_view(d) for d in duplicates])
    return replace(entry, acknowledged_duplicates=tuple(each.payment_id for each in duplicates))


def _earlier(entry: LedgerEntry, snapshot: Snapshot, ledger: Ledger) -> list[LedgerEntry]:
    """The patron's entries around the same time, and those with the same number; none voided."""
    entries = ledger.entries_between(
        entry.pk, entry.timestamp - WINDOW_MS, entry.timestamp + WINDOW_MS
    )
    entries += [*_found(ledger, sorted(snapshot.same_number)[:MOST])]
    voided = ledger.voids_of(each.payment_id for each in entries)
    return [each for each in entries if each.payment_id not in voided]


def _found(ledger: Ledger, payment_ids: Iterable[PaymentId]) -> Iterator[LedgerEntry]:
    """The entries that can be read; a row that is no entry must not keep others from logging."""
    for payment_id in payment_ids:
        with suppress(UnreadableError):
            if found := ledger.find(payment_id):
                yield found[0]


def _likely_duplicates(entry: LedgerEntry, earlier: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """The newest 20 payments that look like `entry`, oldest first.

    The same patron, amount and method within ten minutes; or, from any patron and at any time, the
    same check number or ACH trace. The amount alone would warn too often to be read.
    """
    found = {
        each.payment_id: each
        for each in earlier
        if each.kind == "payment" and (_is_same_sum(entry, each) or _is_same_number(entry, each))
    }
    return sorted(found.values(), key=lambda each: each.seq)[-MOST:]


def _is_same_sum(entry: LedgerEntry, other: LedgerEntry) -> bool:
    return (
        entry.patron_email == other.patron_email
        and entry.amount_cents == other.amount_cents
        and entry.method == other.method
        and abs(entry.timestamp - other.timestamp) <= WINDOW_MS
    )


def _is_same_number(entry: LedgerEntry, other: LedgerEntry) -> bool:
    return (
        is_unique_reference(entry.method, entry.reference)
        and entry.method == other.method
        and reference_key(entry.reference) == reference_key(other.reference)
    )

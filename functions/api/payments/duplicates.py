"""Which earlier entries a new payment may be a second log of. A warning, never a wall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from functions.api.http.problems import FieldError, PossibleDuplicateError
from functions.api.payments.appending import AlreadyLoggedError, Ground, Ledger
from functions.api.payments.listing import payment_view
from shared.ledger import LedgerEntry
from shared.methods import is_unique_reference

MOST = 20  # what a person can look through, and a request may acknowledge
WINDOW_MS = 10 * 60 * 1000


def likely_duplicates(entry: LedgerEntry, similar: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Those of the event's earlier entries that look like `entry`, the newest 20, oldest first.

    The same patron, amount and method within ten minutes; or, from any patron and at any time, the
    same check number or ACH trace. An amount alone would warn too often to be read.
    """
    found = {
        each.payment_id: each
        for each in similar
        if each.kind == "payment" and (_is_same_sum(entry, each) or _is_same_number(entry, each))
    }
    return sorted(found.values(), key=lambda each: each.seq)[-MOST:]


def warned(
    entry: LedgerEntry,
    ground: Ground,
    ledger: Ledger,
    acknowledged: Sequence[str],
    besides: str = "",
) -> LedgerEntry:
    """The entry with the likely duplicates that the admin has said to be other payments.

    acknowledged: the payment ids that the request names. besides: a payment that is no duplicate.
    Raises PossibleDuplicateError when there are others, AlreadyLoggedError when the entry itself is
    there: another try of the same request was quicker.
    """
    similar = [
        each for each in ledger.similar(entry, ground.numbered) if each.payment_id != besides
    ]
    if any(each.payment_id == entry.payment_id for each in similar):
        raise AlreadyLoggedError
    duplicates = likely_duplicates(entry, similar)
    if any(each.payment_id not in acknowledged for each in duplicates):
        message = "A similar payment is logged already. If this is another one, say so."
        field = FieldError("acknowledge_duplicates", "possible_duplicate", message)
        raise PossibleDuplicateError(message, field, payments=[payment_view(d) for d in duplicates])
    return replace(entry, acknowledged_duplicates=tuple(each.payment_id for each in duplicates))


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
        and entry.reference.casefold() == other.reference.casefold()
    )

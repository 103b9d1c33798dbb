"""Which earlier entries a new payment may be a second log of. A warning, never a wall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from functions.api.listing import payment_view
from functions.api.problems import FieldError, PossibleDuplicateError
from shared.ledger import LedgerEntry

WINDOW_MS = 10 * 60 * 1000
NUMBERED_METHODS = frozenset({"check", "ach"})  # a check or a trace number exists once


def likely_duplicates(entry: LedgerEntry, similar: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Those of the event's earlier entries that look like `entry`, oldest first.

    The same patron, amount and method within ten minutes; or, from any patron and at any time, the
    same check number or ACH trace. An amount alone would warn too often to be read.
    """
    found = {
        each.payment_id: each
        for each in similar
        if each.kind == "payment" and (_is_same_sum(entry, each) or _is_same_number(entry, each))
    }
    return sorted(found.values(), key=lambda each: each.seq)


def acknowledged(
    entry: LedgerEntry, similar: Iterable[LedgerEntry], by: Sequence[str]
) -> list[str]:
    """The likely duplicates that the admin has seen and said to be other payments.

    by: the payment ids that the request acknowledges. Raises PossibleDuplicateError for the rest.
    """
    duplicates = likely_duplicates(entry, similar)
    if any(each.payment_id not in by for each in duplicates):
        message = "A similar payment is logged already. If this is another one, say so."
        field = FieldError("acknowledge_duplicates", "possible_duplicate", message)
        raise PossibleDuplicateError(message, field, payments=[payment_view(d) for d in duplicates])
    return [each.payment_id for each in duplicates]


def _is_same_sum(entry: LedgerEntry, other: LedgerEntry) -> bool:
    return (
        entry.patron_email == other.patron_email
        and entry.amount_cents == other.amount_cents
        and entry.method == other.method
        and abs(entry.timestamp - other.timestamp) <= WINDOW_MS
    )


def _is_same_number(entry: LedgerEntry, other: LedgerEntry) -> bool:
    return (
        entry.method in NUMBERED_METHODS
        and entry.method == other.method
        and bool(entry.reference)
        and entry.reference.casefold() == other.reference.casefold()
    )

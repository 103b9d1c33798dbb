"""Logging a payment: the rules, free of HTTP and of DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from functions.api.http.problems import ApiError, FieldError, InvalidFieldsError, no_such_event
from functions.api.payments.appending import (
    AlreadyLoggedError,
    Event,
    Patron,
    Snapshot,
    Submission,
    append,
    key_reused,
    logged_before,
)
from functions.api.payments.duplicates import check_duplicates
from functions.api.payments.fields import PaymentFields, fingerprint_of, first_difference
from functions.api.payments.money import cents_from_text
from functions.api.people.identity import verify_admin_token
from shared.ledger import EVENT_ID, EVENT_ID_RULE, LedgerEntry, PaymentId, is_event_id
from shared.methods import reference_key

MAX_AHEAD_MS = 5 * 60 * 1000
MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000


def _event_id(text: str) -> str:
    if not is_event_id(text):
        raise ValueError(EVENT_ID_RULE)
    return text


class PaymentRequest(PaymentFields):
    """The body of POST /api/payments."""

    event_id: Annotated[
        str, AfterValidator(_event_id), Field(json_schema_extra={"pattern": f"^{EVENT_ID}$"})
    ]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self)


@dataclass(frozen=True, slots=True)
class Logged:
    entry: LedgerEntry
    replayed: bool = False


def handle_payment_log(submission: Submission, request: PaymentRequest) -> Logged:
    """Write one payment, or find the one that this key already wrote, however long ago.

    Raises ForbiddenError, NotFoundError, InvalidFieldsError, KeyReusedError, ContentionError or
    PossibleDuplicateError.
    """
    verify_admin_token(submission.user)
    try:
        return Logged(_log(submission, request))
    except (AlreadyLoggedError, ApiError) as refusal:
        entry, fingerprint = logged_before(submission, refusal)
    if fingerprint != request.fingerprint:
        is_same_event = request.event_id == entry.event_id
        raise key_reused(first_difference(request, entry) if is_same_event else "event_id")
    return Logged(entry, replayed=True)


def _log(submission: Submission, request: PaymentRequest) -> LedgerEntry:
    require_within_limits(submission, request)
    snapshot = submission.ledger.snapshot(
        request.event_id, request.patron_email, request.method, request.reference
    )
    if snapshot.unusable:
        raise snapshot.unusable
    if snapshot.event is None:
        raise no_such_event()
    if snapshot.patron is None:
        raise not_on_roster("patron_email", snapshot.event.name)
    payment_id = submission.payment_id()
    entry = entry_of(submission, payment_id, request, snapshot.event, snapshot.patron)

    def check(entries: Sequence[LedgerEntry], snapshot: Snapshot) -> list[LedgerEntry]:
        known = request.acknowledge_duplicates
        return [check_duplicates(each, snapshot, submission.ledger, known) for each in entries]

    (written,) = append(submission, [entry], request.fingerprint, snapshot, check)
    return written


def require_within_limits(submission: Submission, request: PaymentFields, prefix: str = "") -> None:
    """Refuse amounts and times out of bounds. prefix: where the fields are in the body."""
    errors = []
    largest = submission.max_amount_cents
    if not 0 < cents_from_text(request.amount) <= largest:
        message = f"Enter an amount above $0.00 and up to ${largest / 100:,.2f}."
        errors.append(FieldError(f"{prefix}amount", "amount_out_of_range", message))
    earliest, latest = submission.now - MAX_AGE_MS, submission.now + MAX_AHEAD_MS
    if request.timestamp is not None and not earliest <= request.timestamp <= latest:
        message = (
            "The timestamp must be in epoch milliseconds, at most 7 days ago and at most "
            "5 minutes ahead."
        )
        errors.append(FieldError(f"{prefix}timestamp", "timestamp_out_of_range", message))
    if errors:
        raise InvalidFieldsError(*errors)


def not_on_roster(field: str, event_name: str) -> InvalidFieldsError:
    message = f"This patron is not on the roster of {event_name}."
    return InvalidFieldsError(FieldError(field, "patron_not_on_roster", message))


def entry_of(
    submission: Submission,
    payment_id: PaymentId,
    request: PaymentFields,
    event: Event,
    patron: Patron,
) -> LedgerEntry:
    taken_at = submission.now if request.timestamp is None else request.timestamp
    attributes = request.attributes | {"patron_email": patron.email, "timestamp": taken_at}
    return LedgerEntry(
        kind="payment",
        payment_id=payment_id,
        event_id=event.event_id,
        event_name=event.name,
        event_date=event.event_date,
        event_timezone=event.timezone,
        patron_name=patron.name,
        currency="USD",
        reference_key=reference_key(request.reference) or None,
        **attributes,
        **submission.stamp,
    )

"""Voiding a payment, with or without a corrected one: the only way to undo an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from functions.api.http.problems import (
    ApiError,
    FieldError,
    InvalidFieldsError,
    NotVoidableError,
    no_such_payment,
)
from functions.api.payments.appending import (
    AlreadyLoggedError,
    AlreadyVoidedError,
    Ledger,
    Snapshot,
    Submission,
    append,
    key_reused,
    logged_before,
)
from functions.api.payments.duplicates import check_duplicates
from functions.api.payments.fields import (
    NOTE_LENGTH,
    FreeText,
    PaymentFields,
    fingerprint_of,
    first_difference,
)
from functions.api.payments.log import entry_of, not_on_roster, require_within_limits
from functions.api.people.identity import verify_admin_token
from shared.ledger import LedgerEntry, PaymentId

REPLACEMENT = ":replacement"


class Replacement(PaymentFields):
    """The corrected payment, for the same event as the one it replaces."""

    event_id: str | None = None


class VoidRequest(BaseModel):
    """The body of POST /api/payments/{payment_id}/void."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    reason: Literal[
        "wrong_amount",
        "wrong_patron",
        "wrong_method",
        "entered_twice",
        "payment_returned",
        "other",
    ]
    note: Annotated[FreeText, Field(max_length=NOTE_LENGTH, validate_default=True)] = ""
    replacement: Replacement | None = None

    @field_validator("note")
    @classmethod
    def _explains_other(cls, note: str, info: ValidationInfo) -> str:
        if info.data.get("reason") == "other" and not note:
            raise ValueError("Explain in the note why you are voiding this payment.")
        return note

    def fingerprint(self, payment_id: PaymentId) -> str:
        return fingerprint_of(self, voids=payment_id)


@dataclass(frozen=True, slots=True)
class Voided:
    void: LedgerEntry
    replacement: LedgerEntry | None
    replayed: bool = False


def handle_payment_void(
    submission: Submission, payment_id: PaymentId, request: VoidRequest
) -> Voided:
    """Void a payment and log its replacement in one transaction, or find what this key did.

    Raises ForbiddenError, NotFoundError, NotVoidableError, InvalidFieldsError, KeyReusedError,
    ContentionError or PossibleDuplicateError.
    """
    verify_admin_token(submission.user)
    found = submission.ledger.find(payment_id)
    if found is None:
        raise no_such_payment()
    try:
        void, *corrections = _void(submission, found[0], request)
        return Voided(void, corrections[0] if corrections else None)
    except (AlreadyLoggedError, ApiError) as refusal:
        void, fingerprint = logged_before(submission, refusal)
    replacement = submission.ledger.find(submission.payment_id(REPLACEMENT))
    corrected = replacement[0] if replacement else None
    if fingerprint != request.fingerprint(payment_id):
        raise key_reused(_first_difference(payment_id, request, void, corrected))
    return Voided(void, corrected, replayed=True)


def _void(submission: Submission, original: LedgerEntry, request: VoidRequest) -> list[LedgerEntry]:
    _require_voidable(original, submission.ledger)
    paid = request.replacement or original
    snapshot = submission.ledger.snapshot(
        original.event_id, paid.patron_email, paid.method, paid.reference
    )
    entries = [_void_of(submission, original, request)]
    if request.replacement:
        corrected = _corrected(submission, original, request.replacement, snapshot)
        if corrected.timestamp == entries[0].timestamp:
            corrected = replace(corrected, timestamp=corrected.timestamp + 1)
        entries.append(corrected)

    def check(entries: Sequence[LedgerEntry], snapshot: Snapshot) -> list[LedgerEntry]:
        if request.replacement is None:
            return list(entries)
        void, corrected = entries
        known, replaces = request.replacement.acknowledge_duplicates, original.payment_id
        return [void, check_duplicates(corrected, snapshot, submission.ledger, known, replaces)]

    fingerprint = request.fingerprint(original.payment_id)
    try:
        return append(submission, entries, fingerprint, snapshot, check)
    except AlreadyVoidedError as error:
        raise _already_voided() from error


def _corrected(
    submission: Submission, original: LedgerEntry, wanted: Replacement, snapshot: Snapshot
) -> LedgerEntry:
    require_within_limits(submission, wanted, "replacement.")
    if wanted.event_id not in (None, original.event_id):
        message = "The corrected payment must be for the same event."
        raise InvalidFieldsError(FieldError("replacement.event_id", "other_event", message))
    if snapshot.unusable:
        raise snapshot.unusable
    if snapshot.event is None or snapshot.patron is None:
        raise not_on_roster("replacement.patron_email", original.event_name)
    payment_id = submission.payment_id(REPLACEMENT)
    corrected = entry_of(submission, payment_id, wanted, snapshot.event, snapshot.patron)
    return replace(corrected, corrects=original.payment_id)


def _require_voidable(original: LedgerEntry, ledger: Ledger) -> None:
    if original.kind != "payment":
        message = f"You cannot void a {original.kind}. Log the payment again instead."
        raise NotVoidableError(message, FieldError("payment_id", f"is_{original.kind}", message))
    if ledger.voids_of([original.payment_id]):
        raise _already_voided()


def _already_voided() -> NotVoidableError:
    message = "This payment is already voided."
    return NotVoidableError(message, FieldError("payment_id", "already_voided", message))


def _void_of(submission: Submission, original: LedgerEntry, request: VoidRequest) -> LedgerEntry:
    """The void repeats the payment, so its mail can be read on its own."""
    return replace(
        original,
        kind="void",
        payment_id=submission.payment_id(),
        voids=original.payment_id,
        corrects=None,
        reason=request.reason,
        note=request.note,
        timestamp=submission.now,
        acknowledged_duplicates=(),
        **submission.stamp,
    )


def _first_difference(
    payment_id: PaymentId, request: VoidRequest, void: LedgerEntry, corrected: LedgerEntry | None
) -> str:
    if void.voids != payment_id:
        return "payment_id"
    for field in VoidRequest.model_fields:
        if field != "replacement" and getattr(request, field) != getattr(void, field):
            return field
    if request.replacement is None or corrected is None:
        return "replacement"
    return f"replacement.{first_difference(request.replacement, corrected)}"

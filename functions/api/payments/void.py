"""Voiding a payment, with or without a corrected one in its place: the only way back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from functions.api.http.problems import (
    ApiError,
    FieldError,
    InvalidFieldsError,
    KeyReusedError,
    NotFoundError,
    NotVoidableError,
)
from functions.api.payments.appending import (
    AlreadyLoggedError,
    AlreadyVoidedError,
    Ground,
    Ledger,
    append,
    logged_before,
)
from functions.api.payments.duplicates import warned
from functions.api.payments.log import (
    FreeText,
    Limits,
    PaymentFields,
    entry_of,
    fingerprint_of,
    first_difference,
    payment_id_of,
    require_within,
)
from functions.api.people.identity import User, verify_admin_token
from shared.ledger import RETENTION_SECONDS, LedgerEntry, PaymentId

REPLACEMENT = ":replacement"


class Replacement(PaymentFields):
    """The corrected payment; it belongs to the event of the one it replaces."""

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
    note: Annotated[FreeText, Field(max_length=280, validate_default=True)] = ""
    replacement: Replacement | None = None

    @field_validator("note")
    @classmethod
    def _says_what_else(cls, note: str, info: ValidationInfo) -> str:
        if info.data.get("reason") == "other" and not note:
            raise ValueError("Say in a note why the payment is voided.")
        return note

    def fingerprint(self, payment_id: PaymentId) -> str:
        """SHA-256 of what makes two voids the same request."""
        content = self.model_dump(exclude={"replacement": {"acknowledge_duplicates"}})
        return fingerprint_of({"voids": payment_id, **content})


@dataclass(frozen=True, slots=True)
class Voided:
    void: LedgerEntry
    replacement: LedgerEntry | None
    replayed: bool = False


def handle_payment_void(
    user: User,
    key: uuid.UUID,
    payment_id: PaymentId,
    request: VoidRequest,
    ledger: Ledger,
    limits: Limits,
    pause: Callable[[float], None],
) -> Voided:
    """Void a payment and log its replacement in one transaction, or find what this key did.

    Raises ForbiddenError, NotFoundError, NotVoidableError, InvalidFieldsError, KeyReusedError,
    ContentionError or PossibleDuplicateError.
    """
    verify_admin_token(user)
    found = ledger.find(payment_id)
    if found is None:
        raise no_such_payment()
    try:
        void, *corrections = _void(found[0], user, key, request, ledger, limits, pause)
    except (AlreadyLoggedError, ApiError) as refusal:
        earlier = logged_before(payment_id_of(user, key), refusal, ledger)
        return _replay(user, key, payment_id, request, earlier, ledger)
    return Voided(void, corrections[0] if corrections else None)


def no_such_payment() -> NotFoundError:
    message = "There is no such payment."
    return NotFoundError(message, FieldError("payment_id", "payment_not_found", message))


def _void(
    original: LedgerEntry,
    user: User,
    key: uuid.UUID,
    request: VoidRequest,
    ledger: Ledger,
    limits: Limits,
    pause: Callable[[float], None],
) -> list[LedgerEntry]:
    payment_id = original.payment_id
    _require_voidable(original, ledger)
    paid = request.replacement or original
    ground = ledger.ground(original.event_id, paid.patron_email, paid.method, paid.reference)
    entries = [_void_of(original, payment_id_of(user, key), user, request, limits.now)]
    if request.replacement:
        second_id = payment_id_of(user, key, REPLACEMENT)
        corrected = _corrected(second_id, user, request.replacement, original, ground, limits)
        if corrected.timestamp == entries[0].timestamp:
            corrected = replace(corrected, timestamp=corrected.timestamp + 1)
        entries.append(corrected)

    def look(entries: Sequence[LedgerEntry], ground: Ground) -> list[LedgerEntry]:
        if request.replacement is None:
            return list(entries)
        void, corrected = entries
        known = request.replacement.acknowledge_duplicates
        return [void, warned(corrected, ground, ledger, known, besides=payment_id)]

    fingerprint = request.fingerprint(payment_id)
    try:
        return append(entries, fingerprint, ground, ledger, look, pause)
    except AlreadyVoidedError as error:
        raise _already_voided() from error


def _corrected(
    payment_id: PaymentId,
    user: User,
    wanted: Replacement,
    original: LedgerEntry,
    ground: Ground,
    limits: Limits,
) -> LedgerEntry:
    require_within(limits, wanted, "replacement.")
    if wanted.event_id not in (None, original.event_id):
        message = "The corrected payment must be of the same event."
        raise InvalidFieldsError(FieldError("replacement.event_id", "other_event", message))
    if ground.event is None or ground.patron is None:
        message = f"This patron is not on the roster of {original.event_name}."
        field = "replacement.patron_email"
        raise InvalidFieldsError(FieldError(field, "patron_not_on_roster", message))
    return entry_of(payment_id, user, wanted, ground.event, ground.patron, limits.now)


def _require_voidable(original: LedgerEntry, ledger: Ledger) -> None:
    if original.kind == "void":
        message = "A void cannot be voided. Log the payment again instead."
        raise NotVoidableError(message, FieldError("payment_id", "is_void", message))
    if ledger.voids_of([original.payment_id]):
        raise _already_voided()


def _already_voided() -> NotVoidableError:
    message = "This payment is voided already."
    return NotVoidableError(message, FieldError("payment_id", "already_voided", message))


def _void_of(
    original: LedgerEntry, void_id: PaymentId, user: User, request: VoidRequest, now: int
) -> LedgerEntry:
    """The void repeats what it voids: a reader of the mail needs no second one."""
    return replace(
        original,
        kind="void",
        payment_id=void_id,
        voids=original.payment_id,
        reason=request.reason,
        note=request.note,
        timestamp=now,
        logged_at=now,
        logged_day=datetime.fromtimestamp(now / 1000, UTC).date().isoformat(),
        logged_by=user.email,
        expiration_timestamp=now // 1000 + RETENTION_SECONDS,
        acknowledged_duplicates=(),
    )


def _replay(
    user: User,
    key: uuid.UUID,
    payment_id: PaymentId,
    request: VoidRequest,
    earlier: tuple[LedgerEntry, str],
    ledger: Ledger,
) -> Voided:
    void, fingerprint = earlier
    found = ledger.find(payment_id_of(user, key, REPLACEMENT))
    corrected = found[0] if found else None
    if fingerprint != request.fingerprint(payment_id):
        field = _first_difference(payment_id, request, void, corrected)
        message = f"This Idempotency-Key was used for a request with another {field}."
        raise KeyReusedError(message, FieldError(field, "idempotency_key_reused", message))
    return Voided(void, corrected, replayed=True)


def _first_difference(
    payment_id: PaymentId, request: VoidRequest, void: LedgerEntry, corrected: LedgerEntry | None
) -> str:
    if void.voids != payment_id:
        return "payment_id"
    if request.reason != void.reason:
        return "reason"
    if request.note != void.note:
        return "note"
    if request.replacement is None or corrected is None:
        return "replacement"
    return f"replacement.{first_difference(request.replacement, corrected)}"

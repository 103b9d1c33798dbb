"""Logging and listing payments: the rules, free of HTTP and of DynamoDB."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from functions.api.http.incoming import EVENT_ID, PAYMENT_ID
from functions.api.http.problems import (
    ApiError,
    FieldError,
    InvalidFieldsError,
    KeyReusedError,
    NotFoundError,
)
from functions.api.payments.appending import (
    AlreadyLoggedError,
    Event,
    Ground,
    Ledger,
    Patron,
    append,
    logged_before,
)
from functions.api.payments.duplicates import MOST, warned
from functions.api.payments.free_text import PLAIN_TEXT, no_card_number, plain_text
from functions.api.payments.money import (
    AMOUNT_PATTERN,
    AmountError,
    cents_from_text,
    text_from_cents,
)
from functions.api.people.identity import User, verify_admin_token
from shared.ledger import (
    RETENTION_SECONDS,
    LedgerEntry,
    PaymentId,
)
from shared.methods import METHODS, Method, label_of

NAMESPACE = uuid.UUID("6f1c9a52-6b0e-5c39-9d0e-5cc5cb0f5a11")
MAX_AHEAD_MS = 5 * 60 * 1000
MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000


Text = Annotated[str, AfterValidator(plain_text), Field(json_schema_extra={"pattern": PLAIN_TEXT})]
FreeText = Annotated[Text, AfterValidator(no_card_number)]


@dataclass(frozen=True, slots=True)
class Logged:
    entry: LedgerEntry
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a new payment is judged by besides itself. now: epoch milliseconds."""

    now: int
    max_amount_cents: int


class PaymentFields(BaseModel):
    """What is said of a payment wherever one is logged. timestamp: epoch milliseconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    patron_email: Annotated[Text, Field(min_length=3, max_length=254)]
    amount: Annotated[str, Field(json_schema_extra={"pattern": AMOUNT_PATTERN})]
    method: Method
    timestamp: int | None = None
    reference: Annotated[FreeText, Field(max_length=40, validate_default=True)] = ""
    note: Annotated[FreeText, Field(max_length=280)] = ""
    acknowledge_duplicates: Annotated[
        list[Annotated[str, Field(pattern=f"^{PAYMENT_ID}$")]], Field(max_length=MOST)
    ] = Field(default_factory=list)

    @field_validator("amount")
    @classmethod
    def _in_dollars(cls, amount: str) -> str:
        try:
            return text_from_cents(cents_from_text(amount))
        except AmountError as error:
            raise ValueError(str(error)) from error

    @field_validator("patron_email")
    @classmethod
    def _lower_case(cls, email: str) -> str:
        return email.lower()

    @field_validator("reference")
    @classmethod
    def _not_missing(cls, reference: str, info: ValidationInfo) -> str:
        method = info.data.get("method")  # absent when it was refused itself
        if method and METHODS[method].reference_is_required and not reference:
            raise ValueError(f"Enter the {label_of(method)} number.")
        return reference


class PaymentRequest(PaymentFields):
    """The body of POST /api/payments."""

    event_id: Annotated[str, Field(pattern=f"^{EVENT_ID}$")]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what makes two requests the same; acknowledging duplicates does not."""
        return fingerprint_of(self.model_dump(exclude={"acknowledge_duplicates"}))


def fingerprint_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def payment_id_of(user: User, key: uuid.UUID, part: str = "") -> PaymentId:
    """The identity of what `user` logs under `key`: the ledger is its own idempotency record.

    part: tells apart the entries of one request, such as a void and its replacement.
    """
    return PaymentId("pay_" + uuid.uuid5(NAMESPACE, f"{user.email}:{key}{part}").hex)


def handle_payment_log(
    user: User,
    key: uuid.UUID,
    request: PaymentRequest,
    ledger: Ledger,
    limits: Limits,
    pause: Callable[[float], None],
) -> Logged:
    """Write one payment, or find the one that this key already wrote, however long ago.

    Raises ForbiddenError, NotFoundError, InvalidFieldsError, KeyReusedError, ContentionError or
    PossibleDuplicateError.
    """
    verify_admin_token(user)
    payment_id = payment_id_of(user, key)
    try:
        return Logged(_log(payment_id, user, request, ledger, limits, pause))
    except (AlreadyLoggedError, ApiError) as refusal:
        entry, fingerprint = logged_before(payment_id, refusal, ledger)
    if fingerprint != request.fingerprint:
        field = _first_difference(request, entry)
        message = f"This Idempotency-Key was used for a payment with another {field}."
        raise KeyReusedError(message, FieldError(field, "idempotency_key_reused", message))
    return Logged(entry, replayed=True)


def _log(
    payment_id: PaymentId,
    user: User,
    request: PaymentRequest,
    ledger: Ledger,
    limits: Limits,
    pause: Callable[[float], None],
) -> LedgerEntry:
    require_within(limits, request)
    ground = ledger.ground(
        request.event_id, request.patron_email, request.method, request.reference
    )
    if ground.event is None:
        message = "There is no such event."
        raise NotFoundError(message, FieldError("event_id", "event_not_found", message))
    if ground.patron is None:
        message = f"This patron is not on the roster of {ground.event.name}."
        raise InvalidFieldsError(FieldError("patron_email", "patron_not_on_roster", message))
    entry = entry_of(payment_id, user, request, ground.event, ground.patron, limits.now)

    def look(entries: Sequence[LedgerEntry], ground: Ground) -> list[LedgerEntry]:
        return [warned(each, ground, ledger, request.acknowledge_duplicates) for each in entries]

    (written,) = append([entry], request.fingerprint, ground, ledger, look, pause)
    return written


def require_within(limits: Limits, request: PaymentFields, prefix: str = "") -> None:
    """Refuse sums and times out of bounds. prefix: where the fields stand in the body."""
    errors = []
    largest = limits.max_amount_cents
    if not 0 < cents_from_text(request.amount) <= largest:
        message = f"The amount must be above $0.00 and at most ${largest / 100:,.2f}."
        errors.append(FieldError(f"{prefix}amount", "amount_out_of_range", message))
    earliest, latest = limits.now - MAX_AGE_MS, limits.now + MAX_AHEAD_MS
    if request.timestamp is not None and not earliest <= request.timestamp <= latest:
        message = "The timestamp must be epoch milliseconds, at most 5 min ahead and 7 days old."
        errors.append(FieldError(f"{prefix}timestamp", "timestamp_out_of_range", message))
    if errors:
        raise InvalidFieldsError(*errors)


def first_difference(request: PaymentFields, entry: LedgerEntry) -> str:
    """The first field in which a request differs from the payment that was logged before."""
    if cents_from_text(request.amount) != entry.amount_cents:
        return "amount"
    for field in ("patron_email", "method", "reference", "note"):
        if getattr(request, field) != getattr(entry, field):
            return field
    return "timestamp"


def _first_difference(request: PaymentRequest, entry: LedgerEntry) -> str:
    if request.event_id != entry.event_id:
        return "event_id"
    return first_difference(request, entry)


def entry_of(
    payment_id: PaymentId,
    user: User,
    request: PaymentFields,
    event: Event,
    patron: Patron,
    now: int,
) -> LedgerEntry:
    return LedgerEntry(
        kind="payment",
        payment_id=payment_id,
        event_id=event.event_id,
        event_name=event.name,
        event_date=event.event_date,
        event_timezone=event.timezone,
        patron_email=patron.email,
        patron_name=patron.name,
        amount_cents=cents_from_text(request.amount),
        currency="USD",
        method=request.method,
        reference=request.reference,
        note=request.note,
        timestamp=now if request.timestamp is None else request.timestamp,
        logged_at=now,
        logged_day=datetime.fromtimestamp(now / 1000, UTC).date().isoformat(),
        logged_by=user.email,
        expiration_timestamp=now // 1000 + RETENTION_SECONDS,
    )

"""The fields of a payment, each listed once, and the limits of what people type into them.

What is written, what a retry is compared by and what the API documents all follow this model. A
field that is added here needs an attribute of the same name in `shared.ledger.LedgerEntry`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from functions.api.free_text.card_numbers import no_card_number
from functions.api.free_text.plain_text import PLAIN_TEXT, plain_text
from functions.api.payments.duplicates import MOST
from functions.api.payments.money import (
    AMOUNT_PATTERN,
    AmountError,
    cents_from_text,
    text_from_cents,
)
from shared.ledger import PAYMENT_ID, LedgerEntry
from shared.methods import METHODS, Method, label_of, reference_key

REFERENCE_LENGTH = 40
NOTE_LENGTH = 280

Text = Annotated[str, AfterValidator(plain_text), Field(json_schema_extra={"pattern": PLAIN_TEXT})]
FreeText = Annotated[Text, AfterValidator(no_card_number)]


class PaymentFields(BaseModel):
    """What a request says about a payment. timestamp: epoch milliseconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    patron_email: Annotated[Text, Field(min_length=3, max_length=254)]
    amount: Annotated[str, Field(json_schema_extra={"pattern": AMOUNT_PATTERN})]
    method: Method
    timestamp: int | None = None
    reference: Annotated[FreeText, Field(max_length=REFERENCE_LENGTH, validate_default=True)] = ""
    note: Annotated[FreeText, Field(max_length=NOTE_LENGTH)] = ""
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
        if method and METHODS[method].reference_is_required and not reference_key(reference):
            raise ValueError(f"Enter the {label_of(method)} number.")
        return reference

    @property
    def attributes(self) -> dict[str, Any]:
        """The fields as a ledger entry has them; timestamp is None when the request has none."""
        values = {_ATTRIBUTES.get(name, name): getattr(self, name) for name in RECORDED}
        return values | {"amount_cents": cents_from_text(self.amount)}


RECORDED = tuple(each for each in PaymentFields.model_fields if each != "acknowledge_duplicates")
_ATTRIBUTES = {"amount": "amount_cents"}  # the other fields have the same name in the ledger


def first_difference(request: PaymentFields, entry: LedgerEntry) -> str:
    """The first field, in the order of the form, in which a retry differs from what was logged.

    The timestamp is what is left when nothing else differs: the ledger moves it by milliseconds.
    """
    attributes = request.attributes
    for field in RECORDED:
        name = _ATTRIBUTES.get(field, field)
        if field != "timestamp" and attributes[name] != getattr(entry, name):
            return field
    return "timestamp"


def fingerprint_of(model: BaseModel, **more: str) -> str:
    """SHA-256 of what makes two requests the same. Acknowledging a duplicate makes no difference.

    A field left at its default counts as absent: a retry stays the same request when a later
    release knows more optional fields.
    """
    content = model.model_dump(exclude_defaults=True)
    for part in (content, content.get("replacement", {})):
        part.pop("acknowledge_duplicates", None)
    return hashlib.sha256(json.dumps(content | more, sort_keys=True).encode()).hexdigest()

"""Signing an event's waiver: the rules, free of HTTP and of DynamoDB."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.api.free_text.card_numbers import no_card_number
from functions.api.free_text.plain_text import PLAIN_TEXT, plain_text
from functions.api.http.problems import (
    AlreadySignedError,
    FieldError,
    InvalidFieldsError,
    no_such_event,
)
from shared.text import INVISIBLE_LETTERS


def _name(name: str) -> str:
    if not any(each.isalpha() and each not in INVISIBLE_LETTERS for each in name):
        raise ValueError("Enter your full name.")
    return name


class WaiverSignature(BaseModel):
    """The body of POST /g/{event_id}/waiver."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(min_length=1, max_length=120, json_schema_extra={"pattern": PLAIN_TEXT}),
        AfterValidator(plain_text),
        AfterValidator(no_card_number),
        AfterValidator(_name),
    ]
    email: Annotated[
        str,
        Field(min_length=3, max_length=254, json_schema_extra={"pattern": PLAIN_TEXT}),
        AfterValidator(plain_text),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedWaiver:
    """signed_at: epoch milliseconds by the server's clock; name: the one used to sign."""

    email: str
    name: str
    signed_at: int


@dataclass(frozen=True, slots=True)
class Signed:
    """replayed: the signature was there before."""

    waiver: SignedWaiver
    replayed: bool = False


class Roster(Protocol):
    def sign(self, event_id: str, email: str, signature: WaiverSignature, now: int) -> Signed:
        """Write the signature unless there is one; returns the one that is now on the entry.

        Raises NotOnRosterError.
        """

    def has_event(self, event_id: str) -> bool: ...


class NotOnRosterError(Exception):
    """The roster has no entry with this e-mail, or there is no such event."""


def handle_waiver_signing(
    event_id: str, signature: WaiverSignature, roster: Roster, now: int
) -> Signed:
    """Sign once. Signing again with the same name changes nothing; a different name is refused.

    Raises NotFoundError, InvalidFieldsError or AlreadySignedError. now: epoch milliseconds.
    """
    try:
        signed = roster.sign(event_id, signature.email.lower(), signature, now)
    except NotOnRosterError as error:
        if not roster.has_event(event_id):
            raise no_such_event() from error
        message = "This e-mail is not on the event's roster. Use the one that you booked with."
        raise InvalidFieldsError(FieldError("email", "patron_not_on_roster", message)) from error
    waiver = signed.waiver
    if signed.replayed and _folded(waiver.name) != _folded(signature.name):
        when = datetime.fromtimestamp(waiver.signed_at / 1000, UTC)
        message = (
            f"The waiver for this e-mail was signed on {when:%B} {when.day}, {when:%Y} at "
            f"{when:%H:%M} UTC, under a different name. If that was not you, ask the crew."
        )
        raise AlreadySignedError(message, FieldError("email", "waiver_already_signed", message))
    return signed


def waiver_view(event_id: str, waiver: SignedWaiver) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "email": waiver.email,
        "name": waiver.name,
        "signed_at": waiver.signed_at,
    }


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())

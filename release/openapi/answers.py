"""The API's answers as models: the document is made from them, and tests hold answers to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from functions.api.people.identity import Grant
from shared.audit.delivery import MailboxFinding
from shared.ledger import EVENT_ID, PAYMENT_ID, Kind, LedgerEntry
from shared.methods import METHODS, Method

Milliseconds = Annotated[int, Field(description="Epoch milliseconds.")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Date = Annotated[str, Field(json_schema_extra={"format": "date"})]
Dollars = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$", examples=["125.00"])]
EventId = Annotated[str, Field(pattern=f"^{EVENT_ID}$", examples=["sunset-charter"])]
PaymentId = Annotated[str, Field(pattern=f"^{PAYMENT_ID}$")]
BusinessTimezone = Annotated[
    str,
    Field(
        description="IANA name of the zone in which a day of exports and statements begins and "
        "ends.",
        examples=["America/New_York"],
    ),
]
Cursor = Annotated[
    str | None, Field(description="Where the next page starts; null on the last page.")
]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _with_fields(definitions: Mapping[str, Any]) -> Any:
    """An Answer to derive from, whose fields are listed elsewhere."""
    return create_model("Fields", __base__=Answer, **definitions)


class FieldProblem(Answer):
    field: Annotated[str, Field(description="A field of the body, a parameter, or a header.")]
    code: str
    message: Annotated[str, Field(description="Can be shown to a person.")]


class Problem(Answer):
    """What is wrong and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(description="Stable; for programs to tell problems apart.")]
    detail: Annotated[str, Field(description="Can be shown to a person.")]
    instance: Annotated[str, Field(description="The request's id in the logs.")]
    errors: list[FieldProblem]


class Health(Answer):
    status: Literal["ok"]


class UserView(Answer):
    """may: what the user's groups allow. An app offers what it lists; the server checks again."""

    sub: Annotated[str, Field(description="The account's id, which no other account ever gets.")]
    email: str
    name: str
    groups: list[str]
    may: list[Annotated[str, Field(json_schema_extra={"enum": [*map(str, sorted(Grant))]})]]


class SessionAnswer(Answer):
    user: UserView
    business_timezone: BusinessTimezone


class OptionalSessionAnswer(Answer):
    """user is null when `optional` was given and nobody is signed in."""

    user: UserView | None
    business_timezone: BusinessTimezone


class MethodTotals(_with_fields(dict.fromkeys(METHODS, Dollars))):  # type: ignore[misc] # dynamic
    """What was paid by each method, less what was voided or refunded."""


class MailAlerts(Answer):
    """How many of an event's newest 25 entries have an audit mail that needs attention."""

    failed: int
    late: Annotated[int, Field(description="Neither sent nor failed after five minutes.")]


class EventView(Answer):
    """Only admins and auditors get the fields after `roster_size`.

    `audit` is left out for events without an entry in the last seven days.
    """

    event_id: EventId
    name: str
    event_date: Date
    timezone: Annotated[str, Field(examples=["America/New_York"])]
    location: str | None
    roster_size: int | None
    payments_count: int = 0
    total: Dollars = "0.00"
    totals_by_method: MethodTotals = MethodTotals(**dict.fromkeys(METHODS, "0.00"))
    audit: MailAlerts = MailAlerts(failed=0, late=0)
    last_payment_at: Milliseconds | None = None


_WHY = "Why no payment can be logged for it; can be shown to a person."


class UnusableEvent(Answer):
    """An event that the platform lists in a way that the app cannot use."""

    event_id: str
    name: str | None
    problem: Annotated[str, Field(description=_WHY)]


class UnusablePatron(Answer):
    """Somebody on the platform's roster whom the app cannot use."""

    email: str | None
    name: str | None
    problem: Annotated[str, Field(description=_WHY)]


class EventsPage(Answer):
    """No event of the page is left out: it is in `events` or in `problems`."""

    events: list[EventView]
    problems: list[UnusableEvent]
    cursor: Cursor


class PatronView(Answer):
    email: str
    name: str
    waiver_signed_at: Milliseconds | None


class RosterAnswer(Answer):
    """Whoever is not in `roster` is in `problems`, whatever was searched for."""

    roster: list[PatronView]
    problems: list[UnusablePatron]


class EventAnswer(RosterAnswer):
    event: EventView


_TYPES: Mapping[str, Any] = {  # of the ledger's attributes, as JSON has them
    "int": int,
    "int | None": int,
    "str": str,
    "str | None": str,
    "Kind": Kind,
    "Milliseconds": Milliseconds,
    "EventId": EventId,
    "PaymentId": PaymentId,
    "PaymentId | None": PaymentId,
    "tuple[PaymentId, ...]": list[PaymentId],
}
_MORE_EXACTLY: Mapping[str, Any] = {
    "event_date": Date,
    "currency": Literal["USD"],
    "method": Method,
    "timestamp": Annotated[Milliseconds, Field(description="As captured. Epoch milliseconds.")],
    "logged_at": Annotated[Milliseconds, Field(description="Server clock. Epoch milliseconds.")],
    "logged_day": Annotated[Date, Field(description="The business day of `logged_at`.")],
    "expiration_timestamp": Annotated[int, Field(description="Epoch seconds; not hashed.")],
    "reference_key": Annotated[
        str, Field(description="The reference as numbers are compared; absent if it has none.")
    ],
    "voids": Annotated[PaymentId, Field(description="The payment that this void undoes.")],
    "corrects": Annotated[PaymentId, Field(description="The voided payment that this replaces.")],
    "refunds": Annotated[PaymentId, Field(description="The payment that this gives back.")],
    "seq": Annotated[int, Field(ge=1, description="The entry's number in its event, gapless.")],
    "prev_hash": Sha256,
    "hash": Sha256,
}


def _row_fields() -> Iterator[tuple[str, Any]]:
    """Every attribute of a row; those whose default is None may be absent."""
    yield from {"PK": str, "SK": Milliseconds}.items()
    for each in fields(LedgerEntry):
        kind = _MORE_EXACTLY.get(each.name, _TYPES[str(each.type)])
        yield each.name, (kind, "") if each.default is None else kind
        if each.name == "amount_cents":
            yield "amount", Dollars


class LedgerRow(_with_fields(dict(_row_fields()))):  # type: ignore[misc] # dynamic
    """A row of the ledger as it is stored, and its amount in dollars, positive for every kind.

    Names are as they were when it was written. Voids and refunds have a `reason`.
    """


class DeliveryError(Answer):
    """Why the last attempt failed."""

    model_config = ConfigDict(extra="allow")

    message: str


class AuditView(Answer):
    """The state of the entry's audit mail, and what was last seen of it in the audit mailbox.

    A mail stays `sent` when it is gone from the mailbox.
    """

    state: Literal["queued", "sent", "failed"]
    sent_at: Milliseconds | None
    seen_at: Annotated[
        Milliseconds | None,
        Field(
            description="Since when the mail is known to be in the audit mailbox. "
            "Epoch milliseconds; null before, and once it is gone."
        ),
    ]
    mailbox: Annotated[
        MailboxFinding | None,
        Field(
            description="What is wrong in the audit mailbox: the mail is not in it, is in it "
            "twice, or one there holds another record; or it is not in it, and an operator said "
            "why. Null when all is well or not looked at yet."
        ),
    ]
    attempts: int
    last_error: DeliveryError | None


class AuditedPayment(LedgerRow):
    """A ledger row, the entry that voids it, and the state of its audit mail."""

    voided_by: PaymentId | None
    audit: AuditView


class LoggedAnswer(Answer):
    payment: LedgerRow


class PaymentAnswer(Answer):
    payment: AuditedPayment


class DoubtfulRow(Answer):
    """A row that is stored, but not as it was written: what can be read of it, else null."""

    event_id: str | None
    seq: Annotated[int | None, Field(description="The number that the row gives itself.")]
    payment_id: str | None
    patron_name: str | None
    problem: Annotated[str, Field(description="What is wrong, as in the CSV.")]


class PaymentsPage(Answer):
    """No row of the page is left out: it is in `payments` or in `problems`."""

    payments: list[AuditedPayment]
    problems: list[DoubtfulRow]
    cursor: Cursor


class VoidAnswer(Answer):
    void: LedgerRow
    replacement: LedgerRow | None


class DuplicateProblem(Problem):
    """A problem; `possible_duplicate` comes with the earlier entries."""

    payments: list[LedgerRow] = []


class WaiverView(Answer):
    event_id: EventId
    email: str
    name: Annotated[str, Field(description="The name used to sign.")]
    signed_at: Milliseconds


class WaiverAnswer(Answer):
    waiver: WaiverView

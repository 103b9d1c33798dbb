"""Every call of the API: who may make it, what it takes, and every way it can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from functions.api.events.waiver import WaiverSignature
from functions.api.http import problems
from functions.api.http.incoming import EVENT_ID, MAX_SEARCH
from functions.api.payments.free_text import PLAIN_TEXT
from functions.api.payments.log import PaymentRequest
from functions.api.payments.void import VoidRequest
from functions.api.people.sign_in import SignIn
from release.openapi import answers

Refusal = type[problems.ApiError]
KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
PAYMENT = "pay_3f9c0a1b2c3d4e5f60718293a4b5c6d7"
UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_SIGNED_IN = (problems.NotSignedInError, problems.ForbiddenError)
_WRITES = (
    problems.MalformedRequestError,
    problems.ForeignOriginError,
    problems.BodyTooLargeError,
    problems.NotJsonError,
    problems.InvalidFieldsError,
)
_LOGS = (
    *_SIGNED_IN,
    *_WRITES,
    problems.NotFoundError,
    problems.PossibleDuplicateError,
    problems.ContentionError,
    problems.KeyReusedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    place: str
    schema: dict[str, Any]
    description: str
    example: Any
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address. who: in words. answers: what 200 (or 204) holds.

    takes_nobody: a session is read when there is one, and may be missing.
    """

    method: str
    path: str
    name: str
    summary: str
    who: str
    tag: str
    answer: type[BaseModel] | str | None
    refusals: Sequence[Refusal] = ()
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: type[BaseModel] | None = None
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    example: Any = None
    status: int = 200
    replays: bool = False
    sets_cookie: bool = False
    takes_nobody: bool = False

    @property
    def is_public(self) -> bool:
        return self.who == "anyone"


_EVENT = Parameter(
    name="event_id",
    place="path",
    required=True,
    schema={"type": "string", "pattern": f"^{EVENT_ID}$"},
    description="The event's id, as in its address.",
    example="sunset-charter",
)
_PAYMENT = Parameter(
    name="payment_id",
    place="path",
    required=True,
    schema={"type": "string", "pattern": "^pay_[0-9a-f]{32}$"},
    description="An entry of the ledger: a payment or a void.",
    example=PAYMENT,
)
_CURSOR = Parameter(
    name="cursor",
    place="query",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]*$"},
    description="The `cursor` of the page before, unchanged; it is good for the same list only.",
    example="",
)
_LIMIT = Parameter(
    name="limit",
    place="query",
    schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    description="Entries per page.",
    example=50,
)
_OPTIONAL = Parameter(
    name="optional",
    place="query",
    schema={"type": "string", "enum": ["true"]},
    description="Answer 200 with no user, not 401, when nobody is signed in.",
    example=None,
)
_IDEMPOTENCY = Parameter(
    name="Idempotency-Key",
    place="header",
    required=True,
    schema={"type": "string", "format": "uuid", "pattern": f"^{UUID}$"},
    description="Made by the caller for one intent and sent again with every retry of it. The "
    "same key with the same body gives the same answer, however late; it never expires.",
    example=KEY,
)
_BY_EVENT = Parameter(
    name="event_id",
    place="query",
    schema={"type": "string", "pattern": f"^{EVENT_ID}$"},
    description="Entries of this event.",
    example="sunset-charter",
)
_BY_PATRON = Parameter(
    name="patron_email",
    place="query",
    schema={"type": "string", "pattern": r"^[^\s@]{1,64}@[^\s@]{1,189}$"},
    description="Entries of this patron, at all events.",
    example=None,
)


def _day(name: str, description: str) -> Parameter:
    schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return Parameter(
        name=name, place="query", schema=schema, description=description, example="2026-11-23"
    )


_CASH = {
    "event_id": "sunset-charter",
    "patron_email": "jane.doe@example.com",
    "amount": "125.00",
    "method": "cash",
}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/health",
        name="health",
        summary="Whether the API runs",
        who="anyone",
        tag="Service",
        answer=answers.Health,
        example={"status": "ok"},
    ),
    Operation(
        method="GET",
        path="/api/openapi.json",
        name="openapi",
        summary="This document",
        who="anyone",
        tag="Service",
        answer="application/json",
    ),
    Operation(
        method="POST",
        path="/api/session",
        name="signIn",
        summary="Sign in",
        who="anyone",
        tag="Session",
        description="Answers the same for an unknown user and for a wrong password. The session is "
        "a cookie that no script can read; it lasts twelve hours.",
        body=SignIn,
        examples={
            "admin": {"email": "admin@shipcaptaincrew.example", "password": "anchors-aweigh"}
        },
        answer=answers.SessionAnswer,
        refusals=(*_WRITES, problems.SignInRefusedError, problems.ThrottledError),
        sets_cookie=True,
    ),
    Operation(
        method="GET",
        path="/api/session",
        name="whoAmI",
        summary="Who is signed in",
        who="any signed-in user",
        tag="Session",
        description="With `optional=true` nobody is an answer, too, and no error: a page that has "
        "just been opened asks so, as browsers report every refused call as a fault of the page.",
        parameters=(_OPTIONAL,),
        takes_nobody=True,
        answer=answers.OptionalSessionAnswer,
        refusals=(problems.MalformedRequestError, problems.NotSignedInError),
    ),
    Operation(
        method="DELETE",
        path="/api/session",
        name="signOut",
        summary="Sign out",
        who="anyone",
        tag="Session",
        description="Ends the session for good; without one it does nothing.",
        answer=None,
        status=204,
        refusals=(problems.ForeignOriginError,),
        sets_cookie=True,
    ),
    Operation(
        method="GET",
        path="/api/events",
        name="listEvents",
        summary="Events, newest first",
        who="admin, auditor, crew",
        tag="Events",
        description="Admins and auditors also see the count and total of each event's payments.",
        parameters=(_CURSOR, _LIMIT),
        answer=answers.EventsPage,
        refusals=(*_SIGNED_IN, problems.MalformedRequestError),
    ),
    Operation(
        method="GET",
        path="/api/events/{event_id}",
        name="showEvent",
        summary="An event with its roster",
        who="admin, auditor, crew",
        tag="Events",
        parameters=(_EVENT,),
        answer=answers.EventAnswer,
        refusals=(*_SIGNED_IN, problems.NotFoundError),
    ),
    Operation(
        method="GET",
        path="/api/events/{event_id}/roster",
        name="searchRoster",
        summary="Patrons of an event by name or e-mail",
        who="admin",
        tag="Events",
        parameters=(
            _EVENT,
            Parameter(
                name="q",
                place="query",
                schema={"type": "string", "maxLength": MAX_SEARCH, "pattern": PLAIN_TEXT},
                description="Part of a name or e-mail, whatever its case and accents.",
                example="seamus",
            ),
        ),
        answer=answers.RosterAnswer,
        refusals=(*_SIGNED_IN, problems.MalformedRequestError, problems.NotFoundError),
    ),
    Operation(
        method="POST",
        path="/api/payments",
        name="logPayment",
        summary="Log a payment",
        who="admin",
        tag="Payments",
        description="Writes one entry to the event's ledger, or nothing. A likely duplicate is "
        "answered with 409 and the earlier entries; sent again with their ids in "
        "`acknowledge_duplicates` it is logged. `timestamp` may be five minutes ahead and seven "
        "days old; without it the payment was taken now.",
        parameters=(_IDEMPOTENCY,),
        body=PaymentRequest,
        examples={
            "cash": _CASH,
            "check": _CASH | {"method": "check", "reference": "1042", "note": "Deposit"},
        },
        answer=answers.LoggedAnswer,
        refusals=_LOGS,
        replays=True,
    ),
    Operation(
        method="GET",
        path="/api/payments",
        name="listPayments",
        summary="Entries of an event or of a patron, newest first",
        who="admin, auditor",
        tag="Payments",
        description="Give `event_id` or `patron_email`, not both. Each entry says what became of "
        "its audit mail.",
        parameters=(_BY_EVENT, _BY_PATRON, _CURSOR, _LIMIT),
        answer=answers.PaymentsPage,
        refusals=(*_SIGNED_IN, problems.MalformedRequestError),
    ),
    Operation(
        method="GET",
        path="/api/payments/{payment_id}",
        name="showPayment",
        summary="One entry",
        who="admin, auditor",
        tag="Payments",
        parameters=(_PAYMENT,),
        answer=answers.PaymentAnswer,
        refusals=(*_SIGNED_IN, problems.NotFoundError),
    ),
    Operation(
        method="GET",
        path="/api/payments/by-key/{key}",
        name="showPaymentByKey",
        summary="Did my payment save?",
        who="admin, auditor",
        tag="Payments",
        description="The entry that the caller's own key wrote.",
        parameters=(
            Parameter(
                name="key",
                place="path",
                required=True,
                schema=_IDEMPOTENCY.schema,
                description="The Idempotency-Key that the payment was sent with.",
                example=KEY,
            ),
        ),
        answer=answers.PaymentAnswer,
        refusals=(*_SIGNED_IN, problems.MalformedRequestError, problems.NotFoundError),
    ),
    Operation(
        method="POST",
        path="/api/payments/{payment_id}/void",
        name="voidPayment",
        summary="Void a payment, and log the corrected one",
        who="admin",
        tag="Payments",
        description="The void is an entry of its own; the payment stays. With `replacement` the "
        "corrected payment is logged in the same transaction, for the same event. The reason "
        "`other` needs a note.",
        parameters=(_PAYMENT, _IDEMPOTENCY),
        body=VoidRequest,
        examples={
            "void": {"reason": "entered_twice"},
            "replacement": {
                "reason": "wrong_amount",
                "replacement": {name: _CASH[name] for name in _CASH if name != "event_id"},
            },
        },
        answer=answers.VoidAnswer,
        refusals=(*_LOGS, problems.NotVoidableError),
        replays=True,
    ),
    Operation(
        method="GET",
        path="/api/payments.csv",
        name="exportPayments",
        summary="Entries as CSV",
        who="admin, auditor",
        tag="Payments",
        description="Give `event_id`, or both `from` and `to`: UTC days, both included, 366 at "
        "most. Voids are rows; no row is ever left out. Made for spreadsheets: UTF-8 with a byte "
        "order mark, and no cell is a formula.",
        parameters=(
            _BY_EVENT,
            _day("from", "The first UTC day."),
            _day("to", "The last UTC day."),
        ),
        answer="text/csv",
        refusals=(*_SIGNED_IN, problems.MalformedRequestError, problems.InvalidFieldsError),
    ),
    Operation(
        method="GET",
        path="/g/{event_id}/waiver",
        name="showWaiver",
        summary="An event's waiver, as a page",
        who="anyone",
        tag="Waiver",
        parameters=(_EVENT,),
        answer="text/html",
    ),
    Operation(
        method="POST",
        path="/g/{event_id}/waiver",
        name="signWaiver",
        summary="Sign an event's waiver",
        who="anyone",
        tag="Waiver",
        description="For a patron on the event's roster. The same name again is the same "
        "signature and is answered with it; another name never replaces one.",
        parameters=(_EVENT,),
        body=WaiverSignature,
        examples={"jane": {"name": "Jane Doe", "email": "jane.doe@example.com"}},
        answer=answers.WaiverAnswer,
        refusals=(*_WRITES, problems.NotFoundError, problems.AlreadySignedError),
        replays=True,
    ),
)

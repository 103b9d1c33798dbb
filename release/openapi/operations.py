"""Every call of the API: who can make it, what it takes, and every way it can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from functions.api.events.waiver import WaiverSignature
from functions.api.http import problems
from functions.api.payments.log import PaymentRequest
from functions.api.payments.void import VoidRequest
from functions.api.people.sign_in import SignIn
from release.openapi import answers, parameters
from release.openapi.parameters import Parameter

Refusal = type[problems.ApiError]

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
    problems.UnreadableError,
    problems.UnusableError,
    problems.KeyReusedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address. who: in words. answer: what a 200 contains.

    takes_nobody: the session is optional.
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
        summary="Check that the API is up",
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
        description="Answers an unknown user and a wrong password the same way. The session "
        "is a cookie that no script can read; it lasts twelve hours.",
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
        description="With `optional=true` the answer is 200 even if nobody is signed in. A page "
        "that has just loaded asks this way, because browsers log every refused call as an error.",
        parameters=(parameters.OPTIONAL,),
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
        description="Ends the session for good; does nothing without one.",
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
        parameters=(parameters.CURSOR, parameters.LIMIT),
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
        parameters=(parameters.EVENT,),
        answer=answers.EventAnswer,
        refusals=(*_SIGNED_IN, problems.NotFoundError, problems.UnusableError),
    ),
    Operation(
        method="GET",
        path="/api/events/{event_id}/roster",
        name="searchRoster",
        summary="Patrons of an event by name or e-mail",
        who="admin",
        tag="Events",
        parameters=(
            parameters.EVENT,
            parameters.SEARCH,
        ),
        answer=answers.RosterAnswer,
        refusals=(
            *_SIGNED_IN,
            problems.MalformedRequestError,
            problems.NotFoundError,
            problems.UnusableError,
        ),
    ),
    Operation(
        method="POST",
        path="/api/payments",
        name="logPayment",
        summary="Log a payment",
        who="admin",
        tag="Payments",
        description="Writes one entry to the event's ledger, or nothing. A likely duplicate is "
        "answered with 409 and the earlier entries; send it again with their ids in "
        "`acknowledge_duplicates` to log it anyway. `timestamp` is when the payment was taken: at "
        "most seven days ago and at most five minutes ahead; the default is now. Check and trace "
        "numbers count as the same if their letters and digits are, whatever stands between or "
        "how many zeros stand in front.",
        parameters=(parameters.IDEMPOTENCY,),
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
        description="Give `event_id` or `patron_email`, not both. Each entry includes the "
        "state of its audit mail. A row that is not as it was written is never shown as a payment: "
        "`problems` names it, and it counts towards `limit`.",
        parameters=(parameters.BY_EVENT, parameters.BY_PATRON, parameters.CURSOR, parameters.LIMIT),
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
        parameters=(parameters.PAYMENT,),
        answer=answers.PaymentAnswer,
        refusals=(*_SIGNED_IN, problems.NotFoundError, problems.UnreadableError),
    ),
    Operation(
        method="GET",
        path="/api/payments/by-key/{key}",
        name="showPaymentByKey",
        summary="Did my payment save?",
        who="admin, auditor",
        tag="Payments",
        description="The entry that was logged under the caller's own key.",
        parameters=(parameters.KEY_IN_PATH,),
        answer=answers.PaymentAnswer,
        refusals=(
            *_SIGNED_IN,
            problems.MalformedRequestError,
            problems.NotFoundError,
            problems.UnreadableError,
        ),
    ),
    Operation(
        method="POST",
        path="/api/payments/{payment_id}/void",
        name="voidPayment",
        summary="Void a payment, and log the corrected one",
        who="admin",
        tag="Payments",
        description="The void is a separate entry; the payment stays in the ledger. With "
        "`replacement`, the corrected payment is logged in the same transaction, for the same "
        "event. The reason `other` needs a note.",
        parameters=(parameters.PAYMENT, parameters.IDEMPOTENCY),
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
        description="Give `event_id`, or both `from` and `to`: business days, both included, at "
        "most 366. Voids and refunds have their own rows, and `net_amount` adds up to the totals "
        "on screen. No row is ever left out: one that is not what was written says so in "
        "`problem`, adds nothing, and is counted in the header `X-Problem-Rows`. Made for "
        "spreadsheets: UTF-8 with a byte order mark, and no cell runs as a formula. "
        "docs/operations.md tells how to compute a hash again from the cells.",
        parameters=(
            parameters.BY_EVENT,
            parameters.day("from", "The first business day."),
            parameters.day("to", "The last business day."),
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
        parameters=(parameters.EVENT,),
        answer="text/html",
    ),
    Operation(
        method="POST",
        path="/g/{event_id}/waiver",
        name="signWaiver",
        summary="Sign an event's waiver",
        who="anyone",
        tag="Waiver",
        description="For a patron on the event's roster. Signing again with the same name returns "
        "the first signature; a different name is refused.",
        parameters=(parameters.EVENT,),
        body=WaiverSignature,
        examples={"jane": {"name": "Jane Doe", "email": "jane.doe@example.com"}},
        answer=answers.WaiverAnswer,
        refusals=(
            *_WRITES,
            problems.NotFoundError,
            problems.AlreadySignedError,
            problems.UnusableError,
        ),
        replays=True,
    ),
)

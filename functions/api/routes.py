"""What each address does: read the request, ask a rule module, answer."""

from __future__ import annotations

import time
import uuid
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.events.views import event_view, matching, money_views, roster_view
from functions.api.events.waiver import WaiverSignature, handle_waiver_signing, waiver_view
from functions.api.events.waiver_page import missing_page, waiver_page
from functions.api.http.answers import (
    csv_answer,
    document_answer,
    empty_answer,
    html_answer,
    json_answer,
)
from functions.api.http.cursors import read_cursor, write_cursor
from functions.api.http.incoming import (
    Model,
    caller_arn,
    is_optional,
    read_body,
    read_idempotency_key,
    read_json,
    read_key,
    read_limit,
    read_search,
    require_same_origin,
    validate,
)
from functions.api.http.problems import (
    ApiError,
    NotFoundError,
    NotSignedInError,
    deleted_payment,
    lost_payment,
    no_such_event,
    no_such_payment,
)
from functions.api.payments.appending import Ledger, Submission, payment_id_of
from functions.api.payments.expired import ExpiredRow
from functions.api.payments.export import handle_payment_export, read_export_filter
from functions.api.payments.listing import (
    audited_views,
    handle_payment_list,
    payment_view,
    read_payments_filter,
)
from functions.api.payments.log import PaymentRequest, handle_payment_log
from functions.api.payments.void import VoidRequest, handle_payment_void
from functions.api.people.cookie import session_cookie, session_token
from functions.api.people.identity import Grant, Sessions, User, get_user_context, require
from functions.api.people.sign_in import SignIn
from shared.expiry import may_be_gone
from shared.ledger import PaymentId, is_event_id, is_payment_id

DOUBTFUL_ROW = "row is not as it was written"

logger = Logger(child=True)
router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


@router.get("/api/health")
def health() -> Response[str]:
    return json_answer({"status": "ok"})


@router.get("/api/openapi.json")
def show_openapi() -> Response[str]:
    return document_answer(wiring.openapi_document())


@router.post("/api/session")
def sign_in() -> Response[str]:
    credentials = validate(SignIn, _changes())
    user = wiring.directory().check_password(credentials.email, credentials.password)
    before = session_token(router.current_event.raw_event)
    if before:  # never reused, or an attacker could plant a session for someone to sign in to
        wiring.sessions().close(before)
    token = wiring.sessions().open(user, _now())
    return json_answer(_session_view(user), cookies=[session_cookie(token)])


@router.get("/api/session")
def who_am_i() -> Response[str]:
    may_be_nobody = is_optional(router.current_event.query_string_parameters)
    try:
        return json_answer(_session_view(_user()))
    except NotSignedInError:
        if may_be_nobody:
            return json_answer(_session_view(None))
        raise


@router.delete("/api/session")
def sign_out() -> Response[str]:
    event = router.current_event
    require_same_origin(event.headers, wiring.settings_list("app_origins"))
    token = session_token(event.raw_event)
    if token:
        wiring.sessions().close(token)
    return empty_answer(cookies=[session_cookie("")])


@router.get("/api/events")
def list_events() -> Response[str]:
    user = _user()
    require(user, Grant.READ_EVENTS)
    parameters = router.current_event.query_string_parameters
    key = wiring.cursor_key()
    start = read_cursor(key, "events", parameters.get("cursor"))
    page = wiring.events().events(read_limit(parameters), start)
    events = _event_views(user, page.rows)
    return json_answer({"events": events, "cursor": write_cursor(key, "events", page.position)})


@router.get("/api/events/<event_id>")
def show_event(event_id: str) -> Response[str]:
    user = _user()
    require(user, Grant.READ_EVENTS)
    meta, roster = _event(event_id)
    (event,) = _event_views(user, [meta])
    return json_answer({"event": event, "roster": roster_view(roster)})


@router.get("/api/events/<event_id>/roster")
def search_roster(event_id: str) -> Response[str]:
    require(_user(), Grant.LOG_PAYMENTS)
    _, roster = _event(event_id)
    sought = read_search(router.current_event.query_string_parameters)
    return json_answer({"roster": roster_view(matching(roster, sought))})


@router.post("/api/payments")
def log_payment() -> Response[str]:
    try:
        key, request = _read_write(PaymentRequest)
    except ApiError:
        require(_user(), Grant.LOG_PAYMENTS)  # someone who may not log learns only that
        raise
    sessions, ledger = wiring.stores_ahead(session_token(router.current_event.raw_event), request)
    user = _user(sessions)
    require(user, Grant.LOG_PAYMENTS)
    logged = handle_payment_log(_submission(user, key, ledger), request)
    logger.info(
        "payment logged",
        payment_id=logged.entry.payment_id,
        event_id=logged.entry.event_id,
        seq=logged.entry.seq,
        replayed=logged.replayed,
    )
    return json_answer({"payment": payment_view(logged.entry)}, replayed=logged.replayed)


@router.post("/api/payments/<payment_id>/void")
def void_payment(payment_id: str) -> Response[str]:
    user = _user()
    require(user, Grant.LOG_PAYMENTS)
    key, request = _read_write(VoidRequest)
    submission = _submission(user, key, wiring.ledger())
    voided = handle_payment_void(submission, _payment_id(payment_id), request)
    logger.info(
        "payment voided",
        payment_id=voided.void.payment_id,
        voids=payment_id,
        seq=voided.void.seq,
        replayed=voided.replayed,
    )
    replacement = payment_view(voided.replacement) if voided.replacement else None
    void = payment_view(voided.void)
    return json_answer({"void": void, "replacement": replacement}, replayed=voided.replayed)


@router.get("/api/payments")
def list_payments() -> Response[str]:
    user = _user()
    require(user, Grant.READ_PAYMENTS)
    parameters = router.current_event.query_string_parameters
    name, value = read_payments_filter(parameters)
    key, query = wiring.cursor_key(), f"payments by {name} {value}"
    start = read_cursor(key, query, parameters.get("cursor"))
    page = wiring.payments().payments_by(name, value, read_limit(parameters), start)
    payments, problems = handle_payment_list(page.rows, wiring.ledger(), wiring.payments())
    for each in problems:
        logger.error(DOUBTFUL_ROW, reason=each["problem"])
    _note_reading(user, "payments listed", **_ids(name, value), entries=len(payments))
    position = write_cursor(key, query, page.position)
    return json_answer({"payments": payments, "problems": problems, "cursor": position})


@router.get("/api/payments.csv")
def export_payments() -> Response[str]:
    user = _user()
    require(user, Grant.READ_PAYMENTS)
    wanted = read_export_filter(router.current_event.query_string_parameters)
    payments = wiring.payments()
    pages = (rows for name, value in wanted for rows in payments.pages_by(name, value))
    by, first = wanted[0]
    expired = None
    if by == "event_id":
        head = wiring.ledger().heads([first]).get(first, {})
        expired = ExpiredRow(first, head.get("seq", 0), wiring.certificate_of)
    export = handle_payment_export(pages, by, wiring.ledger(), payments, expired)
    for problem in export.problems:
        logger.error(DOUBTFUL_ROW, reason=problem)
    facts = _ids(by, first) | {"until": wanted[-1][1], "entries": export.rows}
    logger.info("payments exported", by=user.groups, **facts)
    return csv_answer(export.text, problems=len(export.problems))


@router.get("/api/payments/by-key/<key>")
def show_payment_by_key(key: str) -> Response[str]:
    """Answer "did my payment save?" for the caller's own key."""
    user = _user()
    require(user, Grant.READ_PAYMENTS)
    return _show(user, payment_id_of(user, read_key(key)))


@router.get("/api/payments/<payment_id>")
def show_payment(payment_id: str) -> Response[str]:
    user = _user()
    require(user, Grant.READ_PAYMENTS)
    return _show(user, _payment_id(payment_id))


def _show(user: User, payment_id: PaymentId) -> Response[str]:
    found = wiring.ledger().find(payment_id)
    if found is None:
        raise _absent(payment_id)
    _note_reading(user, "payment shown", payment_id=payment_id)
    (payment,) = audited_views([found[0]], wiring.ledger(), wiring.payments())
    return json_answer({"payment": payment})


def _absent(payment_id: PaymentId) -> NotFoundError:
    taken_at = wiring.ledger().taken_at(payment_id)
    if taken_at is None:
        return no_such_payment()
    if may_be_gone(taken_at, _now()):
        return deleted_payment()
    logger.error("ledger row missing", payment_id=payment_id)
    return lost_payment()


@router.get("/g/<event_id>/waiver")
def show_waiver(event_id: str) -> Response[str]:
    try:
        meta, _ = _event(event_id)
    except NotFoundError:
        return html_answer(missing_page(), 404)
    return html_answer(waiver_page(meta))


@router.post("/g/<event_id>/waiver")
def sign_waiver(event_id: str) -> Response[str]:
    signature = validate(WaiverSignature, _changes())
    if not is_event_id(event_id):
        raise no_such_event()
    signed = handle_waiver_signing(event_id, signature, wiring.roster(), _now())
    logger.info("waiver signed", event_id=event_id, replayed=signed.replayed)
    waiver = waiver_view(event_id, signed.waiver)
    return json_answer({"waiver": waiver}, replayed=signed.replayed)


def _changes() -> dict[str, object]:
    """The JSON body of a write, refused when another site's page sent it."""
    event = router.current_event
    require_same_origin(event.headers, wiring.settings_list("app_origins"))
    return read_json(read_body(event.raw_event), event.headers.get("content-type", ""))


def _read_write(model: type[Model]) -> tuple[uuid.UUID, Model]:
    """What to write, and the key under which it is written once."""
    content = _changes()
    return read_idempotency_key(router.current_event.headers), validate(model, content)


def _submission(user: User, key: uuid.UUID, ledger: Ledger) -> Submission:
    return Submission(
        user=user,
        key=key,
        now=_now(),
        zone=wiring.business_zone(),
        max_amount_cents=wiring.settings().max_amount_cents,
        ledger=ledger,
        pause=time.sleep,
    )


def _user(sessions: Sessions | None = None) -> User:
    event = router.current_event.raw_event
    return get_user_context(
        caller_arn(event),
        session_token(event),
        sessions or wiring.sessions(),
        wiring.directory,
        wiring.settings_list("admin_iam_arns"),
        _now(),
    )


def _event(event_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = wiring.events().event(event_id) if is_event_id(event_id) else None
    if found is None:
        raise no_such_event()
    return found


def _event_views(user: User, metas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if user.may(Grant.READ_PAYMENTS):
        views, unreadable = money_views(metas, wiring.ledger(), wiring.payments(), _now())
        for event_id in unreadable:
            logger.error("the sums of an event cannot be read", event_id=event_id)
        return views
    return [event_view(meta) for meta in metas]


def _note_reading(user: User, what: str, **facts: Any) -> None:
    """Log what an auditor read: ids, never names."""
    if not user.may(Grant.LOG_PAYMENTS):
        logger.info(what, by=user.groups, **facts)


def _ids(name: str, value: str) -> dict[str, Any]:
    """A filter as it may be logged: an event or a day, never a patron's address."""
    return {"filter": name} | ({} if name == "patron_email" else {name: value})


def _payment_id(text: str) -> PaymentId:
    if not is_payment_id(text):
        raise no_such_payment()
    return PaymentId(text)


def _session_view(user: User | None) -> dict[str, object]:
    view: dict[str, object] | None = None
    if user:
        view = {"sub": user.sub, "email": user.email, "name": user.name}
        view |= {"groups": list(user.groups), "may": sorted(user.grants)}
    return {"user": view, "business_timezone": wiring.settings().business_timezone}


def _now() -> int:
    return time.time_ns() // 1_000_000

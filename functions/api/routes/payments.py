"""Payments: log, void, list, export, show."""

from __future__ import annotations

import time
import uuid
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.http.answers import csv_answer, json_answer
from functions.api.http.cursors import read_cursor, write_cursor
from functions.api.http.incoming import read_key, read_limit
from functions.api.http.problems import (
    ApiError,
    NotFoundError,
    deleted_payment,
    lost_payment,
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
from functions.api.people.identity import Grant, User, require
from functions.api.routes import request
from shared.ledger import PaymentId, is_payment_id
from shared.statements.expiry import may_be_gone

DOUBTFUL_ROW = "row is not as it was written"

logger = Logger(child=True)
router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


@router.post("/api/payments")
def log_payment() -> Response[str]:
    try:
        key, payment = request.read_write(PaymentRequest)
    except ApiError:
        require(request.user(), Grant.LOG_PAYMENTS)  # someone who may not log learns only that
        raise
    sessions, ledger = wiring.stores_ahead(request.token(), payment)
    user = request.user(sessions)
    require(user, Grant.LOG_PAYMENTS)
    logged = handle_payment_log(_submission(user, key, ledger), payment)
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
    user = request.user()
    require(user, Grant.LOG_PAYMENTS)
    key, void = request.read_write(VoidRequest)
    submission = _submission(user, key, wiring.ledger())
    voided = handle_payment_void(submission, _payment_id(payment_id), void)
    logger.info(
        "payment voided",
        payment_id=voided.void.payment_id,
        voids=payment_id,
        seq=voided.void.seq,
        replayed=voided.replayed,
    )
    replacement = payment_view(voided.replacement) if voided.replacement else None
    written = payment_view(voided.void)
    return json_answer({"void": written, "replacement": replacement}, replayed=voided.replayed)


@router.get("/api/payments")
def list_payments() -> Response[str]:
    user = request.user()
    require(user, Grant.READ_PAYMENTS)
    parameters = request.parameters()
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
    user = request.user()
    require(user, Grant.READ_PAYMENTS)
    wanted = read_export_filter(request.parameters())
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
    user = request.user()
    require(user, Grant.READ_PAYMENTS)
    return _show(user, payment_id_of(user, read_key(key)))


@router.get("/api/payments/<payment_id>")
def show_payment(payment_id: str) -> Response[str]:
    user = request.user()
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
    if may_be_gone(taken_at, request.now()):
        return deleted_payment()
    logger.error("ledger row missing", payment_id=payment_id)
    return lost_payment()


def _submission(user: User, key: uuid.UUID, ledger: Ledger) -> Submission:
    return Submission(
        user=user,
        key=key,
        now=request.now(),
        zone=wiring.business_zone(),
        max_amount_cents=wiring.settings().max_amount_cents,
        ledger=ledger,
        pause=time.sleep,
    )


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

"""Events, their rosters, and the waivers that patrons sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.events.views import event_view, matching, money_views, roster_view
from functions.api.events.waiver import WaiverSignature, handle_waiver_signing, waiver_view
from functions.api.events.waiver_page import missing_page, unusable_page, waiver_page
from functions.api.http.answers import html_answer, json_answer
from functions.api.http.cursors import read_cursor, write_cursor
from functions.api.http.incoming import read_limit, read_search, validate
from functions.api.http.problems import NotFoundError, UnusableError, no_such_event
from functions.api.people.identity import Grant, User, require
from functions.api.routes import request
from functions.api.tables.platform_items import Sorted
from shared import keys
from shared.ledger import is_event_id

logger = Logger(child=True)
router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


@router.get("/api/events")
def list_events() -> Response[str]:
    user = request.user()
    require(user, Grant.READ_EVENTS)
    parameters = request.parameters()
    key = wiring.cursor_key()
    start = read_cursor(key, "events", parameters.get("cursor"))
    page = wiring.events().events(read_limit(parameters), start)
    problems = page.events.problems
    if problems:
        logger.warning(
            "events that cannot be used", reasons=sorted({each["problem"] for each in problems})
        )
    position = write_cursor(key, "events", page.position)
    events = _event_views(user, page.events.usable)
    return json_answer({"events": events, "problems": problems, "cursor": position})


@router.get("/api/events/<event_id>")
def show_event(event_id: str) -> Response[str]:
    user = request.user()
    require(user, Grant.READ_EVENTS)
    meta, roster = _event(event_id)
    (event,) = _event_views(user, [meta])
    return json_answer({"event": event, **_roster_views(roster.usable, roster.problems)})


@router.get("/api/events/<event_id>/roster")
def search_roster(event_id: str) -> Response[str]:
    require(request.user(), Grant.LOG_PAYMENTS)
    _, roster = _event(event_id)
    sought = read_search(request.parameters())
    return json_answer(_roster_views(matching(roster.usable, sought), roster.problems))


@router.get("/g/<event_id>/waiver")
def show_waiver(event_id: str) -> Response[str]:
    try:
        event = wiring.events().without_roster(_stored_id(event_id))
    except NotFoundError:
        event = None
    except UnusableError:
        return html_answer(unusable_page(), 409)
    return html_answer(waiver_page(event)) if event else html_answer(missing_page(), 404)


@router.post("/g/<event_id>/waiver")
def sign_waiver(event_id: str) -> Response[str]:
    signature = validate(WaiverSignature, request.changes())
    if not is_event_id(event_id):
        raise no_such_event()
    signed = handle_waiver_signing(event_id, signature, wiring.roster(), request.now())
    logger.info("waiver signed", event_id=event_id, replayed=signed.replayed)
    waiver = waiver_view(event_id, signed.waiver)
    return json_answer({"waiver": waiver}, replayed=signed.replayed)


def _event(event_id: str) -> tuple[dict[str, Any], Sorted]:
    found = wiring.events().event(_stored_id(event_id))
    if found is None:
        raise no_such_event()
    return found


def _stored_id(event_id: str) -> str:
    """The id that an address names. Raises NotFoundError.

    Ours stand in addresses as they are; a platform's other ids are escaped, and may be there, too:
    who asks for one is told why it cannot be used.
    """
    if is_event_id(event_id):
        return event_id
    plain = unquote(event_id)
    if is_event_id(plain) or not keys.is_key(plain):
        raise no_such_event()
    return plain


def _roster_views(
    roster: Sequence[Mapping[str, Any]], problems: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {"roster": roster_view(roster), "problems": problems}


def _event_views(user: User, metas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if user.may(Grant.READ_PAYMENTS):
        views, unreadable = money_views(metas, wiring.ledger(), wiring.payments(), request.now())
        for event_id in unreadable:
            logger.error("the sums of an event cannot be read", event_id=event_id)
        return views
    return [event_view(meta) for meta in metas]

"""The Gmail API, `users.messages` and `users.getProfile`: who may call, and what it costs.

Reference: https://developers.google.com/workspace/gmail/api/reference/rest
"""

import base64
import json
import re
from typing import Any

from aiohttp import web

from local.gmail_sandbox.errors import (
    GmailError,
    invalid_argument,
    invalid_credentials,
    not_found,
    precondition_failed,
)
from local.gmail_sandbox.faults import Operation
from local.gmail_sandbox.mailbox import delivery
from local.gmail_sandbox.mailbox.delivery import Submission
from local.gmail_sandbox.mailbox.fates import Fates
from local.gmail_sandbox.mailbox.search import parse_search
from local.gmail_sandbox.mailbox.store import Token
from local.gmail_sandbox.oauth import (
    SCOPE_ALL_MAIL,
    SCOPE_COMPOSE,
    SCOPE_INSERT,
    SCOPE_METADATA,
    SCOPE_MODIFY,
    SCOPE_READONLY,
    SCOPE_SEND,
)
from local.gmail_sandbox.quota import DAY_MS, daily_sending_limit_exceeded
from local.gmail_sandbox.resource import (
    FORMATS,
    attachment_resource,
    message_resource,
    reference,
)
from local.gmail_sandbox.wiring import FAULTS, LIMITS, STORE, now_ms

MAX_RAW_BYTES = 35 * 1024 * 1024
_THREAD_ID = re.compile(r"[0-9a-f]{1,16}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_INSERTING = {SCOPE_INSERT, SCOPE_MODIFY, SCOPE_ALL_MAIL}
_READING = {SCOPE_READONLY, SCOPE_METADATA, SCOPE_MODIFY, SCOPE_ALL_MAIL}
_SCOPES = {
    "send": {SCOPE_SEND, SCOPE_COMPOSE, SCOPE_MODIFY, SCOPE_ALL_MAIL},
    "insert": _INSERTING,
    "import": _INSERTING,
    "list": _READING,
    "get": _READING,
    "profile": {SCOPE_COMPOSE, *_READING},
}
_LABELS = {"INBOX", "UNREAD", "SENT", "SPAM", "TRASH", "STARRED", "IMPORTANT"}
_CATEGORIES = {"PERSONAL", "SOCIAL", "PROMOTIONS", "UPDATES", "FORUMS"}
_SYSTEM_LABELS = _LABELS | {f"CATEGORY_{name}" for name in _CATEGORIES}
_USERS = "/gmail/v1/users/{user}"


def operation_of(request: web.Request) -> Operation | None:
    """Return a request's Google operation, by its name in faults; None for sandbox pages."""
    path = request.path
    if path == "/token":
        return "token"
    if not path.startswith("/gmail/"):
        return None
    if path.endswith("/profile"):
        return "profile"
    if request.method == "POST":
        return "send"
    return "list" if path.endswith("/messages") else "get"


def token_of(request: web.Request) -> Token | None:
    """Return what a call's token stands for; None if it is no valid one."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    return request.app[STORE].token(value.strip(), now_ms()) if is_bearer else None


def _caller(request: web.Request, call: str) -> str:
    """Return the call's mailbox, or refuse, with the same checks in the same order as Gmail."""
    faults, limits = request.app[FAULTS], request.app[LIMITS]
    token = token_of(request)
    if token is None:
        raise invalid_credentials()
    user = token.subject
    if user is None or faults.take("suspended_user", user=user):
        raise precondition_failed()
    if faults.take("gmail_disabled", user=user):
        raise precondition_failed("Mail service not enabled")
    if not token.scopes & _SCOPES[call]:
        raise GmailError(
            403,
            "Request had insufficient authentication scopes.",
            "insufficientPermissions",
            summary="Insufficient Permission",
        )
    if request.match_info["user"].lower() not in ("me", user):
        raise GmailError(403, f"Delegation denied for {user}", "forbidden")
    quota = faults.peek("quota")
    allowed = quota.number("units_per_minute") if quota else limits.units_per_minute
    try:
        limits.spend(user, call, now=now_ms(), allowed=allowed)
    except GmailError:
        if quota:
            faults.use(quota)
        raise
    return user


def _check_daily_limit(request: web.Request, user: str, now: int) -> None:
    """Refuse if the user has sent too many messages within 24 hours."""
    faults = request.app[FAULTS]
    fault = faults.peek("daily_limit")
    allowed = fault.number("messages") if fault else request.app[LIMITS].sends_per_day
    if request.app[STORE].sends_since(user, now - DAY_MS) >= allowed:
        if fault:
            faults.use(fault)
        raise daily_sending_limit_exceeded()


async def send(request: web.Request) -> web.Response:
    user, now = _caller(request, "send"), now_ms()
    body = await _json(request)
    _check_daily_limit(request, user, now)
    submission = Submission(user, _raw(body), now, _thread_id(request, body))
    fates = Fates(request.app[FAULTS])
    return web.json_response(reference(delivery.send(request.app[STORE], submission, fates)))


async def import_message(request: web.Request) -> web.Response:
    user = _caller(request, "import")
    submission = await _inserted(request, user, date_source="dateHeader")
    fates = Fates(request.app[FAULTS])
    stored = delivery.import_message(request.app[STORE], submission, fates)
    return web.json_response(reference(stored))


async def insert(request: web.Request) -> web.Response:
    user = _caller(request, "insert")
    submission = await _inserted(request, user, date_source="receivedTime")
    return web.json_response(reference(delivery.insert(request.app[STORE], submission)))


async def _inserted(request: web.Request, user: str, *, date_source: str) -> Submission:
    body = await _json(request)
    source = request.query.get("internalDateSource", date_source)
    return Submission(
        user,
        _raw(body),
        now_ms(),
        _thread_id(request, body),
        _label_ids(body),
        date_from_header=source == "dateHeader",
        vault_only=request.query.get("deleted") == "true",
        never_spam=request.query.get("neverMarkSpam") == "true",
    )


async def list_messages(request: web.Request) -> web.Response:
    user = _caller(request, "list")
    faults, limits, query = request.app[FAULTS], request.app[LIMITS], request.query
    page, size = query.get("pageToken", "0"), query.get("maxResults", "100")
    if not page.isdecimal():
        raise invalid_argument("Invalid pageToken")
    if not size.isdecimal():
        raise invalid_argument(f"Invalid value at 'max_results' (TYPE_UINT32), {json.dumps(size)}")
    words = query.get("q", "")
    labels = " ".join(f"label:{label}" for label in query.getall("labelIds", []))
    anywhere = " in:anywhere" if query.get("includeSpamTrash") == "true" else ""
    lag_fault = faults.take("search_lag", "list") if words else None
    lag = lag_fault.number("ms") if lag_fault else limits.search_lag_ms
    limit = min(max(int(size), 1), 500)
    found, total = request.app[STORE].list_ids(
        user,
        parse_search(f"{words} {labels}{anywhere}"),
        arrived_before=now_ms() - (lag if words else 0),
        offset=int(page),
        limit=limit,
    )
    answer: dict[str, Any] = {"resultSizeEstimate": total}
    if found:
        answer["messages"] = [{"id": id_, "threadId": thread} for id_, thread in found]
    if int(page) + limit < total:
        answer["nextPageToken"] = str(int(page) + limit)
    return web.json_response(answer)


async def get_message(request: web.Request) -> web.Response:
    user = _caller(request, "get")
    form = request.query.get("format", "full").lower()
    if form not in FORMATS:
        raise invalid_argument(f"Invalid value at 'format': {json.dumps(form)}")
    message = request.app[STORE].message(request.match_info["id"], mailbox=user)
    if message is None:
        raise not_found()
    headers = request.query.getall("metadataHeaders", [])
    return web.json_response(message_resource(message, form, headers))


async def get_attachment(request: web.Request) -> web.Response:
    user = _caller(request, "get")
    message = request.app[STORE].message(request.match_info["id"], mailbox=user)
    found = attachment_resource(message, request.match_info["attachment"]) if message else None
    if found is None:
        raise not_found()
    return web.json_response(found)


async def get_profile(request: web.Request) -> web.Response:
    user = _caller(request, "profile")
    messages, threads, last = request.app[STORE].counts(user)
    return web.json_response(
        {
            "emailAddress": user,
            "messagesTotal": messages,
            "threadsTotal": threads,
            "historyId": str(last),
        }
    )


async def no_such_method(_request: web.Request) -> web.Response:
    raise not_found()


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise GmailError(
            400, "Invalid JSON payload received. Parse error.", "parseError"
        ) from error
    if not isinstance(body, dict):
        raise invalid_argument("Invalid JSON payload received. Root element must be a message.")
    return body


def _raw(body: dict[str, Any]) -> bytes:
    """Return the mail's bytes; Gmail takes URL-safe base64, with or without padding."""
    raw = body.get("raw")
    if not raw:
        raise invalid_argument(
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required"
        )
    if not isinstance(raw, str) or not _BASE64URL.fullmatch(raw) or len(raw.rstrip("=")) % 4 == 1:
        raise invalid_argument(
            "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed"
        )
    content = base64.urlsafe_b64decode(raw.rstrip("=") + "=" * (-len(raw.rstrip("=")) % 4))
    if len(content) > MAX_RAW_BYTES:
        raise GmailError(413, "Request Entity Too Large", "uploadTooLarge")
    return content


def _thread_id(request: web.Request, body: dict[str, Any]) -> str | None:
    """Refuses what can be no thread's id; whether the mailbox has the thread is found out later."""
    value = body.get("threadId")
    if value is not None and not isinstance(value, str):
        raise invalid_argument("Invalid value at 'message.thread_id' (TYPE_STRING)")
    lost = request.app[FAULTS].take("lost_thread") if value else None
    if lost and lost.number("code", 404) == 404:
        raise not_found()
    if lost or (value and not _THREAD_ID.fullmatch(value)):
        raise invalid_argument("Invalid thread_id value")
    return value or None


def _label_ids(body: dict[str, Any]) -> tuple[str, ...]:
    labels = body.get("labelIds") or []
    if not isinstance(labels, list):
        raise invalid_argument("Invalid value at 'message.label_ids'")
    for label in labels:
        if label not in _SYSTEM_LABELS:
            raise invalid_argument(f"Invalid label: {label}")
    return tuple(labels)


def routes() -> list[web.RouteDef]:
    messages = _USERS + "/messages"
    return [
        web.post(messages + "/send", send),
        web.post(messages + "/import", import_message),
        web.post(messages, insert),
        web.get(messages, list_messages),
        web.get(messages + "/{id}", get_message),
        web.get(messages + "/{id}/attachments/{attachment}", get_attachment),
        web.get(_USERS + "/profile", get_profile),
        web.route("*", "/gmail/{rest:.*}", no_such_method),
    ]

"""The request that is being answered: who asks, when, and what for."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.http.incoming import (
    Model,
    caller_arn,
    read_body,
    read_idempotency_key,
    read_json,
    require_same_origin,
    validate,
)
from functions.api.people.cookie import session_token
from functions.api.people.identity import Sessions, User, get_user_context

_router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


def parameters() -> Mapping[str, str]:
    return _router.current_event.query_string_parameters


def token() -> str:
    """Of the session that the request's cookie names, empty without one."""
    return session_token(_router.current_event.raw_event)


def require_own_origin() -> None:
    """Raises ForeignOriginError if another site's page sent the request."""
    require_same_origin(_router.current_event.headers, wiring.settings_list("app_origins"))


def changes() -> dict[str, object]:
    """The JSON body of a write, refused when another site's page sent it."""
    require_own_origin()
    event = _router.current_event
    return read_json(read_body(event.raw_event), event.headers.get("content-type", ""))


def read_write(model: type[Model]) -> tuple[uuid.UUID, Model]:
    """What to write, and the key under which it is written once."""
    content = changes()
    return read_idempotency_key(_router.current_event.headers), validate(model, content)


def user(sessions: Sessions | None = None) -> User:
    """Who asks. Raises NotSignedInError."""
    event = _router.current_event.raw_event
    return get_user_context(
        caller_arn(event),
        token(),
        sessions or wiring.sessions(),
        wiring.directory,
        wiring.settings_list("admin_iam_arns"),
        now(),
    )


def now() -> int:
    """In epoch milliseconds."""
    return time.time_ns() // 1_000_000

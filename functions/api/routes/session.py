"""Signing in and out, and who is asking."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.http.answers import empty_answer, json_answer
from functions.api.http.incoming import is_optional, validate
from functions.api.http.problems import NotSignedInError
from functions.api.people.cookie import session_cookie
from functions.api.people.identity import User
from functions.api.people.sign_in import SignIn
from functions.api.routes import request

router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


@router.post("/api/session")
def sign_in() -> Response[str]:
    credentials = validate(SignIn, request.changes())
    user = wiring.directory().check_password(credentials.email, credentials.password)
    before = request.token()
    if before:  # never reused, or an attacker could plant a session for someone to sign in to
        wiring.sessions().close(before)
    token = wiring.sessions().open(user, request.now())
    return json_answer(_session_view(user), cookies=[session_cookie(token)])


@router.get("/api/session")
def who_am_i() -> Response[str]:
    may_be_nobody = is_optional(request.parameters())
    try:
        return json_answer(_session_view(request.user()))
    except NotSignedInError:
        if may_be_nobody:
            return json_answer(_session_view(None))
        raise


@router.delete("/api/session")
def sign_out() -> Response[str]:
    request.require_own_origin()
    token = request.token()
    if token:
        wiring.sessions().close(token)
    return empty_answer(cookies=[session_cookie("")])


def _session_view(user: User | None) -> dict[str, object]:
    view: dict[str, object] | None = None
    if user:
        view = {"sub": user.sub, "email": user.email, "name": user.name}
        view |= {"groups": list(user.groups), "may": sorted(user.grants)}
    return {"user": view, "business_timezone": wiring.settings().business_timezone}

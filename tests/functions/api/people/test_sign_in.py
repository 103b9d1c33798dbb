"""Signing in: who may, what it answers, and the cookie."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from functions.api import wiring
from tests.functions.api.conftest import Client

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(api: Client) -> None:
    answer = api.sign_in("admin")
    assert answer.json["user"]["email"] == "admin@shipcaptaincrew.example"
    assert answer.json["user"]["groups"] == ["admins"]
    cookie = answer.cookies[0]
    assert cookie.startswith("__Host-scc_session=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert api.call("GET", "/api/session").status == 200


@pytest.mark.parametrize(
    ("user", "may"),
    [
        ("admin", ["log_payments", "read_events", "read_payments"]),
        ("auditor", ["read_events", "read_payments"]),
        ("crew", ["read_events"]),
    ],
)
def test_a_session_lists_what_its_user_may_do(api: Client, user: str, may: list[str]) -> None:
    assert api.sign_in(user).json["user"]["may"] == may
    assert api.call("GET", "/api/session").json["user"]["may"] == may


def test_a_session_tells_whose_it_is_and_in_which_zone_days_are_counted(api: Client) -> None:
    signed_in = api.sign_in("admin").json
    assert signed_in == api.call("GET", "/api/session").json
    assert signed_in["business_timezone"] == "America/New_York"
    assert signed_in["user"]["sub"] not in ("", signed_in["user"]["email"])
    assert signed_in["user"]["sub"] != api.sign_in("auditor").json["user"]["sub"]


def test_a_wrong_password_and_an_unknown_user_look_the_same(api: Client) -> None:
    known, unknown = (
        api.call("POST", "/api/session", {"email": email, "password": "wrong-password"})
        for email in ("admin@shipcaptaincrew.example", "who@example.com")
    )
    assert known == unknown
    assert known.status == 401
    assert known.json["detail"] == "The e-mail or the password is wrong."
    assert known.cookies == []
    assert api.rows("Sessions") == []


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        ("TooManyRequestsException", 429, "60"),
        ("LimitExceededException", 429, "60"),
        ("ThrottlingException", 503, "2"),
        ("UserNotFoundException", 401, None),
        ("UserNotConfirmedException", 401, None),
        ("PasswordResetRequiredException", 401, None),
        ("InternalErrorException", 500, None),
    ],
)
def test_what_cognito_refuses_is_answered_in_our_words(
    api: Client, error: str, status: int, retry_after: str | None
) -> None:
    """Cognito's answer is put on the wire, as it is documented: moto never throttles."""

    def refuse(request: Any, **_: Any) -> AWSResponse:
        content = json.dumps({"__type": error, "message": "said by Cognito"})
        raw = HTTPResponse(body=io.BytesIO(content.encode()), preload_content=False)
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.1"
        return AWSResponse(request.url, 400, headers, raw)

    events = wiring.directory()._public.meta.events
    events.register_first("before-send.cognito-identity-provider.InitiateAuth", refuse)
    try:
        answer = api.sign_in("admin")
    finally:
        events.unregister("before-send.cognito-identity-provider.InitiateAuth", refuse)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)
    assert "Cognito" not in answer.text
    assert answer.cookies == []


def test_every_sign_in_makes_a_new_token_and_ends_the_previous_session(api: Client) -> None:
    api.sign_in("admin")
    first = api.cookie
    api.sign_in("admin")
    assert api.cookie != first
    assert len(api.rows("Sessions")) == 1
    api.cookie = first
    assert api.call("GET", "/api/session").status == 401


def test_a_planted_cookie_is_never_adopted(api: Client) -> None:
    planted = "__Host-scc_session=chosen-by-somebody-else"
    api.cookie = planted
    api.sign_in("admin")
    assert api.cookie != planted
    api.cookie = planted
    assert api.call("GET", "/api/session").status == 401


def test_a_refused_sign_in_keeps_the_existing_session(admin: Client) -> None:
    body = {"email": "admin@shipcaptaincrew.example", "password": "wrong-password"}
    assert admin.call("POST", "/api/session", body).status == 401
    assert admin.call("GET", "/api/session").status == 200


def test_optional_is_true_or_left_out(api: Client) -> None:
    refused = api.call("GET", "/api/session", query={"optional": "false"})
    assert refused.status == 400
    assert refused.json["errors"][0]["field"] == "optional"

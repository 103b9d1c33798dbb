"""Function URL events as AWS's tools write them and AWS's pages describe them.

SAM CLI writes requests in payload format 2.0, which Function URLs follow, and Powertools' model
says what such an event holds. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any
from urllib.parse import unquote

import pytest
from aws_lambda_powertools.utilities.parser.models import LambdaFunctionUrlModel

from functions.api import handler
from tests.contracts import sam
from tests.functions.api.conftest import Answer, Client, add_event, add_patron
from tests.functions.lambda_context import Context

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
PAYMENT = {
    "event_id": "sunset-charter",
    "patron_email": "jane.doe@example.com",
    "amount": "125.00",
    "method": "cash",
    "note": "für Käpten 李",
}
SENT = {
    "Accept": "*/*",
    "Content-Type": "application/json",
    "Idempotency-Key": KEY,
    "User-Agent": "curl/8.7.1",
}
LOG = {"path": "/api/payments", "method": "POST", "headers": SENT, "data": json.dumps(PAYMENT)}
REQUESTS: dict[str, dict[str, Any]] = {
    "log": LOG,
    "log in base64": LOG | {"is_binary": True},
    "health": {"path": "/api/health"},
    "session": {"path": "/api/session"},
    "list": {"path": "/api/payments", "query_string": "event_id=sunset-charter&limit=1"},
    "two events": {"path": "/api/payments", "query_string": "event_id=sunset-charter&event_id=x"},
    "two limits": {
        "path": "/api/payments",
        "query_string": "event_id=sunset-charter&limit=1&limit=2",
    },
    "two patrons": {
        "path": "/api/payments",
        "query_string": "patron_email=lee%40example.com&patron_email=jane.doe%40example.com",
    },
    "plus": {"path": "/api/payments", "query_string": "patron_email=jane%2Btag%40example.com"},
    "search": {
        "path": "/api/events/sunset-charter/roster",
        "query_string": "q=%E6%9D%8E%E5%B0%8F",
    },
    "no value": {"path": "/api/payments", "query_string": "event_id"},
}


@cache
def written_by_sam() -> dict[str, dict[str, Any]]:
    return dict(zip(REQUESTS, sam.payloads(list(REQUESTS.values())), strict=True))


def payload(name: str, **changes: Any) -> dict[str, Any]:
    """Header names in lower case, as Lambda passes them on."""
    event = copy.deepcopy(written_by_sam()[name])
    lowered = {name.lower(): value for name, value in event["headers"].items()}
    return event | {"headers": lowered} | changes


def call(event: dict[str, Any]) -> Answer:
    answer = handler.lambda_handler(event, Context())  # type: ignore[arg-type]
    assert answer.keys() <= {"statusCode", "headers", "body", "cookies", "isBase64Encoded"}
    assert all(isinstance(each, str) for each in answer["headers"].values())
    body = answer.get("body") or ""
    return Answer(answer["statusCode"], answer["headers"], answer["cookies"], body)


@pytest.mark.parametrize("name", REQUESTS)
def test_what_sam_writes_is_a_function_url_event(name: str) -> None:
    LambdaFunctionUrlModel.model_validate(payload(name))


@pytest.mark.parametrize("name", ["log", "log in base64"])
def test_a_payment_is_logged_whether_lambda_takes_its_body_for_text_or_not(
    admin: Client, name: str
) -> None:
    event = payload(name, cookies=[admin.cookie])
    assert event["isBase64Encoded"] is (name == "log in base64")
    assert call(event).json["payment"]["note"] == PAYMENT["note"]


def test_header_names_may_have_capitals(admin: Client) -> None:
    event = copy.deepcopy(written_by_sam()["log"]) | {"cookies": [admin.cookie]}
    assert {"Content-Type", "Idempotency-Key"} <= event["headers"].keys()
    assert call(event).status == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [("idempotency-key", 400), ("content-type", 415), ("sec-fetch-site", 403), ("origin", 403)],
)
def test_a_header_that_was_sent_twice_is_refused(admin: Client, header: str, status: int) -> None:
    """Lambda joins what was sent twice with commas."""
    event = payload("log", cookies=[admin.cookie])
    browsers = {"sec-fetch-site": "same-origin", "origin": "https://pay.example.com"}
    once = (browsers | event["headers"])[header]
    event["headers"][header] = f"{once},{once}"
    assert call(event).status == status
    assert admin.rows("Payments") == []


@pytest.mark.parametrize(
    "around",
    [
        ([], []),
        (["theme=dark", "a=b=c"], ["consent="]),
        (["__Host-scc_session_old=x"], ["empty"]),
        ([""], [" "]),
    ],
)
def test_the_session_is_found_among_several_cookies(
    admin: Client, around: tuple[list[str], list[str]]
) -> None:
    before, after = around
    assert call(payload("session", cookies=[*before, admin.cookie, *after])).status == 200
    assert call(payload("session", cookies=[*before, *after])).status == 401


@pytest.mark.parametrize("nothing", ["left out", "null"])
def test_optional_fields_may_be_missing(api: Client, nothing: str) -> None:
    """AWS's example has null in some; a request without cookies, query or body leaves them out."""
    for name, status in (("health", 200), ("session", 401), ("log", 401), ("list", 401)):
        event = payload(name)
        for field in ("cookies", "queryStringParameters", "body", "pathParameters"):
            event.pop(field, None)
            if nothing == "null":
                event[field] = None
        del event["stageVariables"]
        event["headers"].pop("content-type", None)
        LambdaFunctionUrlModel.model_validate(event)
        assert call(event).status == status


@pytest.mark.parametrize("nothing", ["left out", "null"])
def test_a_list_without_a_query_says_what_it_needs(admin: Client, nothing: str) -> None:
    event = payload("list", cookies=[admin.cookie], rawQueryString="")
    del event["queryStringParameters"]
    if nothing == "null":
        event["queryStringParameters"] = None
    assert call(event).status == 400


@pytest.mark.parametrize("name", ["two events", "two limits", "two patrons", "no value"])
def test_a_parameter_that_was_given_twice_or_is_empty_chooses_nothing(
    admin: Client, name: str
) -> None:
    """Lambda joins the values with commas; none of them must win."""
    admin.log()
    answer = call(payload(name, cookies=[admin.cookie]))
    assert answer.status == 400


def test_parameters_arrive_decoded(admin: Client) -> None:
    add_patron(admin, "jane+tag@example.com")
    admin.log(patron_email="jane+tag@example.com")
    (payment,) = call(payload("plus", cookies=[admin.cookie])).json["payments"]
    assert payment["patron_email"] == "jane+tag@example.com"
    (found,) = call(payload("search", cookies=[admin.cookie])).json["roster"]
    assert found["email"] == "lee@example.com"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/events/sunset-charter%2Froster"),
        ("GET", "/api/events/sunset%2Dcharter"),
        ("GET", "/api/events/%2e%2e%2Fpayments"),
        ("GET", "/api%2Fhealth"),
        ("GET", "/api/events/%FF"),
        ("GET", "/g/sunset%2fcharter/waiver"),
        ("POST", "/api/payments/pay_1%2Fvoid"),
        ("POST", "/api/payments%2F"),
    ],
)
def test_an_escape_in_a_path_is_no_other_spelling_of_an_address(
    admin: Client, method: str, path: str
) -> None:
    """Function URLs leave escapes in rawPath; HTTP APIs, and so SAM CLI, undo them.

    https://github.com/middleapi/standard-server/pull/93 compares events recorded on AWS.
    """
    add_event(admin, "regatta", "2026-11-29")
    event = payload("log" if method == "POST" else "session", cookies=[admin.cookie], rawPath=path)
    event["requestContext"]["http"] |= {"path": path, "method": method}
    answer = call(event)
    assert answer.status in {404, 405}
    assert unquote(path) not in answer.text
    assert admin.rows("Payments") == []


@pytest.mark.parametrize(
    ("arn", "status"),
    [("arn:aws:sts::123456789012:assumed-role/scripts/nightly", 200), (None, 401)],
)
def test_a_caller_that_signs_is_who_lambda_says(api: Client, arn: str | None, status: int) -> None:
    """CloudFront signs, too, and is nobody: its calls need a session."""
    event = payload("session")
    event["requestContext"]["authorizer"] = {
        "iam": {
            "accessKey": "ASIAEXAMPLE",
            "accountId": "123456789012",
            "callerId": "AROAEXAMPLE:nightly",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": arn,
            "userId": "AROAEXAMPLE:nightly",
        }
    }
    LambdaFunctionUrlModel.model_validate(event)
    assert call(event).status == status

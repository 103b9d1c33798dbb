"""Who may do what: every route for every kind of caller. A route without a row here fails."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import Any

import pytest

from functions.api import handler
from shared.attributes import to_attributes
from tests.functions.api.conftest import PASSWORD, Answer, Client

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
SCRIPTS = "arn:aws:iam::123456789012:role/scripts"
CALLERS = ("nobody", "crew", "auditor", "admin", "foreign", "expired", "iam", "stranger")

# foreign: the admin's browser, sent by another site's page. expired: the admin's cookie, too late.
# iam: an identity on the list. stranger: one that is not. A key finds only its caller's payment.
MATRIX = """
                                            nobody crew auditor admin foreign expired iam stranger
GET    /api/health                           200   200   200    200    200     200    200   200
GET    /api/openapi.json                     200   200   200    200    200     200    200   200
POST   /api/session                          200   200   200    200    403     200    200   200
GET    /api/session                          401   200   200    200    200     401    200   401
DELETE /api/session                          204   204   204    204    403     204    204   204
GET    /api/events                           401   200   200    200    200     401    200   401
GET    /api/events/<event_id>                401   200   200    200    200     401    200   401
GET    /api/events/<event_id>/roster         401   403   403    200    200     401    200   401
POST   /api/payments                         401   403   403    200    403     401    200   401
GET    /api/payments                         401   403   200    200    200     401    200   401
GET    /api/payments.csv                     401   403   200    200    200     401    200   401
GET    /api/payments/by-key/<key>            401   403   404    200    200     401    404   401
GET    /api/payments/<payment_id>            401   403   200    200    200     401    200   401
POST   /api/payments/<payment_id>/void       401   403   403    200    403     401    200   401
GET    /g/<event_id>/waiver                  200   200   200    200    200     200    200   200
POST   /g/<event_id>/waiver                  200   200   200    200    403     200    200   200
"""
HEADINGS, *ROWS = [line.split() for line in MATRIX.strip().splitlines()]
STATUSES = {
    (method, path): dict(zip(HEADINGS, map(int, statuses), strict=True))
    for method, path, *statuses in ROWS
}
REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/session"): {
        "body": {"email": "admin@shipcaptaincrew.example", "password": PASSWORD}
    },
    ("POST", "/api/payments"): {
        "body": {
            "event_id": "sunset-charter",
            "patron_email": "lee@example.com",
            "amount": "5.00",
            "method": "ach",
        }
    },
    ("GET", "/api/payments"): {"query": {"event_id": "sunset-charter"}},
    ("GET", "/api/payments.csv"): {"query": {"event_id": "sunset-charter"}},
    ("POST", "/api/payments/<payment_id>/void"): {"body": {"reason": "entered_twice"}},
    ("POST", "/g/<event_id>/waiver"): {
        "body": {"name": "Jane Doe", "email": "jane.doe@example.com"}
    },
}


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert handler.app.routes() == STATUSES.keys()
    assert tuple(HEADINGS) == CALLERS


@pytest.fixture
def payment_id(admin: Client) -> str:
    """A payment that the admin logged under KEY."""
    payment: dict[str, str] = admin.log(KEY).json["payment"]
    return payment["payment_id"]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), STATUSES)
def test_each_caller_gets_what_its_role_allows(
    api: Client, payment_id: str, method: str, path: str, caller: str
) -> None:
    answer = call(as_caller(api, caller), method, path, payment_id, caller)
    expected = STATUSES[method, path][caller]
    assert answer.status == expected
    if expected >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert len(api.rows("Payments")) == 1, "the one that was there"


def as_caller(api: Client, caller: str) -> Client:
    client = replace(api, cookie="")
    if caller in {"crew", "auditor"}:
        assert client.sign_in(caller).status == 200
    if caller in {"admin", "foreign", "expired"}:
        client.cookie = api.cookie
    if caller == "foreign":
        client.headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    if caller == "expired":
        api.dynamodb.update_item(
            TableName=api.tables["Sessions"],
            Key=to_attributes({"session_hash": api.session_hash}),
            UpdateExpression="SET expires_at = :past",
            ExpressionAttributeValues=to_attributes({":past": 1}),
        )
    return client


def call(client: Client, method: str, path: str, payment_id: str, caller: str) -> Answer:
    arns = {"iam": SCRIPTS, "stranger": f"{SCRIPTS}-of-another"}
    values = {"<event_id>": "sunset-charter", "<key>": KEY, "<payment_id>": payment_id}
    address = re.sub(r"<\w+>", lambda name: values[name[0]], path)
    return client.call(
        method,
        address,
        headers={"idempotency-key": str(uuid.uuid4())},
        iam_arn=arns.get(caller, ""),
        **REQUESTS.get((method, path), {}),
    )

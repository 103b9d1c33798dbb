"""The API as a whole: who may do what, which bodies it reads, how it fails."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from functions.api.tables.ledger import LedgerStore
from release.openapi.document import document
from tests.functions.api.conftest import Client

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_health_needs_no_session(api: Client) -> None:
    assert api.call("GET", "/api/health").json == {"status": "ok"}


def test_the_document_in_the_bundle_is_served(api: Client) -> None:
    answer = api.call("GET", "/api/openapi.json")
    assert answer.json == document()
    assert answer.headers["Content-Type"] == "application/json"


def test_an_unknown_address_is_a_problem(api: Client) -> None:
    answer = api.call("GET", "/api/nothing")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["instance"] == "urn:request:request-1"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 415),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ('{"amount":NaN}', 400),
        ('{"amount":"1","amount":"2"}', 400),
        ("[" * 15_000, 400),
        ('{"note":"' + "x" * 17_000 + '"}', 413),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(admin: Client, body: str, status: int) -> None:
    answer = admin.call("POST", "/api/payments", body, headers={"idempotency-key": KEY})
    assert answer.status == status
    assert admin.rows("Payments") == []


@pytest.mark.parametrize(
    "key", ["", "abc", "7f6d1f0e8a554f0a9d583f3b0f1c2d3e", "+0000000-0000-0000-0000-000000000000"]
)
def test_a_missing_or_malformed_key_is_refused(admin: Client, key: str) -> None:
    answer = admin.call("POST", "/api/payments", {}, headers={"idempotency-key": key})
    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])


def test_a_body_with_another_content_type_is_refused(admin: Client) -> None:
    answer = admin.call("POST", "/api/payments", "{}", headers={"content-type": "text/plain"})
    assert answer.status == 415


@pytest.mark.parametrize(
    ("who", "status"), [("", 401), ("crew", 403), ("auditor", 403), ("admin", 200)]
)
def test_only_admins_log_payments(api: Client, who: str, status: int) -> None:
    if who:
        api.sign_in(who)
    assert api.log().status == status
    assert len(api.rows("Payments")) == int(status == 200)


@pytest.mark.parametrize(
    ("who", "status"), [("", 401), ("crew", 403), ("auditor", 200), ("admin", 200)]
)
def test_crew_sees_no_payments(api: Client, who: str, status: int) -> None:
    if who:
        api.sign_in(who)
    query = {"event_id": "sunset-charter"}
    assert api.call("GET", "/api/payments", query=query).status == status


@pytest.mark.parametrize(
    ("body", "status"), [("/////w==", 400), ("not base64", 400), ("e30=", 422)]
)
def test_a_binary_body_is_read_or_refused(admin: Client, body: str, status: int) -> None:
    answer = admin.call(
        "POST", "/api/payments", body, headers={"idempotency-key": KEY}, is_base64=True
    )
    assert answer.status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://pay.example.com"}, 200),
        ({"origin": "https://pay.example.com"}, 200),
        ({}, 200),
    ],
)
def test_another_sites_page_cannot_write(
    admin: Client, headers: dict[str, str], status: int
) -> None:
    admin.headers = headers
    assert admin.log().status == status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/payments", "GET, HEAD, POST"),
        ("DELETE", "/api/events/sunset-charter", "GET, HEAD"),
        ("GET", "/api/payments/pay_1/void", "POST"),
        ("OPTIONS", "/api/session", "GET, HEAD, POST, DELETE"),
        ("PATCH", "/g/sunset-charter/waiver", "GET, HEAD, POST"),
    ],
)
def test_an_unsupported_method_is_answered_with_the_supported_ones(
    api: Client, method: str, path: str, allowed: str
) -> None:
    answer = api.call(method, path)
    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/api/health/", "/api/events/", "/api/", "/api//health"])
def test_an_address_has_only_one_spelling(api: Client, path: str) -> None:
    answer = api.call("GET", path)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_head_is_get_without_the_body(api: Client) -> None:
    for path in ("/api/health", "/api/session", "/g/sunset-charter/waiver", "/api/nothing"):
        got, head = api.call("GET", path), api.call("HEAD", path)
        assert (head.status, head.headers, head.text) == (got.status, got.headers, "")


def test_an_internal_failure_reveals_nothing_internal(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(LedgerStore, "snapshot", fail)
    answer = admin.log(str(uuid.uuid4()))
    assert answer.status == 500
    assert "secret inside" not in answer.text
    assert "Traceback" not in answer.text

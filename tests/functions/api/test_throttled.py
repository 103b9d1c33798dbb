"""AWS slows the API down: the caller is asked to come back, and nothing is written twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.api import wiring
from shared.reads import UnreadKeysError
from tests.functions.api.conftest import Client


@contextmanager
def refused(client: Any, operation: str, code: str, *reasons: str) -> Iterator[None]:
    """The service refuses this operation, after the SDK's own retries."""
    answer: Any = {"Error": {"Code": code, "Message": "said by AWS"}}
    if reasons:
        answer["CancellationReasons"] = [{"Code": each} for each in reasons]
    service = client.meta.service_model.service_id.hyphenize()

    def refuse(**_: Any) -> None:
        known = getattr(client.exceptions, code, ClientError)
        raise known(answer, operation)

    event = f"before-call.{service}.{operation}"
    client.meta.events.register(event, refuse)
    try:
        yield
    finally:
        client.meta.events.unregister(event, refuse)


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("TransactionCanceledException", ("None", "ThrottlingError", "None")),
        ("TransactionCanceledException", ("ProvisionedThroughputExceeded", "None", "None")),
        ("TransactionCanceledException", ("TransactionConflict", "None", "ThrottlingError")),
        ("ProvisionedThroughputExceededException", ()),
        ("RequestLimitExceeded", ()),
        ("ThrottlingException", ()),
    ],
)
def test_a_throttled_write_is_asked_for_again_and_then_written_once(
    admin: Client, code: str, reasons: tuple[str, ...]
) -> None:
    key = str(uuid.uuid4())
    with refused(wiring.dynamo().client, "TransactWriteItems", code, *reasons):
        answer = admin.log(key)
    assert (answer.status, answer.json["code"]) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) > 0
    assert "nothing is logged twice" in answer.json["detail"]
    assert "said by AWS" not in answer.text
    assert admin.log(key).json["payment"]["seq"] == 1
    assert len(admin.rows("Payments")) == 1


@pytest.mark.parametrize("reason", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_transaction_that_no_retry_helps_is_our_own_failure(admin: Client, reason: str) -> None:
    reasons = ("ThrottlingError", reason, "None")
    client = wiring.dynamo().client
    with refused(client, "TransactWriteItems", "TransactionCanceledException", *reasons):
        assert admin.log().status == 500


def test_a_transaction_in_progress_ends_as_contention(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.api.routes.payments.time.sleep", lambda _: None)
    client = wiring.dynamo().client
    with refused(client, "TransactWriteItems", "TransactionInProgressException"):
        answer = admin.log()
    assert (answer.status, answer.json["code"]) == (409, "contention")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("GetItem", "GET", "/api/session", None),
        ("BatchGetItem", "GET", "/api/payments", None),
        ("Query", "GET", "/api/events/sunset-charter", None),
        ("GetItem", "GET", "/g/sunset-charter/waiver", None),
        (
            "UpdateItem",
            "POST",
            "/g/sunset-charter/waiver",
            {"email": "jane.doe@example.com", "name": "Jane Doe"},
        ),
    ],
)
def test_every_throttled_call_says_when_to_come_back(
    admin: Client, operation: str, method: str, path: str, body: Any
) -> None:
    query = {"event_id": "sunset-charter"} if path == "/api/payments" else {}
    admin.log()
    with refused(wiring.dynamo().client, operation, "ThrottlingException"):
        answer = admin.call(method, path, body, query=query)
    assert (answer.status, answer.headers.get("Retry-After")) == (503, "2"), answer.text


def test_keys_that_stay_unread_say_when_to_come_back(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*_: Any, **__: Any) -> None:
        raise UnreadKeysError(["Payments"], 6)

    monkeypatch.setattr("functions.api.tables.dynamo.batch_get", unread)
    assert admin.log().status == 503

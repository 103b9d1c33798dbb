"""Logging a payment: what is written, what a retry finds, what is refused."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from functions.api import wiring
from functions.api.payments.appending import MOVES, HeadMovedError
from functions.api.payments.fields import fingerprint_of
from functions.api.payments.log import PaymentRequest
from functions.api.people.identity import User
from functions.api.tables.ledger import LedgerStore
from shared.attributes import from_attributes, to_attributes
from shared.ledger import entry_hash, faults_of
from tests.builders import entry
from tests.functions.api.conftest import Client, add_event, add_patron
from tests.suites import LONG

ACKNOWLEDGED = "acknowledge_duplicates"
OTHERS: dict[str, Any] = {  # a field that is not here takes any text
    "event_id": "harbor-lunch",
    "patron_email": "lee@example.com",
    "amount": "126.00",
    "method": "ach",
    "timestamp": int(time.time() * 1000) - 60_000,
}
KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_logging_a_payment_writes_row_pointer_and_head(admin: Client) -> None:
    answer = admin.log(reference="", note="paid at the dock")
    assert answer.status == 200
    payment = answer.json["payment"]
    assert payment["amount"] == "125.00"
    assert payment["logged_by"] == "admin@shipcaptaincrew.example"
    assert payment["logged_by_name"] == admin.call("GET", "/api/session").json["user"]["name"]
    assert payment["schema_version"] == 2
    assert payment["patron_name"] == "Jane Doe"
    (row,) = [from_attributes(item) for item in admin.rows("Payments")]
    assert row["PK"] == "sunset-charter#jane.doe@example.com"
    assert row["SK"] == payment["timestamp"]
    assert row["expiration_timestamp"] == row["logged_at"] // 1000 + 2_555 * 86_400
    assert row["hash"] == entry_hash(row)
    assert faults_of(row) == []
    ledger = {item["PK"]: item for item in map(from_attributes, admin.rows("Ledger"))}
    assert ledger["EVENT#sunset-charter"]["seq"] == 1
    assert ledger["EVENT#sunset-charter"]["hash"] == row["hash"]
    assert ledger[f"PAYMENT#{payment['payment_id']}"]["row_sk"] == row["SK"]


def test_entries_are_numbered_and_chained(admin: Client) -> None:
    first = admin.log().json["payment"]
    second = admin.log(patron_email="lee@example.com").json["payment"]
    assert (first["seq"], second["seq"]) == (1, 2)
    assert second["prev_hash"] == first["hash"]


def test_the_same_key_and_body_returns_the_same_payment(admin: Client) -> None:
    first = admin.log(KEY)
    again = admin.log(KEY, amount="$125")
    assert again.status == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == first.json
    assert len(admin.rows("Payments")) == 1


@pytest.mark.parametrize("field", sorted(PaymentRequest.model_fields.keys() - {ACKNOWLEDGED}))
def test_a_retry_that_differs_in_any_one_field_is_told_which(admin: Client, field: str) -> None:
    admin.log(KEY)
    answer = admin.log(KEY, **{field: OTHERS.get(field, "2026-11-01")})
    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert answer.fields == [field]
    assert len(admin.rows("Payments")) == 1


@pytest.mark.parametrize("spelling", ["125", "125.0", "125.00", "$125", "$ 125.00", " $125.00 "])
def test_one_amount_written_differently_is_the_same_request(admin: Client, spelling: str) -> None:
    first = admin.log(KEY, amount="$125.00")
    again = admin.log(KEY, amount=spelling, patron_email="Jane.Doe@Example.com")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"


def test_of_several_differences_the_first_in_the_form_is_named(admin: Client) -> None:
    admin.log(KEY)
    answer = admin.log(KEY, note="x", method="ach", amount="1.00")
    assert answer.fields == ["amount"]


def test_a_later_release_with_more_optional_fields_knows_an_earlier_request() -> None:
    class Later(PaymentRequest):
        received_on: str | None = None
        tip: str = ""

    said: dict[str, Any] = {
        "event_id": "e",
        "patron_email": "jane.doe@example.com",
        "amount": "1",
        "method": "ach",
    }
    request, later = PaymentRequest(**said), Later(**said)
    assert fingerprint_of(later) == fingerprint_of(request)
    assert fingerprint_of(Later(**said, tip="1.00")) != fingerprint_of(request)


def test_a_refused_request_can_be_fixed_and_sent_again_with_the_same_key(admin: Client) -> None:
    assert admin.log(KEY, amount="0").status == 422
    assert admin.log(KEY, event_id="no-such-event").status == 404
    answer = admin.log(KEY)
    assert answer.status == 200
    assert "Idempotent-Replayed" not in answer.headers


def test_what_a_key_has_logged_stands_even_if_it_would_be_refused_today(admin: Client) -> None:
    add_event(admin, "harbor-lunch", "2026-11-27")
    add_patron(admin, "ann@example.com", event_id="harbor-lunch")
    wanted = {"event_id": "harbor-lunch", "patron_email": "ann@example.com"}
    first = admin.log(KEY, **wanted)
    for key in ("PATRON#ann@example.com", "META"):
        admin.dynamodb.delete_item(
            TableName=admin.tables["Events"],
            Key=to_attributes({"event_id": "harbor-lunch", "SK": key}),
        )
        again = admin.log(KEY, **wanted)
        assert (again.status, again.json) == (200, first.json)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert admin.log(**wanted).status == 404


@pytest.mark.parametrize(("method", "reference"), [("cash", ""), ("check", "1042")])
def test_a_payment_takes_three_calls_to_dynamodb(
    admin: Client, method: str, reference: str
) -> None:
    """Who is asking and what the rules need; then likely duplicates; then the write."""
    asked: list[str] = []
    events = wiring.dynamo().client.meta.events
    note = partial(_note_operation, asked)
    events.register("before-call.dynamodb", note)
    try:
        assert admin.log(method=method, reference=reference).status == 200
    finally:
        events.unregister("before-call.dynamodb", note)
    assert asked == ["BatchGetItem", "Query", "TransactWriteItems"]


def _note_operation(asked: list[str], model: Any, **_: Any) -> None:
    asked.append(model.name)


@pytest.mark.parametrize(("role", "status"), [("nobody", 401), ("crew", 403), ("admin", 422)])
def test_a_user_who_may_not_log_learns_nothing_about_the_form(
    api: Client, role: str, status: int
) -> None:
    api.sign_in(role)
    assert api.log(amount="no sum").status == status


def test_a_patron_of_another_event_is_not_on_this_ones_roster(admin: Client) -> None:
    add_event(admin, "harbor-lunch", "2026-11-27")
    add_patron(admin, "ann@example.com", event_id="harbor-lunch")
    answer = admin.log(patron_email="ann@example.com")
    assert (answer.status, answer.fields) == (422, ["patron_email"])
    assert admin.log(patron_email="ann@example.com", event_id="harbor-lunch").status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_no_route_changes_a_payment_that_is_logged(admin: Client, method: str) -> None:
    payment = admin.log().json["payment"]
    rows = admin.rows("Payments")
    path = f"/api/payments/{payment['payment_id']}"
    assert admin.call(method, path, {"amount": "1.00"}).status in {404, 405}
    assert admin.rows("Payments") == rows


def test_a_reference_is_kept_as_typed_and_found_however_it_was_typed(admin: Client) -> None:
    typed = admin.log(method="check", reference="#\uff101042").json["payment"]
    assert (typed["reference"], typed["reference_key"]) == ("#\uff101042", "1042")
    assert "reference_key" not in admin.log(reference="—").json["payment"]
    assert "reference_key" not in admin.log().json["payment"]


def test_a_clock_that_was_set_back_moves_no_payment_before_the_one_it_follows(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = admin.log().json["payment"]
    monkeypatch.setattr("functions.api.routes.request.now", lambda: first["logged_at"] - 3_600_000)
    second = admin.log().json["payment"]
    assert second["logged_at"] == first["logged_at"]
    assert second["expiration_timestamp"] == first["expiration_timestamp"]
    assert second["timestamp"] == first["logged_at"] - 3_600_000, "as captured"


def test_two_payments_in_one_millisecond_are_both_kept(admin: Client) -> None:
    moment = int(time.time() * 1000)
    first = admin.log(timestamp=moment).json["payment"]
    second = admin.log(timestamp=moment).json["payment"]
    assert (first["timestamp"], second["timestamp"]) == (moment, moment + 1)
    assert len(admin.rows("Payments")) == 2


@LONG
def test_a_crowded_millisecond_is_not_contention(admin: Client) -> None:
    moment = int(time.time() * 1000)
    for n in range(MOVES + 1):
        row = entry(payment_id=f"pay_{n}", timestamp=moment + n).to_row()
        admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(row))
    logged = admin.log(timestamp=moment, acknowledge_duplicates=[]).json["payment"]
    assert logged["timestamp"] == moment + MOVES + 1


def test_contention_that_outlasts_the_retries_asks_to_try_again(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise HeadMovedError

    monkeypatch.setattr(LedgerStore, "append", refuse)
    monkeypatch.setattr("functions.api.routes.payments.time.sleep", lambda _: None)
    answer = admin.log()
    assert answer.status == 409
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"amount": "0"}, 422, "amount"),
        ({"amount": "-1.00"}, 422, "amount"),
        ({"amount": "1.001"}, 422, "amount"),
        ({"amount": "1,23"}, 422, "amount"),
        ({"amount": "100000.01"}, 422, "amount"),
        ({"amount": 125.0}, 422, "amount"),
        ({"amount": "١٢٥"}, 422, "amount"),
        ({"amount": ""}, 422, "amount"),
        ({"method": "bitcoin"}, 422, "method"),
        ({"method": "check"}, 422, "reference"),
        ({"method": "check", "reference": "\u200b#"}, 422, "reference"),
        ({"timestamp": "now"}, 422, "timestamp"),
        ({"timestamp": True}, 422, "timestamp"),
        ({"timestamp": 1}, 422, "timestamp"),
        ({"timestamp": 9_999_999_999_999}, 422, "timestamp"),
        ({"patron_email": "stranger@example.com"}, 422, "patron_email"),
        ({"event_id": "no-such-event"}, 404, "event_id"),
        ({"event_id": "a#b"}, 422, "event_id"),
        ({"note": "4111 1111 1111 1111"}, 422, "note"),
        ({"reference": "4111-1111-1111-1111"}, 422, "reference"),
        ({"note": "line\nbreak"}, 422, "note"),
        ({"note": "\u202egnp"}, 422, "note"),
        ({"note": "\ud800"}, 422, "note"),
        ({"acknowledge_duplicates": ["x"]}, 422, "acknowledge_duplicates.0"),
        ({"acknowledge_duplicates": ["\ud800"]}, 422, "acknowledge_duplicates.0"),
        ({"note": "x" * 281}, 422, "note"),
        ({"logged_at": 1}, 422, "logged_at"),
        ({"recorded_at": 1}, 422, "recorded_at"),
        ({"logged_by": "someone"}, 422, "logged_by"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_written(
    admin: Client, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = admin.log(**changes)
    assert (answer.status, answer.fields) == (status, [field])
    assert admin.rows("Payments") == []
    assert admin.rows("Ledger") == []


@pytest.mark.parametrize("missing", ["event_id", "patron_email", "amount", "method"])
def test_a_missing_field_is_named(admin: Client, missing: str) -> None:
    body = {
        "event_id": "sunset-charter",
        "patron_email": "jane.doe@example.com",
        "amount": "125.00",
        "method": "cash",
    }
    del body[missing]
    headers = {"idempotency-key": KEY}
    answer = admin.call("POST", "/api/payments", body, headers=headers)
    assert (answer.status, answer.fields) == (422, [missing])


def test_a_retry_after_eight_days_finds_its_payment(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = int(time.time() * 1000)
    first = admin.log(KEY, timestamp=moment)
    later = time.time_ns() + 8 * 86_400 * 10**9
    who = admin.call("GET", "/api/session").json["user"]
    user = User(sub=who["sub"], email=who["email"], name=who["name"], groups=("admins",))
    monkeypatch.setattr("functions.api.routes.request.now", lambda: later // 10**6)
    monkeypatch.setattr("functions.api.routes.request.get_user_context", lambda *_: user)
    again = admin.log(KEY, timestamp=moment)
    assert again.json == first.json

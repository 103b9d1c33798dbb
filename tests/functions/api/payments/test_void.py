from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from functions.api import wiring
from functions.api.payments.fields import RECORDED
from shared.attributes import from_attributes
from shared.ledger import entry_hash, faults_of
from tests.builders import entry
from tests.functions.api.conftest import Answer, Client, store

KEY = "0b6b7f6e-54f5-4b68-9a4e-7d8f6a1b2c3d"

OTHERS = dict.fromkeys(RECORDED, "2026-11-01") | {  # the other fields take any text
    "patron_email": "lee@example.com",
    "amount": "81.00",
    "method": "ach",
    "timestamp": int(time.time() * 1000) - 60_000,
}


def void(admin: Client, payment_id: str, key: str = "", **body: Any) -> Answer:
    headers = {"idempotency-key": key or str(uuid.uuid4())}
    path = f"/api/payments/{payment_id}/void"
    return admin.call("POST", path, {"reason": "entered_twice"} | body, headers=headers)


def corrected(**changes: Any) -> dict[str, Any]:
    fields = {"patron_email": "jane.doe@example.com", "amount": "80.00", "method": "cash"}
    return fields | changes


def test_a_void_is_a_separate_entry_that_repeats_what_it_voids(admin: Client) -> None:
    payment = admin.log().json["payment"]
    answer = void(admin, payment["payment_id"], reason="wrong_amount", note="typed twice")
    assert answer.status == 200
    entry = answer.json["void"]
    assert (entry["kind"], entry["voids"]) == ("void", payment["payment_id"])
    assert (entry["seq"], entry["prev_hash"]) == (2, payment["hash"])
    assert (entry["reason"], entry["note"]) == ("wrong_amount", "typed twice")
    assert entry["amount"] == payment["amount"]
    assert answer.json["replacement"] is None


def test_void_and_replacement_are_one_transaction(admin: Client) -> None:
    payment = admin.log().json["payment"]
    answer = void(admin, payment["payment_id"], replacement=corrected()).json
    assert (answer["void"]["seq"], answer["replacement"]["seq"]) == (2, 3)
    assert answer["replacement"]["prev_hash"] == answer["void"]["hash"]
    assert answer["replacement"]["amount"] == "80.00"
    assert answer["replacement"]["corrects"] == payment["payment_id"]
    assert "corrects" not in answer["void"]
    for item in map(from_attributes, admin.rows("Payments")):
        assert item["hash"] == entry_hash(item)


def test_the_list_links_both_ways_and_totals_leave_out_voids(admin: Client) -> None:
    kept, gone = admin.log(amount="10.00"), admin.log(amount="25.00", method="ach")
    entry = void(admin, gone.json["payment"]["payment_id"]).json["void"]
    query = {"event_id": "sunset-charter"}
    listed = admin.call("GET", "/api/payments", query=query).json["payments"]
    by_id = {each["payment_id"]: each for each in listed}
    assert by_id[gone.json["payment"]["payment_id"]]["voided_by"] == entry["payment_id"]
    assert by_id[kept.json["payment"]["payment_id"]]["voided_by"] is None
    (event,) = admin.call("GET", "/api/events").json["events"]
    assert (event["payments_count"], event["total"]) == (1, "10.00")


def test_a_retry_of_a_void_finds_it(admin: Client) -> None:
    payment = admin.log().json["payment"]
    first = void(admin, payment["payment_id"], KEY, replacement=corrected())
    again = void(admin, payment["payment_id"], KEY, replacement=corrected(amount="$80"))
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(admin.rows("Payments")) == 3


def test_a_key_works_for_one_void(admin: Client) -> None:
    payment = admin.log().json["payment"]
    void(admin, payment["payment_id"], KEY)
    assert void(admin, payment["payment_id"], KEY, reason="wrong_patron").status == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "wrong_patron"}, "reason"),
        ({"note": "x"}, "note"),
        ({"replacement": None}, "replacement"),
        *(
            ({"replacement": corrected(**{field: value})}, f"replacement.{field}")
            for field, value in OTHERS.items()
        ),
    ],
)
def test_the_same_key_for_another_void_names_the_field(
    admin: Client, changes: dict[str, Any], field: str
) -> None:
    payment = admin.log().json["payment"]
    body = {"reason": "wrong_amount", "replacement": corrected()}
    void(admin, payment["payment_id"], KEY, **body)
    answer = void(admin, payment["payment_id"], KEY, **(body | changes))
    assert (answer.status, answer.fields) == (422, [field])
    other = admin.log(amount="1.00").json["payment"]
    assert void(admin, other["payment_id"], KEY, **body).fields == ["payment_id"]


@pytest.mark.parametrize("again", ["payment", "void"])
def test_a_payment_cannot_be_voided_twice_and_a_void_cannot_be_voided(
    admin: Client, again: str
) -> None:
    payment = admin.log().json["payment"]
    entry = void(admin, payment["payment_id"]).json["void"]
    target = payment if again == "payment" else entry
    answer = void(admin, target["payment_id"])
    assert (answer.status, answer.json["code"]) == (409, "not_voidable")
    assert len(admin.rows("Payments")) == 2


def test_a_correction_that_is_voided_in_turn_names_what_each_one_replaces(admin: Client) -> None:
    payment = admin.log().json["payment"]
    first = void(admin, payment["payment_id"], replacement=corrected()).json["replacement"]
    answer = void(admin, first["payment_id"], replacement=corrected(amount="70.00")).json
    assert "corrects" not in answer["void"]
    assert answer["replacement"]["corrects"] == first["payment_id"]
    for item in map(from_attributes, admin.rows("Payments")):
        assert faults_of(item) == []


def test_a_refund_cannot_be_voided(admin: Client) -> None:
    refund = entry(kind="refund", payment_id="pay_" + "9" * 32, refunds="pay_1", reason="goodwill")
    store(admin, refund)
    answer = void(admin, refund.payment_id)
    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "is_refund")


def test_a_voided_payment_is_not_a_duplicate_of_the_next_one(admin: Client) -> None:
    payment = admin.log(method="check", reference="1").json["payment"]
    void(admin, payment["payment_id"])
    again = admin.log(method="check", reference="1", acknowledge_duplicates=[])
    assert again.status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "because"}, "reason"),
        ({"reason": "other"}, "note"),
        ({"note": "4111 1111 1111 1111"}, "note"),
        ({"surprise": 1}, "surprise"),
        ({"replacement": corrected(amount="0")}, "replacement.amount"),
        ({"replacement": corrected(amount="1.234")}, "replacement.amount"),
        ({"replacement": corrected(patron_email="x@y.example")}, "replacement.patron_email"),
        ({"replacement": corrected(event_id="another")}, "replacement.event_id"),
        ({"replacement": corrected(method="check")}, "replacement.reference"),
    ],
)
def test_a_bad_void_is_named_and_nothing_is_written(
    admin: Client, body: dict[str, Any], field: str
) -> None:
    payment = admin.log().json["payment"]
    answer = void(admin, payment["payment_id"], **body)
    assert (answer.status, answer.fields) == (422, [field])
    assert len(admin.rows("Payments")) == 1


def test_more_payments_than_one_read_takes_are_looked_up(admin: Client) -> None:
    payment = admin.log().json["payment"]
    entry = void(admin, payment["payment_id"]).json["void"]
    ids = [f"pay_{n}" for n in range(250)] + [payment["payment_id"]]
    voids = wiring.ledger().voids_of(ids)
    assert voids == {payment["payment_id"]: entry["payment_id"]}


def test_only_an_admin_can_void_and_only_an_existing_payment(admin: Client) -> None:
    payment = admin.log().json["payment"]
    assert void(admin, "pay_" + "0" * 32).status == 404
    assert void(admin, "x").status == 404
    admin.sign_in("auditor")
    assert void(admin, payment["payment_id"]).status == 403

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from functions.api.payments.appending import Snapshot
from functions.api.tables.ledger import LedgerStore
from shared.attributes import to_attributes
from shared.ledger import LedgerEntry
from shared.methods import METHODS
from tests.functions.api.conftest import Client
from tests.suites import LONG

NOT_ASKED: dict[str, Any] = {"acknowledge_duplicates": []}


def test_the_same_amount_again_is_questioned_and_not_written(admin: Client) -> None:
    first = admin.log().json["payment"]
    answer = admin.log(**NOT_ASKED)
    assert (answer.status, answer.json["code"]) == (409, "possible_duplicate")
    (earlier,) = answer.json["payments"]
    assert earlier == first
    assert len(admin.rows("Payments")) == 1


def test_confirming_that_it_is_a_different_payment_is_recorded(admin: Client) -> None:
    first = admin.log().json["payment"]
    second = admin.log(acknowledge_duplicates=[first["payment_id"]]).json["payment"]
    assert second["acknowledged_duplicates"] == [first["payment_id"]]


def test_acknowledging_a_duplicate_does_not_make_it_a_different_request(admin: Client) -> None:
    key = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
    earlier = admin.log().json["payment"]
    assert admin.log(key, **NOT_ASKED).status == 409
    acknowledging = admin.log(key, acknowledge_duplicates=[earlier["payment_id"]])
    again = admin.log(key, **NOT_ASKED)
    assert again.json == acknowledging.json
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "125.01"},
        {"method": "ach"},
        {"patron_email": "lee@example.com"},
        {"timestamp": int(time.time() * 1000) - 11 * 60 * 1000},
    ],
)
def test_a_different_amount_method_patron_or_time_is_not_a_duplicate(
    admin: Client, changes: dict[str, Any]
) -> None:
    admin.log()
    assert admin.log(**NOT_ASKED, **changes).status == 200


@pytest.mark.parametrize("method", [m for m, rules in METHODS.items() if rules.reference_is_unique])
def test_a_check_or_trace_number_is_unique_per_event(admin: Client, method: str) -> None:
    long_ago = int(time.time() * 1000) - 6 * 86_400_000
    admin.log(method=method, reference="A-77", timestamp=long_ago)
    other = {"patron_email": "lee@example.com", "amount": "3.00"}
    assert admin.log(method=method, reference="a-77", **other, **NOT_ASKED).status == 409
    assert admin.log(method=method, reference="A-78", **other, **NOT_ASKED).status == 200
    assert admin.log(method="credit_card", reference="A-77", **other, **NOT_ASKED).status == 200


@pytest.mark.parametrize(
    "typed", ["01042", "#1042", "\uff11\uff10\uff14\uff12", "10\u200b42", "1042 .", "10-42"]
)
def test_one_check_typed_in_another_way_is_asked_about(admin: Client, typed: str) -> None:
    first = admin.log(method="check", reference="1042").json["payment"]
    other = {"patron_email": "lee@example.com", "amount": "3.00"}
    asked = admin.log(method="check", reference=typed, **other, **NOT_ASKED)
    assert asked.status == 409
    assert [each["payment_id"] for each in asked.json["payments"]] == [first["payment_id"]]


def test_of_two_similar_payments_at_the_same_moment_the_later_one_is_warned(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second admin's payment slips in between our look and our write."""
    look = LedgerStore.entries_between
    others = [lambda: admin.log(**NOT_ASKED)]

    def look_then_be_overtaken(store: LedgerStore, *sought: Any) -> list[LedgerEntry]:
        seen = look(store, *sought)
        if others:
            assert others.pop()().status == 200
        return seen

    monkeypatch.setattr(LedgerStore, "entries_between", look_then_be_overtaken)
    assert admin.log(**NOT_ASKED).status == 409
    assert len(admin.rows("Payments")) == 1


def test_of_two_checks_with_one_number_at_the_same_moment_the_later_one_is_warned(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other check is written after the number was read, and before the head was."""
    look = LedgerStore.snapshot
    others = [lambda: admin.log(method="check", reference="1042", **NOT_ASKED)]

    def overtaken_within_the_look(store: LedgerStore, *sought: str) -> Snapshot:
        seen = look(store, *sought)
        if not others:
            return seen
        assert others.pop()().status == 200
        return replace(look(store, *sought), same_number=seen.same_number)

    monkeypatch.setattr(LedgerStore, "snapshot", overtaken_within_the_look)
    other = {"patron_email": "lee@example.com", "amount": "3.00", "method": "check"}
    answer = admin.log(reference="1042", **other, **NOT_ASKED)
    assert (answer.status, answer.json["code"]) == (409, "possible_duplicate")
    assert len(admin.rows("Payments")) == 1


def test_a_retry_is_not_a_duplicate_of_the_first_try(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try commits between the second one's read and its look."""
    key = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
    look = LedgerStore.entries_between
    firsts = [lambda: admin.log(key, **NOT_ASKED)]

    def overtaken_before_looking(store: LedgerStore, *sought: Any) -> list[LedgerEntry]:
        if firsts:
            assert firsts.pop()().status == 200
        return look(store, *sought)

    monkeypatch.setattr(LedgerStore, "entries_between", overtaken_before_looking)
    again = admin.log(key, **NOT_ASKED)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(admin.rows("Payments")) == 1


def test_a_word_is_not_a_check_number(admin: Client) -> None:
    admin.log(method="ach", reference="n/a")
    other = {"patron_email": "lee@example.com", "amount": "3.00"}
    assert admin.log(method="ach", reference="n/a", **other, **NOT_ASKED).status == 200


def test_a_broken_row_does_not_stop_anyone_from_logging(admin: Client) -> None:
    broken = {"PK": "sunset-charter#jane.doe@example.com", "SK": int(time.time() * 1000)}
    admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(broken))
    assert admin.log(acknowledge_duplicates=[]).status == 200


@LONG
def test_too_many_duplicates_to_look_through_do_not_block_a_payment(admin: Client) -> None:
    earlier = [admin.log(acknowledge_duplicates=[])]
    while len(earlier) < 23:
        known = [each.json["payment"]["payment_id"] for each in earlier[-20:]]
        earlier.append(admin.log(acknowledge_duplicates=known))
        assert earlier[-1].status == 200

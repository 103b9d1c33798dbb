"""Events, rosters and payments as they are listed and found."""

from __future__ import annotations

import time

import pytest

from shared.attributes import to_attributes
from tests.functions.api.conftest import Client

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_one_broken_row_does_not_hide_the_others(admin: Client) -> None:
    payment = admin.log().json["payment"]
    broken = {"PK": "x", "SK": 1, "event_id": "sunset-charter", "timestamp": 1}
    admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(broken))
    listed = admin.call("GET", "/api/payments", query={"event_id": "sunset-charter"}).json
    assert [each["payment_id"] for each in listed["payments"]] == [payment["payment_id"]]


def test_events_show_totals_to_those_who_may_see_money(admin: Client) -> None:
    admin.log()
    admin.log(amount="25.50")
    (event,) = admin.call("GET", "/api/events").json["events"]
    assert (event["payments_count"], event["total"]) == (2, "150.50")
    admin.sign_in("crew")
    (event,) = admin.call("GET", "/api/events").json["events"]
    assert event["roster_size"] == 2
    assert "total" not in event


def test_an_event_shows_its_roster_by_name(admin: Client) -> None:
    shown = admin.call("GET", "/api/events/sunset-charter").json
    assert shown["event"]["name"] == "Sunset Charter"
    assert [patron["name"] for patron in shown["roster"]] == ["Jane Doe", "李小龍"]
    assert admin.call("GET", "/api/events/nothing").status == 404


def test_payments_are_listed_newest_first_page_by_page(admin: Client) -> None:
    moment = int(time.time() * 1000)
    for step in range(5):
        admin.log(timestamp=moment - step * 1000, amount=f"{step + 1}.00")
    query = {"event_id": "sunset-charter", "limit": "2"}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = admin.call("GET", "/api/payments", query=query | {"cursor": cursor}).json
        seen += [payment["amount"] for payment in page["payments"]]
        cursor = page["cursor"]
    assert seen == ["1.00", "2.00", "3.00", "4.00", "5.00"]


def test_a_payment_is_queued_until_its_mail_is_accepted(admin: Client) -> None:
    payment = admin.log().json["payment"]
    query = {"event_id": "sunset-charter"}
    (listed,) = admin.call("GET", "/api/payments", query=query).json["payments"]
    assert listed["audit"]["state"] == "queued"
    sent = {"payment_id": payment["payment_id"], "state": "sent", "sent_at": 5, "attempts": 1}
    admin.dynamodb.put_item(TableName=admin.tables["AuditDeliveries"], Item=to_attributes(sent))
    (listed,) = admin.call("GET", "/api/payments", query=query).json["payments"]
    assert listed["audit"] == {"state": "sent", "sent_at": 5, "attempts": 1, "last_error": None}


def test_a_patrons_payments_are_listed_across_events(admin: Client) -> None:
    mine = admin.log().json["payment"]
    admin.log(patron_email="lee@example.com")
    query = {"patron_email": "Jane.Doe@example.com"}
    listed = admin.call("GET", "/api/payments", query=query).json["payments"]
    assert [each["payment_id"] for each in listed] == [mine["payment_id"]]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"event_id": ""},
        {"event_id": "a#b"},
        {"patron_email": "nobody"},
        {"event_id": "x", "patron_email": "a@b.c"},
        {"event_id": "x" * 3_000},
    ],
)
def test_a_list_of_nobodys_payments_is_refused(admin: Client, query: dict[str, str]) -> None:
    assert admin.call("GET", "/api/payments", query=query).status == 400


def test_a_payment_is_found_by_its_id_and_by_its_key(admin: Client) -> None:
    payment = admin.log(KEY).json["payment"]
    for path in (payment["payment_id"], f"by-key/{KEY}"):
        shown = admin.call("GET", f"/api/payments/{path}").json["payment"]
        assert shown == payment | {"audit": shown["audit"], "voided_by": None}
        assert shown["audit"]["state"] == "queued"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pay_" + "0" * 32, 404),
        ("pay_1", 404),
        ("by-key/00000000-0000-0000-0000-000000000000", 404),
        ("by-key/x", 400),
    ],
)
def test_a_payment_that_was_not_saved_is_said_not_to_be(
    admin: Client, path: str, status: int
) -> None:
    assert admin.call("GET", f"/api/payments/{path}").status == status


@pytest.mark.parametrize(
    ("sought", "found"),
    [("jane", 1), ("JANE.DOE@", 1), ("小龍", 1), ("", 2), ("nobody", 0), ("jané", 1)],
)
def test_the_roster_is_searched_by_name_and_e_mail(admin: Client, sought: str, found: int) -> None:
    answer = admin.call("GET", "/api/events/sunset-charter/roster", query={"q": sought})
    assert len(answer.json["roster"]) == found


@pytest.mark.parametrize("cursor", ["x", "%%%", "é", "AAAA" * 20])
def test_a_tampered_cursor_is_refused(admin: Client, cursor: str) -> None:
    query = {"event_id": "sunset-charter", "cursor": cursor}
    answer = admin.call("GET", "/api/payments", query=query)
    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_a_cursor_is_good_only_for_its_own_query(admin: Client) -> None:
    admin.log()
    admin.log()
    query = {"event_id": "sunset-charter", "limit": "1"}
    cursor = admin.call("GET", "/api/payments", query=query).json["cursor"]
    other = {"event_id": "another", "cursor": cursor}
    assert admin.call("GET", "/api/payments", query=other).status == 400


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e2", "٣"])
def test_a_bad_limit_is_named(admin: Client, limit: str) -> None:
    query = {"event_id": "sunset-charter", "limit": limit}
    answer = admin.call("GET", "/api/payments", query=query)
    assert (answer.status, answer.fields) == (400, ["limit"])

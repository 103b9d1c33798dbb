"""Payments as they are listed and found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import pytest

from functions.api.payments.listing import audit_view
from shared.attributes import Foreign, to_attributes
from shared.audit.delivery import MailboxFinding
from tests.functions.api.conftest import Client, add_event, add_patron

KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
MAILED = {
    "state": "sent",
    "sent_at": 5,
    "seen_at": None,
    "mailbox": None,
    "attempts": 1,
    "last_error": None,
}


def test_one_broken_row_does_not_hide_the_others(admin: Client) -> None:
    payment = admin.log().json["payment"]
    broken = {"PK": "x", "SK": 1, "event_id": "sunset-charter", "timestamp": 1}
    admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(broken))
    listed = admin.call("GET", "/api/payments", query={"event_id": "sunset-charter"}).json
    assert [each["payment_id"] for each in listed["payments"]] == [payment["payment_id"]]


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
    assert listed["audit"] == MAILED


def test_what_the_watch_saw_of_a_mail_is_shown_beside_its_state(admin: Client) -> None:
    payment = admin.log().json["payment"]
    seen = {
        "payment_id": payment["payment_id"],
        "state": "sent",
        "sent_at": 5,
        "attempts": 1,
        "seen_at": 9,
        "mailbox_finding": "duplicate",
    }
    admin.dynamodb.put_item(TableName=admin.tables["AuditDeliveries"], Item=to_attributes(seen))
    expected = MAILED | {"seen_at": 9, "mailbox": "duplicate"}
    (listed,) = admin.call("GET", "/api/payments", query={"event_id": "sunset-charter"}).json[
        "payments"
    ]
    assert listed["audit"] == expected
    shown = admin.call("GET", f"/api/payments/{payment['payment_id']}").json["payment"]
    assert shown["audit"] == expected


@pytest.mark.parametrize("finding", get_args(MailboxFinding))
def test_a_mail_with_a_finding_stays_sent(finding: MailboxFinding) -> None:
    delivery = {"state": "sent", "sent_at": 5, "attempts": 1, "mailbox_finding": finding}
    assert audit_view(delivery) == MAILED | {"mailbox": finding}


@pytest.mark.parametrize("state", ["queued", "sending", "failed", None, 7])
def test_a_mail_that_was_not_sent_has_not_been_seen(state: Any) -> None:
    audit = audit_view({"state": state, "seen_at": 9, "mailbox_finding": "missing"})
    assert (audit["seen_at"], audit["mailbox"]) == (None, None)


@pytest.mark.parametrize(
    "anything", ["noon", True, 0, -5, 253_402_300_800_000, 10**18, Decimal("0.5"), [], Foreign("B")]
)
def test_what_is_no_moment_and_no_finding_is_shown_as_nothing(anything: Any) -> None:
    edited = {"state": "sent", "attempts": 1}
    edited |= dict.fromkeys(("sent_at", "seen_at", "mailbox_finding"), anything)
    assert audit_view(edited) == MAILED | {"sent_at": None}


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
def test_a_list_without_an_event_or_patron_is_refused(admin: Client, query: dict[str, str]) -> None:
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
def test_a_payment_that_was_not_saved_is_reported_as_not_saved(
    admin: Client, path: str, status: int
) -> None:
    assert admin.call("GET", f"/api/payments/{path}").status == status


def test_entries_of_one_millisecond_are_listed_in_the_same_order_however_they_are_paged(
    admin: Client,
) -> None:
    """DynamoDB orders an index by its sort key only; the higher number comes first."""
    moment = int(time.time() * 1000)
    for n in range(7):
        email = f"patron{6 - n}@example.com"  # so that the table's own key says another order
        add_patron(admin, email)
        assert admin.log(patron_email=email, timestamp=moment - n // 5).status == 200
    expected = [5, 4, 3, 2, 1, 7, 6]
    for limit in range(1, 9):
        assert [each["seq"] for each in pages(admin, limit, event_id="sunset-charter")] == expected


def test_a_patrons_entries_of_one_millisecond_at_two_events_are_listed_in_one_order(
    admin: Client,
) -> None:
    moment = int(time.time() * 1000)
    add_event(admin, "harbor-lunch", "2026-11-28")
    for event_id in ("sunset-charter", "harbor-lunch"):
        for n in range(3):
            key: dict[str, Any] = {"event_id": event_id, "timestamp": moment - n}
            assert admin.log(**key, amount=f"{n + 1}.00").status == 200
    whole = [each["payment_id"] for each in pages(admin, 100, patron_email="jane.doe@example.com")]
    assert len(set(whole)) == 6
    for limit in range(1, 7):
        paged = pages(admin, limit, patron_email="jane.doe@example.com")
        assert [each["payment_id"] for each in paged] == whole


def test_a_full_last_page_promises_no_more(admin: Client) -> None:
    admin.log()
    admin.log()
    query = {"event_id": "sunset-charter", "limit": "2"}
    assert admin.call("GET", "/api/payments", query=query).json["cursor"] is None


def pages(admin: Client, limit: int, **query: str) -> list[dict[str, Any]]:
    """All payments, page by page; no page is longer than asked."""
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = query | {"limit": str(limit), "cursor": cursor}
        page = admin.call("GET", "/api/payments", query=asked).json
        assert 0 < len(page["payments"]) <= limit
        seen += page["payments"]
        cursor = page["cursor"]
    return seen


def test_a_cursor_with_any_character_changed_is_refused(admin: Client) -> None:
    admin.log()
    admin.log()
    query = {"event_id": "sunset-charter", "limit": "1"}
    cursor = admin.call("GET", "/api/payments", query=query).json["cursor"]
    for place in range(0, len(cursor) - 1, 5):
        other = "B" if cursor[place] == "A" else "A"
        forged = query | {"cursor": cursor[:place] + other + cursor[place + 1 :]}
        answer = admin.call("GET", "/api/payments", query=forged)
        assert (answer.status, answer.fields) == (400, ["cursor"])


def test_reading_as_an_auditor_logs_a_line_without_names(
    api: Client, log: Callable[[], list[dict[str, Any]]]
) -> None:
    api.sign_in("admin")
    payment = api.log().json["payment"]
    api.call("GET", "/api/payments", query={"event_id": "sunset-charter"})
    assert [line["message"] for line in log()] == ["payment logged"]
    api.sign_in("auditor")
    api.call("GET", "/api/payments", query={"event_id": "sunset-charter"})
    api.call("GET", "/api/payments", query={"patron_email": "jane.doe@example.com"})
    api.call("GET", f"/api/payments/{payment['payment_id']}")
    by_event, by_patron, shown = log()[1:]
    assert (by_event["message"], by_event["filter"]) == ("payments listed", "event_id")
    assert (by_event["event_id"], by_event["entries"]) == ("sunset-charter", 1)
    assert (by_patron["filter"], by_patron["by"]) == ("patron_email", ["auditors"])
    assert (shown["message"], shown["payment_id"]) == ("payment shown", payment["payment_id"])
    assert "jane" not in json.dumps(log()).lower()


@pytest.mark.parametrize("cursor", ["x", "%%%", "é", "AAAA" * 20])
def test_a_tampered_cursor_is_refused(admin: Client, cursor: str) -> None:
    query = {"event_id": "sunset-charter", "cursor": cursor}
    answer = admin.call("GET", "/api/payments", query=query)
    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_a_cursor_works_only_for_its_own_query(admin: Client) -> None:
    admin.log()
    admin.log()
    query = {"event_id": "sunset-charter", "limit": "1"}
    cursor = admin.call("GET", "/api/payments", query=query).json["cursor"]
    others = ({"event_id": "another"}, {"patron_email": "jane.doe@example.com"})
    for other in others:
        answer = admin.call("GET", "/api/payments", query=other | {"cursor": cursor})
        assert (answer.status, answer.fields) == (400, ["cursor"])
    assert admin.call("GET", "/api/events", query={"cursor": cursor}).fields == ["cursor"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e2", "٣"])
def test_a_bad_limit_is_named(admin: Client, limit: str) -> None:
    query = {"event_id": "sunset-charter", "limit": limit}
    answer = admin.call("GET", "/api/payments", query=query)
    assert (answer.status, answer.fields) == (400, ["limit"])

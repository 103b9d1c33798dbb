"""The API as its callers see it."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from functions.api import wiring
from functions.api.appending import HeadMovedError
from functions.api.identity import User
from shared.attributes import from_attributes, to_attributes
from shared.ledger import entry_hash
from tests.functions.api.conftest import PASSWORD, Client

ADMIN = User(email="admin@shipcaptaincrew.example", name="admin", groups=("admins",))
KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"


def test_health_needs_no_session(api: Client) -> None:
    assert api.call("GET", "/api/health").json == {"status": "ok"}


def test_an_unknown_address_is_a_problem(api: Client) -> None:
    answer = api.call("GET", "/api/nothing")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["instance"] == "urn:request:request-1"


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(api: Client) -> None:
    answer = api.sign_in("admin")
    assert answer.json["user"]["email"] == "admin@shipcaptaincrew.example"
    assert answer.json["user"]["groups"] == ["admins"]
    cookie = answer.cookies[0]
    assert cookie.startswith("__Host-scc_session=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert api.call("GET", "/api/session").status == 200


def test_the_sessions_table_holds_no_token(api: Client) -> None:
    api.sign_in("admin")
    token = api.cookie.split("=", 1)[1]
    assert token not in json.dumps(api.rows("Sessions"))


@pytest.mark.parametrize("email", ["admin@shipcaptaincrew.example", "who@example.com"])
def test_a_wrong_password_and_an_unknown_user_look_the_same(api: Client, email: str) -> None:
    answer = api.call("POST", "/api/session", {"email": email, "password": "wrong-password"})
    assert answer.status == 401
    assert answer.json["detail"] == "The e-mail or the password is wrong."
    assert PASSWORD not in answer.text


def test_signing_out_ends_the_session_everywhere(admin: Client) -> None:
    answer = admin.call("DELETE", "/api/session")
    assert answer.status == 204
    assert "Max-Age=0" in answer.cookies[0]
    assert admin.call("GET", "/api/session").status == 401


def test_a_session_ends_after_twelve_hours_even_before_its_row_is_deleted(admin: Client) -> None:
    admin.dynamodb.update_item(
        TableName=admin.tables["Sessions"],
        Key=to_attributes({"session_hash": admin.session_hash}),
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues=to_attributes({":past": int(time.time()) - 1}),
    )
    assert admin.call("GET", "/api/session").status == 401


def test_logging_a_payment_writes_row_pointer_and_head(admin: Client) -> None:
    answer = admin.log(reference="", note="paid at the dock")
    assert answer.status == 200
    payment = answer.json["payment"]
    assert payment["amount"] == "125.00"
    assert payment["logged_by"] == "admin@shipcaptaincrew.example"
    assert payment["patron_name"] == "Jane Doe"
    (row,) = [from_attributes(item) for item in admin.rows("Payments")]
    assert row["PK"] == "sunset-charter#jane.doe@example.com"
    assert row["SK"] == payment["timestamp"]
    assert row["expiration_timestamp"] == row["logged_at"] // 1000 + 2_555 * 86_400
    assert row["hash"] == entry_hash(row)
    ledger = {item["PK"]: item for item in map(from_attributes, admin.rows("Ledger"))}
    assert ledger["EVENT#sunset-charter"]["seq"] == 1
    assert ledger["EVENT#sunset-charter"]["hash"] == row["hash"]
    assert ledger[f"PAYMENT#{payment['payment_id']}"]["row_sk"] == row["SK"]


def test_entries_are_numbered_and_chained(admin: Client) -> None:
    first = admin.log().json["payment"]
    second = admin.log(patron_email="lee@example.com").json["payment"]
    assert (first["seq"], second["seq"]) == (1, 2)
    assert second["prev_hash"] == first["hash"]


def test_the_same_key_and_body_is_the_same_payment(admin: Client) -> None:
    first = admin.log(KEY)
    again = admin.log(KEY, amount="$125")
    assert again.status == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == first.json
    assert len(admin.rows("Payments")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "126.00"), ("method", "ach"), ("patron_email", "lee@example.com"), ("note", "x")],
)
def test_the_same_key_with_another_body_names_the_field(
    admin: Client, field: str, value: str
) -> None:
    admin.log(KEY)
    answer = admin.log(KEY, **{field: value})
    assert answer.status == 422
    assert answer.fields == [field]
    assert len(admin.rows("Payments")) == 1


def test_two_payments_in_one_millisecond_are_both_kept(admin: Client) -> None:
    moment = int(time.time() * 1000)
    first = admin.log(timestamp=moment).json["payment"]
    second = admin.log(timestamp=moment).json["payment"]
    assert (first["timestamp"], second["timestamp"]) == (moment, moment + 1)
    assert len(admin.rows("Payments")) == 2


def test_contention_that_outlasts_the_retries_asks_to_try_again(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise HeadMovedError(None)

    monkeypatch.setattr(wiring.store(), "append", refuse)
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
def test_a_body_that_is_no_json_object_is_refused(admin: Client, body: str, status: int) -> None:
    answer = admin.call("POST", "/api/payments", body, headers={"idempotency-key": KEY})
    assert answer.status == status
    assert admin.rows("Payments") == []


@pytest.mark.parametrize(
    "key", ["", "abc", "7f6d1f0e8a554f0a9d583f3b0f1c2d3e", "+0000000-0000-0000-0000-000000000000"]
)
def test_a_missing_or_malformed_key_is_refused(admin: Client, key: str) -> None:
    answer = admin.call("POST", "/api/payments", {}, headers={"idempotency-key": key})
    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])


def test_a_body_that_is_not_json_by_its_type_is_refused(admin: Client) -> None:
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


def test_a_retry_after_eight_days_finds_its_payment(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = int(time.time() * 1000)
    first = admin.log(KEY, timestamp=moment)
    later = time.time_ns() + 8 * 86_400 * 10**9
    monkeypatch.setattr("functions.api.routes._now", lambda: later // 10**6)
    monkeypatch.setattr("functions.api.sessions.SessionStore.user", lambda *_: ADMIN)
    again = admin.log(KEY, timestamp=moment)
    assert again.json == first.json


def test_one_broken_row_does_not_hide_the_others(admin: Client) -> None:
    payment = admin.log().json["payment"]
    broken = {"PK": "x", "SK": 1, "event_id": "sunset-charter", "timestamp": 1}
    admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(broken))
    listed = admin.call("GET", "/api/payments", query={"event_id": "sunset-charter"}).json
    assert [each["payment_id"] for each in listed["payments"]] == [payment["payment_id"]]


def test_a_roles_session_counts_as_its_role(api: Client) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/scripts/nightly"
    assert api.call("GET", "/api/session", iam_arn=arn).status == 200


def test_an_allow_listed_iam_identity_counts_as_admin(api: Client) -> None:
    arn = "arn:aws:iam::123456789012:role/scripts"
    assert api.call("GET", "/api/session", iam_arn=arn).json["user"]["groups"] == ["admins"]
    assert api.call("GET", "/api/session", iam_arn=arn + "2").status == 401


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


def test_the_waiver_is_an_html_page(api: Client) -> None:
    answer = api.call("GET", "/g/sunset-charter/waiver")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Sunset Charter" in answer.text
    assert "Saturday, November 28, 2026" in answer.text


def test_the_waiver_of_no_event_is_a_page_too(api: Client) -> None:
    answer = api.call("GET", f"/g/{quote('<script>')}/waiver")
    assert answer.status == 404
    assert "<script>" not in answer.text


def test_our_own_failure_tells_nothing_of_our_insides(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(wiring.store(), "ground", fail)
    answer = admin.log(str(uuid.uuid4()))
    assert answer.status == 500
    assert "secret inside" not in answer.text
    assert "Traceback" not in answer.text

"""Events and rosters: who sees what, in which order, at what cost."""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections import Counter
from typing import Any

import boto3
import pytest

from functions.api import wiring
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.ledger import Head
from shared.methods import METHODS
from tests.builders import entry
from tests.functions.api.conftest import Client, add_event

DAY = 24 * 60 * 60 * 1000


def test_only_people_who_may_see_money_see_event_totals(admin: Client) -> None:
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


def test_totals_by_method_leave_out_voids(admin: Client) -> None:
    admin.log(amount="10.00")
    admin.log(amount="20.50", method="check", reference="7")
    admin.log(amount="0.01", method="ach")
    gone = admin.log(amount="99.00", method="credit_card").json["payment"]
    path = f"/api/payments/{gone['payment_id']}/void"
    headers = {"idempotency-key": str(uuid.uuid4())}
    admin.call("POST", path, {"reason": "entered_twice"}, headers=headers)
    expected = dict.fromkeys(METHODS, "0.00")
    expected |= {"cash": "10.00", "check": "20.50", "ach": "0.01"}
    shown = admin.call("GET", "/api/events/sunset-charter").json["event"]
    (listed,) = admin.call("GET", "/api/events").json["events"]
    assert shown == listed
    assert shown["totals_by_method"] == expected
    assert shown["total"] == "30.51"


def test_a_refund_lowers_the_method_it_was_given_back_by_and_its_payment_still_counts(
    admin: Client,
) -> None:
    admin.log(amount="75.00", method="credit_card")
    ledger = wiring.ledger()
    snapshot = ledger.snapshot("sunset-charter", "jane.doe@example.com", "cash", "")
    (paid,) = [from_attributes(item) for item in admin.rows("Payments")]
    refund = entry(
        snapshot.head, kind="refund", payment_id="pay_" + "2" * 32, refunds=paid["payment_id"],
        reason="overpaid", amount_cents=5_000, method="cash", reference="", reference_key=None,
        timestamp=paid["timestamp"] + 1, logged_at=paid["logged_at"],
    )  # fmt: skip
    ledger.append([refund], "0" * 64, snapshot)
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert (event["payments_count"], event["total"]) == (1, "25.00")
    assert event["totals_by_method"]["credit_card"] == "75.00"
    assert event["totals_by_method"]["cash"] == "-50.00"
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    assert [row["net_amount"] for row in rows] == ["75.00", "-50.00"]


def test_an_event_without_payments_has_totals_of_zero(admin: Client) -> None:
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert set(event["totals_by_method"].values()) == {"0.00"}
    assert (event["payments_count"], event["total"]) == (0, "0.00")
    assert "audit" not in event


def test_an_event_counts_mails_that_failed_or_are_late(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [admin.log(amount=f"{n}.00").json["payment"]["payment_id"] for n in range(1, 6)]
    states: list[dict[str, Any]] = [
        {"state": "sent", "sent_at": 1},
        {"state": "failed", "last_error": {"class": "permanent"}},
        {"state": "failed", "last_error": {"class": "retry"}},
        {"state": "sending"},
    ]
    for payment_id, delivery in zip(ids, states, strict=False):
        item = to_attributes({"payment_id": payment_id, "attempts": 1} | delivery)
        admin.dynamodb.put_item(TableName=admin.tables["AuditDeliveries"], Item=item)
    assert audit_of(admin) == {"failed": 1, "late": 0}
    pass_time(monkeypatch, 6 * 60 * 1000)
    assert audit_of(admin) == {"failed": 1, "late": 3}


def test_a_broken_row_hides_no_events(admin: Client) -> None:
    admin.log()
    broken = {"PK": "x", "SK": 1, "event_id": "sunset-charter", "timestamp": 1, "logged_at": "x"}
    admin.dynamodb.put_item(TableName=admin.tables["Payments"], Item=to_attributes(broken))
    assert audit_of(admin) == {"failed": 0, "late": 0}


def log_at_once(admin: Client, count: int) -> None:
    """Entries as the ledger has them, without a transaction for each."""
    now, last = int(time.time() * 1000), Head()
    with boto3.resource("dynamodb").Table(admin.tables["Payments"]).batch_writer() as rows:
        for n in range(count):
            moment = now - count + n
            written = entry(last, payment_id=f"pay_{n:032x}", timestamp=moment, logged_at=moment)
            rows.put_item(Item=written.to_row())
            last = written.as_head
    head = {**keys.head("sunset-charter"), "seq": last.seq, "hash": last.hash}
    item = to_attributes(head | {"last_logged_at": now})
    admin.dynamodb.put_item(TableName=admin.tables["Ledger"], Item=item)


def test_only_the_newest_25_entries_of_the_last_week_are_checked(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_at_once(admin, 27)
    pass_time(monkeypatch, 6 * 60 * 1000)
    assert audit_of(admin) == {"failed": 0, "late": 25}
    pass_time(monkeypatch, 8 * DAY)
    monkeypatch.setattr("functions.api.people.identity.CHECK_MS", 9 * DAY)
    keep_signed_in(admin)
    assert audit_of(admin) is None


def test_a_page_of_events_costs_a_bounded_number_of_reads(admin: Client) -> None:
    moment = int(time.time() * 1000)
    for n in range(30):
        add_event(admin, f"event-{n}", "2026-11-27")
        head: dict[str, Any] = {"PK": f"EVENT#event-{n}", "seq": 1, "hash": "0" * 64}
        head["last_logged_at"] = moment - n
        admin.dynamodb.put_item(TableName=admin.tables["Ledger"], Item=to_attributes(head))
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    wiring.dynamo().client.meta.events.register("before-call.dynamodb", count)
    try:
        events = admin.call("GET", "/api/events", query={"limit": "100"}).json["events"]
    finally:
        wiring.dynamo().client.meta.events.unregister("before-call.dynamodb", count)
    assert len(events) == 31
    watched = [event["event_id"] for event in events if "audit" in event]
    assert sorted(watched) == sorted(f"event-{n}" for n in range(20)), "the most recently active"
    assert calls == {"GetItem": 1, "Query": 1 + 20, "BatchGetItem": 1}


def test_events_on_one_day_are_listed_in_the_same_order_however_they_are_paged(
    admin: Client,
) -> None:
    for name in ("b", "d", "a", "c"):
        add_event(admin, name, "2026-12-01")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2", "cursor": cursor}
        page = admin.call("GET", "/api/events", query=query).json
        seen += [event["event_id"] for event in page["events"]]
        cursor = page["cursor"]
    assert seen == ["d", "c", "b", "a", "sunset-charter"]


@pytest.mark.parametrize(
    ("sought", "found"),
    [("jane", 1), ("JANE.DOE@", 1), ("小龍", 1), ("", 2), ("nobody", 0), ("jané", 1)],
)
def test_the_roster_is_searched_by_name_and_e_mail(admin: Client, sought: str, found: int) -> None:
    answer = admin.call("GET", "/api/events/sunset-charter/roster", query={"q": sought})
    assert len(answer.json["roster"]) == found


@pytest.mark.parametrize("sought", ["x" * 101, "a\x00b", "\u202egnp", "\ud800"])
def test_a_search_that_cannot_match_any_name_is_refused(admin: Client, sought: str) -> None:
    answer = admin.call("GET", "/api/events/sunset-charter/roster", query={"q": sought})
    assert (answer.status, answer.fields) == (400, ["q"])


def audit_of(admin: Client) -> Any:
    return admin.call("GET", "/api/events/sunset-charter").json["event"].get("audit")


def pass_time(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> None:
    later = time.time_ns() // 1_000_000 + milliseconds
    monkeypatch.setattr("functions.api.routes.request.now", lambda: later)


def keep_signed_in(admin: Client) -> None:
    admin.dynamodb.update_item(
        TableName=admin.tables["Sessions"],
        Key=to_attributes({"session_hash": admin.session_hash}),
        UpdateExpression="SET expires_at = :future",
        ExpressionAttributeValues=to_attributes({":future": int(time.time()) + 30 * 86_400}),
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_payment_by_any_method_is_in_the_totals(admin: Client, method: str) -> None:
    assert admin.log(method=method, reference="1042").status == 200
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert event["totals_by_method"] == dict.fromkeys(METHODS, "0.00") | {method: "125.00"}

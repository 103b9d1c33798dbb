"""A row that was changed behind the API's back blinds nobody: it is named, the rest is shown."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from functions.api.http.answers import PROBLEM_ROWS
from release.openapi.answers import PaymentsPage
from shared import keys
from shared.ledger import LedgerEntry
from tests.builders import NOW, entry
from tests.functions.api.conftest import Answer, Client, put, store
from tests.suites import later, one_in

ALTERED = "pay_" + "a" * 32
SOUND = "pay_" + "b" * 32
EVENT = {"event_id": "sunset-charter"}
BINARY = b"\x00\xff"
PAID: LedgerEntry = entry(payment_id=ALTERED)

# What is changed in a row, and what the export says of it. None: the attribute is gone.
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "a fraction of a cent": (
        {"amount_cents": Decimal("12500.99")},
        "amount_cents is not a whole number",
    ),
    "a binary attribute": ({"note": BINARY}, "note is not text"),
    "a missing attribute": ({"logged_at": None}, "logged_at is missing"),
    "a missing name": ({"logged_by_name": None}, "logged_by_name is missing"),
    "a number as text": ({"seq": "1"}, "seq is not a whole number"),
    "a fractional number": ({"seq": Decimal("1.5")}, "seq is not a whole number"),
    "a surplus attribute": ({"tip": 5}, "tip is no attribute of an entry"),
    "an unknown kind": ({"kind": "gift"}, "kind is none that the ledger has"),
    "another amount": ({"amount_cents": 1}, "does not match its hash"),
    "no id": ({"payment_id": None}, "payment_id is missing"),
    "an endless id": ({"payment_id": "p" * 2_100}, "does not match its hash"),
    "an empty id": ({"payment_id": ""}, "does not match its hash"),
    "the id of another": ({"payment_id": SOUND}, "does not match its hash"),
    "a time beyond time": ({"logged_at": 10**30}, "expiration_timestamp is earlier"),
    "a list of numbers": (
        {"acknowledged_duplicates": [1]},
        "acknowledged_duplicates is not a list of text",
    ),
    "a nested value": ({"reason": {"deep": BINARY}}, "reason is not text"),
}
changes = pytest.mark.parametrize(
    ("change", "fault"),
    one_in(3, CHANGES.values()),
    ids=[each.replace(" ", "-") for each in CHANGES],
)


def lay(client: Client, change: dict[str, Any]) -> None:
    """A row that was altered, and a sound one after it."""
    paid = entry(payment_id=ALTERED, method="check", reference="1042")
    store(client, paid, **change)
    after = entry(
        paid.as_head,
        payment_id=SOUND,
        timestamp=NOW,
        patron_email="lee@example.com",
        reference="7",
        reference_key="7",
    )
    store(client, after)
    head: dict[str, Any] = {"seq": 2, "hash": after.hash, "last_logged_at": after.logged_at}
    sums = {"payments_count": 2, "total_cents": 25_000, "check_cents": 25_000}
    put(client, "Ledger", keys.head("sunset-charter") | head | sums)
    for each in (paid, after):
        number = keys.number_uses("sunset-charter", "check", each.reference_key or "")
        put(client, "Ledger", number | {"payment_ids": {each.payment_id}})


def exported(client: Client, query: dict[str, str]) -> list[dict[str, str]]:
    answer = client.call("GET", "/api/payments.csv", query=query)
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


@changes
def test_the_export_marks_the_row_and_shows_the_others(
    admin: Client, change: dict[str, Any], fault: str
) -> None:
    lay(admin, change)
    marked = [row for row in exported(admin, EVENT) if row["problem"]]
    sound = [row for row in exported(admin, EVENT) if not row["problem"]]
    assert [row["payment_id"] for row in sound] == [SOUND]
    assert len(marked) == 1
    assert fault in marked[0]["problem"]
    assert marked[0]["patron_name"] == "Jane Doe"
    assert (sound[0]["net_amount"], marked[0]["net_amount"]) == ("125.00", "0.00")


def test_the_export_shows_what_there_is_of_a_marked_row(admin: Client) -> None:
    lay(admin, {"amount_cents": Decimal("12500.99"), "note": BINARY, "=1+1": "x"})
    (row,) = [each for each in exported(admin, EVENT) if each["problem"]]
    assert row["amount"] == "125.0099"
    assert row["note"] == "(an attribute of type B)"
    assert "=1+1 is no attribute of an entry" in row["problem"]


def test_an_export_of_days_marks_its_rows(admin: Client) -> None:
    lay(admin, {"amount_cents": Decimal("12500.99")})
    rows = exported(admin, {"from": "2025-11-24", "to": "2025-11-24"})
    assert sorted(bool(row["problem"]) for row in rows) == [False, True]


@changes
def test_the_list_names_the_row_and_never_shows_it_as_a_payment(
    admin: Client, change: dict[str, Any], fault: str
) -> None:
    lay(admin, change)
    for query in (EVENT, {"patron_email": "jane.doe@example.com"}):
        answer = admin.call("GET", "/api/payments", query=query)
        assert answer.status == 200, answer.text
        (doubtful,) = answer.json["problems"]
        assert fault in doubtful["problem"]
        assert doubtful["event_id"] == "sunset-charter"
        assert doubtful["patron_name"] == "Jane Doe"
        assert doubtful["seq"] == (None if "seq" in change else 1)
    for query in (EVENT, {"patron_email": "lee@example.com"}):
        answer = admin.call("GET", "/api/payments", query=query)
        assert [each["payment_id"] for each in answer.json["payments"]] == [SOUND]
        PaymentsPage.model_validate_json(answer.text)


def test_an_export_counts_its_marked_rows_where_the_app_can_say_so(admin: Client) -> None:
    def counted() -> str:
        return admin.call("GET", "/api/payments.csv", query=EVENT).headers[PROBLEM_ROWS]

    assert counted() == "0"
    lay(admin, {"amount_cents": 1})
    assert counted() == "1"


@pytest.mark.parametrize("limit", ["1", "2", "50"])
def test_rows_with_half_a_millisecond_hide_nothing_behind_them(admin: Client, limit: str) -> None:
    for n in range(5):
        store(admin, entry(payment_id=f"pay_{n}", timestamp=NOW + n, seq=n))
    for n in range(1, 5):
        half = NOW + 3 + Decimal(n) / 10
        store(admin, entry(payment_id=f"pay_x{n}"), timestamp=half, SK=half)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = EVENT | {"limit": limit, "cursor": cursor}
        page = admin.call("GET", "/api/payments", query=query).json
        seen += [each["payment_id"] for each in page["payments"]]
        cursor = page["cursor"]
    assert seen == [f"pay_{n}" for n in (4, 3, 2, 1, 0)]


@changes
def test_the_row_itself_is_refused_in_words(
    admin: Client, change: dict[str, Any], fault: str
) -> None:
    lay(admin, change)
    answer = admin.call("GET", f"/api/payments/{ALTERED}")
    assert (answer.status, answer.json["code"]) == (409, "unreadable")
    assert "scc verify" in answer.json["detail"]
    assert admin.call("GET", f"/api/payments/{SOUND}").status == 200


@changes
def test_it_can_neither_stop_nor_break_what_is_logged_and_voided(
    admin: Client, change: dict[str, Any], fault: str
) -> None:
    lay(admin, change)
    logged = admin.log(method="check", reference="1042", acknowledge_duplicates=[])
    assert logged.status == 200, logged.text
    refused = void(admin, ALTERED)
    assert (refused.status, refused.json["code"]) == (409, "unreadable")
    assert void(admin, SOUND).status == 200


def test_a_key_whose_row_was_altered_is_not_called_unsaved(admin: Client) -> None:
    key = str(uuid.uuid4())
    payment = admin.log(key).json["payment"]
    row = {name: value for name, value in payment.items() if name != "amount"}
    put(admin, "Payments", row | {"amount_cents": Decimal("0.5")})
    for answer in (admin.call("GET", f"/api/payments/by-key/{key}"), admin.log(key)):
        assert (answer.status, answer.json["code"]) == (409, "unreadable")
    assert len(admin.rows("Payments")) == 1


Change = Callable[[Client], None]
OTHER_TABLES: dict[str, Change] = {
    "totals with a fraction": lambda api: put(
        api, "Ledger", head_row() | {"total_cents": Decimal("0.5")}
    ),
    "a head without a time": lambda api: put(
        api, "Ledger", {name: each for name, each in head_row().items() if name != "last_logged_at"}
    ),
    "a head with a binary number": lambda api: put(api, "Ledger", head_row() | {"seq": BINARY}),
    "a pointer to nowhere": lambda api: put(
        api, "Ledger", keys.pointer(PAID.payment_id) | {"row_pk": BINARY, "row_sk": Decimal("0.5")}
    ),
    "a mark without its void": lambda api: put(api, "Ledger", keys.void_mark(PAID.payment_id)),
    "a number that nobody used": lambda api: put(
        api, "Ledger", keys.number_uses("sunset-charter", "check", "1042") | {"payment_ids": BINARY}
    ),
    "a mail that was sent at half past": lambda api: put(
        api,
        "AuditDeliveries",
        {"payment_id": PAID.payment_id, "state": "sent", "sent_at": Decimal("0.5"), "attempts": ""},
    ),
    "a mail that was seen in binary": lambda api: put(
        api,
        "AuditDeliveries",
        dict.fromkeys(("seen_at", "mailbox_finding"), BINARY)
        | {"payment_id": PAID.payment_id, "state": "sent"},
    ),
    "a mail that failed for no reason": lambda api: put(
        api,
        "AuditDeliveries",
        {"payment_id": PAID.payment_id, "state": "failed", "last_error": "none"},
    ),
    "a mail that failed in binary": lambda api: put(
        api,
        "AuditDeliveries",
        {"payment_id": PAID.payment_id, "state": "failed", "last_error": {"message": BINARY}},
    ),
    "an event without its name": lambda api: put(
        api,
        "Events",
        keys.event_meta("sunset-charter") | {"listing": "event", "event_date": "2026-11-28"},
    ),
    "an event with a binary place": lambda api: put(
        api,
        "Events",
        keys.event_meta("sunset-charter")
        | {
            "listing": "event",
            "event_date": "2026-11-28",
            "location": BINARY,
            "roster_size": Decimal("0.5"),
        },
    ),
    "a patron without a name": lambda api: put(
        api,
        "Events",
        keys.patron("sunset-charter", "jane.doe@example.com") | {"email": BINARY},
    ),
}


def head_row() -> dict[str, Any]:
    last = {"seq": 1, "hash": PAID.hash, "last_logged_at": PAID.logged_at}
    return keys.head("sunset-charter") | last | {"total_cents": 12_500}


@pytest.mark.parametrize(
    "change",
    [later(each) if number % 3 else each for number, each in enumerate(OTHER_TABLES.values())],
    ids=[*OTHER_TABLES],
)
def test_nothing_stored_elsewhere_makes_the_api_fail(admin: Client, change: Change) -> None:
    store(admin, PAID)
    put(admin, "Ledger", head_row())
    change(admin)
    answers: list[Answer] = [
        admin.call("GET", "/api/events"),
        admin.call("GET", "/api/events/sunset-charter"),
        admin.call("GET", "/api/events/sunset-charter/roster", query={"q": "jane"}),
        admin.call("GET", "/api/payments", query=EVENT),
        admin.call("GET", f"/api/payments/{PAID.payment_id}"),
        admin.call("GET", "/api/payments.csv", query=EVENT),
        admin.log(method="check", reference="1042", acknowledge_duplicates=[PAID.payment_id]),
        void(admin, PAID.payment_id),
    ]
    assert [each.text for each in answers if each.status >= 500] == []
    assert [each.status for each in answers[:4]] == [200] * 4


def test_an_event_whose_sums_are_unreadable_is_listed_without_them(admin: Client) -> None:
    put(admin, "Ledger", head_row() | {"cash_cents": Decimal("0.5")})
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert event["name"] == "Sunset Charter"
    assert "total" not in event
    assert "payments_count" not in event


def test_more_refunded_than_paid_by_one_method_is_shown_as_less_than_nothing(
    admin: Client,
) -> None:
    put(admin, "Ledger", head_row() | {"cash_cents": -5_050, "check_cents": 12_500})
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert event["totals_by_method"]["cash"] == "-50.50"


def void(client: Client, payment_id: str) -> Answer:
    headers = {"idempotency-key": str(uuid.uuid4())}
    body = {"reason": "entered_twice"}
    return client.call("POST", f"/api/payments/{payment_id}/void", body, headers=headers)


def test_the_builders_row_is_sound(admin: Client) -> None:
    """Or the tests above would see marks for another reason."""
    store(admin, PAID)
    (row,) = exported(admin, EVENT)
    assert row["problem"] == ""
    assert LedgerEntry.from_row(PAID.to_row()) == PAID

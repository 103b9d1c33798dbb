from __future__ import annotations

import csv
import io
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.api import wiring
from functions.api.payments import export
from functions.api.tables import payments as payment_store
from shared.attributes import to_attributes
from shared.ledger import LedgerEntry, business_day
from tests.builders import NOW, ZONE, entry
from tests.functions.api.conftest import Client, add_event, add_patron, store

KEY = "0b6b7f6e-54f5-4b68-9a4e-7d8f6a1b2c3d"
OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def today() -> str:
    return business_day(int(time.time() * 1000), ZONE)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_an_events_export_holds_every_entry_with_its_hashes(admin: Client) -> None:
    payment = admin.log(method="check", reference="77").json["payment"]
    path = f"/api/payments/{payment['payment_id']}/void"
    key = {"idempotency-key": "0b6b7f6e-54f5-4b68-9a4e-7d8f6a1b2c3d"}
    admin.call("POST", path, {"reason": "entered_twice"}, headers=key)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    assert answer.text.count("\r\n") == 3
    first, second = rows_of(answer.text)
    assert (first["seq"], first["amount"], first["hash"]) == ("1", "125.00", payment["hash"])
    assert (second["kind"], second["voids"]) == ("void", payment["payment_id"])
    assert first["voided_by"] == second["payment_id"]
    assert first["audit_state"] == "queued"


def test_the_export_of_one_day_holds_that_day(admin: Client) -> None:
    payment = admin.log().json["payment"]
    query = {"from": today(), "to": today()}
    answer = admin.call("GET", "/api/payments.csv", query=query)
    assert [each["payment_id"] for each in rows_of(answer.text)] == [payment["payment_id"]]


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "  =1+1",
        "\u00a0=1+1",
        "\u3000=1+1",
        "\u200b=1+1",
        "\ufeff=1+1",
        "\n=1+1",
        "\r\n=1+1",
        "\t=1+1",
        "\x00=1+1",
        "\nplain",
        "\tplain",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(A1)",
        "\ufe661+1",
        " \uff1dcmd|' /C calc'!A0",
    ],
)
def test_no_cell_runs_as_a_formula(admin: Client, name: str) -> None:
    """The roster's names become one line before they are logged; a row may hold any of these."""
    store(admin, entry(patron_name=name, note="it is 5-1=4 @ noon"))
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    (row,) = rows_of(answer.text)
    assert row["patron_name"] == f"'{name}"
    assert row["note"] == "it is 5-1=4 @ noon"


@pytest.mark.parametrize(
    ("note", "cell"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x; =1+1", "x;' =1+1"),
        ("a;\u200b-1;\uff1d2", "a;'\u200b-1;'\uff1d2"),
        ("a;'b", "a;''b"),
        ("paid; the rest = later", "paid; the rest = later"),
    ],
)
def test_no_part_of_a_cell_runs_where_semicolons_separate_cells(
    admin: Client, note: str, cell: str
) -> None:
    admin.log(note=note)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    (row,) = rows_of(answer.text)
    assert row["note"] == cell


def test_a_cell_with_quotes_commas_and_line_breaks_stays_one_cell(admin: Client) -> None:
    name = 'Ann "Ace", \r\n Ng'
    store(admin, entry(patron_name=name))
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    (row,) = rows_of(answer.text)
    assert (row["patron_name"], row["amount"]) == (name, "125.00")


def test_an_events_export_is_in_the_order_of_its_chain(admin: Client) -> None:
    moment = int(time.time() * 1000)
    for n in range(4):
        admin.log(amount=f"{n + 1}.00", timestamp=moment - n * 1000)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    rows = rows_of(answer.text)
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["prev_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


def test_the_export_shows_the_state_of_each_mail(admin: Client) -> None:
    ids = [admin.log(amount=f"{n}.00").json["payment"]["payment_id"] for n in (1, 2)]
    error = {"class": "permanent", "code": "400", "message": "bad address", "at": 5}
    for delivery in (
        {"payment_id": ids[0], "state": "sent", "attempts": 2, "sent_at": 1_764_000_000_000},
        {"payment_id": ids[1], "state": "failed", "attempts": 1, "last_error": error},
    ):
        item = to_attributes(delivery)
        admin.dynamodb.put_item(TableName=admin.tables["AuditDeliveries"], Item=item)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    sent, failed = rows_of(answer.text)
    assert (sent["audit_state"], sent["audit_attempts"]) == ("sent", "2")
    assert sent["audit_sent_at"] == "2025-11-24T16:00:00.000+00:00"
    assert (failed["audit_state"], failed["audit_error"]) == ("failed", "bad address")


def test_every_attribute_of_an_entry_has_its_column_in_the_export() -> None:
    attributes = {each.name for each in fields(LedgerEntry)}
    assert attributes - set(export.COLUMNS) == {"amount_cents", "expiration_timestamp"}


def test_a_row_starts_with_its_number_and_ends_with_its_hash() -> None:
    assert len(set(export.COLUMNS)) == len(export.COLUMNS)
    assert export.COLUMNS[:2] == ("seq", "problem")
    assert export.COLUMNS[-2:] == ("prev_hash", "hash")


def test_everything_listed_about_a_payment_is_exported(admin: Client) -> None:
    admin.log()
    query = {"event_id": "sunset-charter"}
    (listed,) = admin.call("GET", "/api/payments", query=query).json["payments"]
    attributes = {each.name for each in fields(LedgerEntry)}
    shown_otherwise = {"PK", "SK", "audit"}
    assert listed.keys() - attributes - set(export.COLUMNS) == shown_otherwise


def test_a_range_includes_both_ends(admin: Client) -> None:
    day = 24 * 60 * 60 * 1000
    for n in range(4):
        at = NOW + n * day
        store(admin, entry(payment_id=f"pay_{n}", timestamp=at, logged_at=at))
    query = {"from": "2025-11-25", "to": "2025-11-26"}
    answer = admin.call("GET", "/api/payments.csv", query=query)
    assert [row["payment_id"] for row in rows_of(answer.text)] == ["pay_1", "pay_2"]


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_every_export_logs_a_line_without_names(
    api: Client, log: Callable[[], list[dict[str, Any]]], who: str
) -> None:
    api.sign_in("admin")
    api.log()
    api.sign_in(who)
    api.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    api.call("GET", "/api/payments.csv", query={"from": today(), "to": today()})
    of_event, of_days = [line for line in log() if line["message"] == "payments exported"]
    assert (of_event["by"], of_event["entries"]) == ([f"{who}s"], 1)
    assert (of_event["filter"], of_event["event_id"]) == ("event_id", "sunset-charter")
    assert (of_days["filter"], of_days["logged_day"]) == ("logged_day", today())
    assert "jane" not in json.dumps(log()).lower()


def test_the_whole_event_is_exported_however_many_pages(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_store, "EXPORT_PAGE", 2)
    for dollars in range(1, 6):
        admin.log(amount=f"{dollars}.00")
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    assert [each["amount"] for each in rows_of(answer.text)] == [f"{n}.00" for n in range(1, 6)]


def test_an_export_that_would_not_fit_is_refused_not_cut(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_BYTES", 1_400)
    for _ in range(2):
        admin.log()
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    assert (answer.status, answer.fields) == (422, ["event_id"])


def test_what_does_not_fit_is_not_read_to_its_end(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by the answer, not by the ledger."""
    monkeypatch.setattr(payment_store, "EXPORT_PAGE", 2)
    monkeypatch.setattr(export, "MAX_BYTES", 3_000)
    for n in range(20):
        store(admin, entry(payment_id=f"pay_{n}", timestamp=NOW + n))
    calls: Counter[str] = Counter()
    events = wiring.dynamo().client.meta.events
    note = partial(_note, calls)
    events.register("before-call.dynamodb", note)
    try:
        answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    finally:
        events.unregister("before-call.dynamodb", note)
    assert answer.status == 422
    assert calls["Query"] < 5


def _note(calls: Counter[str], model: Any, **_: Any) -> None:
    calls[model.name] += 1


def test_the_net_amounts_add_up_to_what_the_screen_shows(admin: Client) -> None:
    kept = admin.log(amount="300.00").json["payment"]
    gone = admin.log(amount="25.10", method="ach").json["payment"]
    path = f"/api/payments/{gone['payment_id']}/void"
    replacement = {"patron_email": "lee@example.com", "amount": "25.01", "method": "cash"}
    key = {"idempotency-key": KEY}
    body = {"reason": "wrong_amount", "replacement": replacement}
    assert admin.call("POST", path, body, headers=key).status == 200
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    rows = rows_of(answer.text)
    assert [row["net_amount"] for row in rows] == ["300.00", "25.10", "-25.10", "25.01"]
    event = admin.call("GET", "/api/events/sunset-charter").json["event"]
    assert sum(Decimal(row["net_amount"]) for row in rows) == Decimal(event["total"])
    assert rows[3]["corrects"] == gone["payment_id"]
    assert rows[0]["payment_id"] == kept["payment_id"]


def test_a_refund_takes_away_in_the_export(admin: Client) -> None:
    paid = entry(method="cash", reference="", reference_key=None)
    refund = entry(
        *(paid.as_head,), kind="refund", payment_id="pay_2", refunds=paid.payment_id,
        reason="goodwill", amount_cents=5_000, timestamp=NOW + 1, reference="", reference_key=None,
    )  # fmt: skip
    for each in (paid, refund):
        store(admin, each)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    _, row = rows_of(answer.text)
    assert (row["kind"], row["amount"], row["net_amount"]) == ("refund", "50.00", "-50.00")
    assert (row["refunds"], row["reason"], row["problem"]) == (paid.payment_id, "goodwill", "")


RECIPE = re.search(r"```python\n(def hash_of.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)


def test_every_hash_can_be_computed_again_from_the_file_alone(admin: Client) -> None:
    """With the recipe of docs/operations.md, whatever people typed."""
    assert RECIPE
    namespace: dict[str, Any] = {}
    exec(RECIPE[1], namespace)  # noqa: S102 - our own page
    add_event(admin, "harbor-lunch", "2026-11-27")
    names = [
        "'quoted'",
        "=1+1",
        "''",
        "-5",
        'Ann\r\n, "Ace"',
        "\t",
        "'=x",
        "李小龍 🚢",
        "\t=1",
        "a\tb;'c|=d",
        ";;'",
        "a'\t'b",
    ]
    for n, name in enumerate(names):
        email = f"p{n}@example.com"
        add_patron(admin, email, name)
        assert admin.log(patron_email=email, amount=f"{n + 1}.05", note=f"'{n}").status == 200
    first = admin.log(method="check", reference="'00-77", event_id="harbor-lunch").json["payment"]
    body = {
        "reason": "other",
        "note": "+1",
        "replacement": {"patron_email": "lee@example.com", "amount": "1000", "method": "ach"},
    }
    path = f"/api/payments/{first['payment_id']}/void"
    assert admin.call("POST", path, body, headers={"idempotency-key": KEY}).status == 200
    answer = admin.call("GET", "/api/payments.csv", query={"from": today(), "to": today()})
    rows = rows_of(answer.text)
    assert len(rows) == len(admin.rows("Payments")) > 8
    for row in rows:
        assert namespace["hash_of"](row) == row["hash"], row
        assert row["problem"] == ""
    changed = rows[0] | {"amount": "9.99"}
    assert namespace["hash_of"](changed) != changed["hash"]


def test_a_saved_file_is_checked_by_the_recipe_as_it_is_written_there(
    admin: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = "\n".join(
        re.findall(r"```python\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    )
    monkeypatch.chdir(tmp_path)
    for n in (1, 2):
        assert admin.log(amount=f"{n}.05", note="Für zwei").status == 200
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    changed = answer.text.replace('"1.05"', '"9.05"')
    gone = io.StringIO()
    csv.DictWriter(gone, export.COLUMNS, restval="").writerow(
        {"kind": "expired", "event_id": "sunset-charter", "net_amount": "5.00"}
    )
    head, rest = answer.text.split("\r\n", 1)
    expired = f"{head}\r\n{gone.getvalue()}{rest}"
    for text, told in (
        (answer.text, ""),
        (changed, "1 does not match its hash\n"),
        (expired, ""),
    ):
        Path("payments.csv").write_bytes(text.encode())
        capsys.readouterr()
        exec(program, {})  # noqa: S102 - our own page
        assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "from"),
        ({"from": "2026-11-01"}, "to"),
        ({"from": "yesterday", "to": "2026-11-01"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2020-01-01", "to": "2026-11-01"}, "to"),
        ({"event_id": "a#b"}, "event_id"),
        ({"event_id": "sunset-charter", "from": "2026-11-01"}, "from"),
        ({"event_id": "sunset-charter", "to": "2026-11-01"}, "to"),
        ({"patron_email": "jane.doe@example.com"}, "patron_email"),
        ({"from": "2026-11-01T00:00:00", "to": "2026-11-02"}, "from"),
        ({"from": "2026-W01-01", "to": "2026-11-02"}, "from"),
        ({"from": "\uff12\uff10\uff12\uff16-11-01", "to": "2026-11-02"}, "from"),
    ],
)
def test_an_invalid_range_is_named(admin: Client, query: dict[str, str], field: str) -> None:
    answer = admin.call("GET", "/api/payments.csv", query=query)
    assert (answer.status, answer.fields) == (400, [field])


@pytest.mark.parametrize(("who", "status"), [("crew", 403), ("auditor", 200)])
def test_auditors_can_export_and_crew_cannot(api: Client, who: str, status: int) -> None:
    api.sign_in(who)
    query = {"event_id": "sunset-charter"}
    assert api.call("GET", "/api/payments.csv", query=query).status == status

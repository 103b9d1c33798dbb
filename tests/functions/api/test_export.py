from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from functions.api import export, payment_store
from tests.functions.api.conftest import Client


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


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
    today = datetime.now(UTC).date().isoformat()
    answer = admin.call("GET", "/api/payments.csv", query={"from": today, "to": today})
    assert [each["payment_id"] for each in rows_of(answer.text)] == [payment["payment_id"]]


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(admin: Client, note: str) -> None:
    admin.log(note=note)
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    assert rows_of(answer.text)[0]["note"] == f"'{note}"


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
    monkeypatch.setattr(export, "MAX_BYTES", 900)
    admin.log()
    admin.log()
    answer = admin.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
    assert (answer.status, answer.fields) == (422, ["event_id"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "from"),
        ({"from": "2026-11-01"}, "to"),
        ({"from": "yesterday", "to": "2026-11-01"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2020-01-01", "to": "2026-11-01"}, "to"),
        ({"event_id": "a#b"}, "event_id"),
    ],
)
def test_a_range_that_is_none_is_named(admin: Client, query: dict[str, str], field: str) -> None:
    answer = admin.call("GET", "/api/payments.csv", query=query)
    assert (answer.status, answer.fields) == (400, [field])


@pytest.mark.parametrize(("who", "status"), [("crew", 403), ("auditor", 200)])
def test_auditors_export_and_crew_does_not(api: Client, who: str, status: int) -> None:
    api.sign_in(who)
    query = {"event_id": "sunset-charter"}
    assert api.call("GET", "/api/payments.csv", query=query).status == status

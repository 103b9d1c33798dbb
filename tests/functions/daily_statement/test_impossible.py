"""Entries with sound hashes and pointers that the API never writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.daily_statement.drawing_up import SHARES
from functions.daily_statement.rules import meaning
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.record import Standing
from functions.daily_statement.rules.rereading import name_impossible
from shared import keys
from shared.ledger import LedgerEntry, business_day, entry_hash
from shared.methods import OTHER_CURRENCY, OTHER_METHOD
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from tests.builders import NOW, ZONE, entry
from tests.functions.daily_statement.conftest import DAY, DAY_MS, Office
from tests.functions.daily_statement.test_findings import findings, next_day
from tests.functions.daily_statement.test_totals import named_within
from tests.suites import later

VOID: dict[str, Any] = {"kind": "void", "voids": "pay_1", "reason": "entered_twice"}
REFUND: dict[str, Any] = {"kind": "refund", "amount_cents": 100, "reason": "other"}
HOUR_MS = 3_600_000


def impossible(office: Office, day: str = DAY) -> dict[int, str]:
    """What the statement of the day says of the only event."""
    statement, _ = office.sealer().draughtsman.draw_up(day, None)
    return statement.account("sunset-charter").impossible


def test_voids_and_corrections_as_the_api_writes_them_are_no_finding(office: Office) -> None:
    office.log("pay_1")
    office.log("void_1", **VOID)
    office.log("pay_2", corrects="pay_1", amount_cents=5)
    office.log("void_2", kind="void", voids="pay_2", reason="other", amount_cents=5)
    assert findings(office) == {}
    office.run()
    assert office.stated()["events"][0]["impossible"] == []
    assert named_within(office, SHARES) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"voids": "pay_never"}, meaning.NOT_THERE.format("voids")),
        later({"voids": "pay_" + "x" * 5_000}, meaning.NOT_THERE.format("voids")),
        ({"amount_cents": 1}, meaning.UNLIKE.format("amount_cents", "voids")),
        later({"method": "cash", "reference": ""}, meaning.UNLIKE.format("method", "voids")),
        later({"patron_email": "lee@example.com"}, meaning.UNLIKE.format("patron_email", "voids")),
        ({"event_id": "other"}, meaning.NOT_THERE.format("voids")),
    ],
)
def test_a_void_of_nothing_or_of_something_else_is_named(
    office: Office, changes: dict[str, Any], why: str
) -> None:
    office.log("pay_1")
    written = office.log("void_1", **(VOID | changes))
    named = {"IMPOSSIBLE": [f"{written.event_id} #{written.seq:06d}"]}
    assert findings(office) == named
    office.run()
    events = {each["event_id"]: each for each in office.stated()["events"]}
    assert events[written.event_id]["impossible"] == [[written.seq, why]]


def test_of_two_voids_the_one_without_the_mark_is_named(office: Office) -> None:
    office.log("pay_1")
    office.log("void_1", **VOID)
    office.log("void_2", **VOID)
    assert impossible(office) == {2: meaning.OTHER_VOID}
    office.put("Ledger", keys.void_mark("pay_1") | {"void_id": "void_1"})
    assert impossible(office) == {3: meaning.OTHER_VOID}


def test_a_second_void_that_took_the_mark_of_an_older_one_is_found_within_thirty_days(
    office: Office,
) -> None:
    office.log("pay_1")
    office.log("void_1", **VOID)
    next_day(office)
    later = NOW + DAY_MS
    office.log("void_2", **VOID, logged_at=later, logged_day=business_day(later, ZONE))
    assert findings(office, "2025-11-25") == {}
    office.run()
    office.clock.now += DAY_MS
    assert {"IMPOSSIBLE": ["sunset-charter #000003"]} in named_within(office, SHARES + 1)


@pytest.mark.parametrize("marked", [False, True])
def test_what_replaces_a_payment_that_was_not_voided_for_it_is_named(
    office: Office, *, marked: bool
) -> None:
    office.log("pay_1")
    if marked:
        office.log("void_1", **VOID)
    office.log("pay_2", corrects="pay_1")
    office.put("Ledger", keys.void_mark("pay_1") | {"void_id": "void_1"})
    assert impossible(office) == {2 + marked: meaning.LONE}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"refunds": "pay_never"}, meaning.NOT_THERE.format("refunds")),
        ({"refunds": "pay_1", "patron_email": "lee@example.com"},
         meaning.UNLIKE.format("patron_email", "refunds")),
    ],
)  # fmt: skip
def test_a_refund_of_nothing_or_to_somebody_else_is_named(
    office: Office, changes: dict[str, Any], why: str
) -> None:
    office.log("pay_1")
    office.log("ref_1", **REFUND, **changes)
    assert impossible(office) == {2: why}


def test_a_refund_of_what_was_voided_is_named(office: Office) -> None:
    office.log("pay_1")
    office.log("void_1", **VOID)
    office.log("ref_1", **REFUND, refunds="pay_1")
    assert impossible(office) == {3: meaning.VOIDED}


NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    "void": (VOID | {"voids": ""}, meaning.NOT_THERE.format("voids")),
    "refund": (REFUND | {"refunds": ""}, meaning.NOT_THERE.format("refunds")),
    "correction": ({"corrects": ""}, meaning.LONE),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_what_is_about_an_empty_id_is_named_whatever_lies_under_that_id(
    office: Office, kind: str
) -> None:
    changes, why = NOTHING[kind]
    paid = office.log("pay_1")
    written = office.log("pay_2", **changes)
    marks = {"void_id": "pay_2", "correction_id": "pay_2"}
    office.put("Ledger", keys.void_mark("") | marks)
    office.put("Ledger", keys.pointer("") | {"row_pk": paid.pk, "row_sk": paid.timestamp})
    assert impossible(office) == {2: why}
    assert problems([paid, written], may_be_gone=True) == {2: why}


REFUNDS: dict[str, tuple[list[int], dict[int, str]]] = {
    "all of it": ([12_500], {}),
    "all of it in parts": ([12_000, 500], {}),
    "more at once": ([12_501], {2: meaning.OVER}),
    "more in parts": ([12_000, 500, 1], {4: meaning.OVER}),
    "all of it twice": ([12_500, 12_500], {3: meaning.OVER}),
}


@pytest.mark.parametrize("parts", REFUNDS)
def test_more_refunded_than_was_paid_is_named_from_where_it_is_more(
    office: Office, parts: str
) -> None:
    amounts, named = REFUNDS[parts]
    entries = [office.log("pay_1")]
    for number, amount in enumerate(amounts):
        refund = REFUND | {"amount_cents": amount, "refunds": "pay_1"}
        entries.append(office.log(f"ref_{number}", **refund))
    assert impossible(office) == named
    assert problems(entries) == named


def test_refunds_of_earlier_days_count(office: Office) -> None:
    office.log("pay_1")
    office.log("ref_1", **REFUND | {"amount_cents": 12_500}, refunds="pay_1")
    next_day(office)
    later = {"logged_at": NOW + DAY_MS, "refunds": "pay_1"}
    office.log("ref_2", **REFUND | {"amount_cents": 1} | later)
    assert findings(office, "2025-11-25") == {"IMPOSSIBLE": ["sunset-charter #000003"]}


def test_of_a_refund_and_a_void_of_one_payment_the_later_one_is_named(office: Office) -> None:
    entries = [office.log("pay_1"), office.log("ref_1", **REFUND, refunds="pay_1")]
    entries.append(office.log("void_1", **VOID))
    assert impossible(office) == {3: meaning.REFUNDED}
    assert problems(entries) == {3: meaning.REFUNDED}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"currency": "EUR"}, OTHER_CURRENCY),
        ({"method": "barter"}, OTHER_METHOD),
    ],
)
def test_money_of_a_kind_that_the_app_does_not_take_is_named(
    changes: dict[str, Any], why: str
) -> None:
    paid = entry(**changes)
    assert problems([paid]) == {1: why}


def test_a_void_of_what_may_have_expired_is_no_finding(
    office: Office, seven_years: list[LedgerEntry]
) -> None:
    next_day(office)
    office.run()
    office.delete(seven_years[2])
    office.clock.now += DAY_MS
    later = {"logged_at": NOW + 2 * DAY_MS, "amount_cents": 500, "voids": "pay_3"}
    office.log("void_3", **VOID | later)
    assert "IMPOSSIBLE" not in findings(office, "2025-11-26")


def problems(entries: list[LedgerEntry], *, may_be_gone: bool = False) -> dict[int, str]:
    """What reading the event again says of its entries, by number."""
    certificate = Certificate(through_seq=1) if may_be_gone else NOTHING_EXPIRES
    statement = Statement(DAY, ZONE.key, NOW, is_final=True)
    name_impossible(statement, Standing(certificate=certificate), entries, ZONE)
    return statement.account("sunset-charter").impossible


def test_an_entry_that_was_logged_before_one_that_it_follows_is_named(office: Office) -> None:
    office.log("pay_1")
    office.log("pay_2", logged_at=NOW - HOUR_MS)
    office.log("pay_3")
    assert impossible(office) == {2: meaning.BACK_DATED}
    next_day(office)
    assert named_within(office, SHARES) == [{"IMPOSSIBLE": ["sunset-charter #000002"]}]


@pytest.mark.parametrize("logged_at", [NOW + DAY_MS, 10**17])
def test_an_entry_of_another_day_than_it_was_logged_on_is_named(
    office: Office, logged_at: int
) -> None:
    forged = replace(office.log("pay_1"), logged_at=logged_at, expiration_timestamp=10**17)
    office.rewrite(replace(forged, hash=entry_hash(forged.to_row())))
    assert impossible(office) == {1: meaning.WRONG_DAY}

"""What a day's rows add up to, and which numbers are missing: rules only, no tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from functions.daily_statement.days import WrongDayError, due_days, requested_day
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.continuity import (
    MOST_NAMED,
    ChainEnd,
    continue_from,
    missing_numbers,
    numbers,
)
from functions.daily_statement.rules.record import statement_record
from shared.attributes import Foreign
from shared.ledger import Head, LedgerEntry, canonical_json, entry_hash
from tests.builders import NOW, ZONE, entry

DAY = "2025-11-24"
TODAY = date(2025, 11, 24)
YESTERDAY = "2025-11-23"


NO_DATES: list[Any] = [
    *("yesterday", "20251124", "2025-W48-1", "2025-02-30", "", "\0"),
    *(7, None, []),
]


def chain(*changes: dict[str, Any], event_id: str = "sunset-charter") -> list[LedgerEntry]:
    """Entries of one event, each linked to the one before."""
    links: list[LedgerEntry] = []
    head = Head()
    for number, change in enumerate(changes, 1):
        fields: dict[str, Any] = {
            "payment_id": f"pay_{event_id}_{number}",
            "event_id": event_id,
            "timestamp": NOW + number,
        }
        links.append(entry(head, **(fields | change)))
        head = Head(seq=links[-1].seq, hash=links[-1].hash)
    return links


def sent(*entries: LedgerEntry) -> dict[str, dict[str, Any]]:
    return {each.payment_id: {"state": "sent"} for each in entries}


def taken(*pages: list[LedgerEntry], deliveries: dict[str, dict[str, Any]] | None = None) -> Any:
    statement = Statement(DAY, ZONE.key, NOW, is_final=True)
    for page in pages:
        statement.add([each.to_row() for each in page], deliveries or sent(*page))
    judge(statement)
    return statement


def judge(statement: Statement) -> None:
    """As if the day were the first one, and the heads were right."""
    for account in statement.events:
        account.report(continue_from(ChainEnd(), account.links))
        last_seq, last_hash = account.last
        account.head = Head(seq=last_seq, hash=last_hash)


def void(of: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "void", "voids": of, "reason": "wrong_amount"} | changes


def refund(of: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "refund", "refunds": of, "reason": "goodwill"} | changes


def test_counts_and_totals_by_method_add_up_over_pages_and_events() -> None:
    sunset = chain(
        {"amount_cents": 10_000, "method": "cash"},
        {"amount_cents": 250, "method": "cash"},
        {"amount_cents": 99, "method": "ach"},
        void("pay_sunset-charter_1", amount_cents=10_000, method="cash"),
        refund("pay_sunset-charter_2", amount_cents=50, method="cash"),
        refund("pay_sunset-charter_3", amount_cents=9, method="check"),
    )
    regatta = chain({"amount_cents": 500, "method": "check"}, event_id="regatta")
    statement = taken(sunset[:2], sunset[2:], regatta)
    record = statement_record(statement)
    assert record["entries"] == 7
    assert record["timezone"] == "America/New_York"
    assert record["payments"] == {
        "count": 4,
        "cents": 10_849,
        "by_method": {
            "check": {"count": 1, "cents": 500},
            "cash": {"count": 2, "cents": 10_250},
            "ach": {"count": 1, "cents": 99},
        },
    }
    assert (record["voids"]["count"], record["voids"]["cents"]) == (1, 10_000)
    assert record["refunds"] == {
        "count": 2,
        "cents": 59,
        "by_method": {"cash": {"count": 1, "cents": 50}, "check": {"count": 1, "cents": 9}},
    }
    assert record["net_cents"] == 790
    assert record["net_by_method"] == {"ach": 99, "cash": 200, "check": 491}
    (admin,) = record["by_admin"]
    assert (admin["logged_by_name"], admin["net_cents"]) == ("Marina Castellanos", 790)
    first, second = record["events"]
    assert (first["event_id"], first["net_cents"]) == ("regatta", 500)
    assert (second["first_seq"], second["last_seq"], second["entries"]) == (1, 6, 6)
    assert (second["refunds"]["cents"], second["net_cents"]) == (59, 290)
    assert second["last_hash"] == sunset[-1].hash
    assert statement.findings == {}


def test_the_last_hash_is_of_the_highest_number_whatever_order_the_index_gives() -> None:
    first, second, third = chain({}, {}, {})
    statement = taken([third, first, second])
    assert statement.events[0].last == (3, third.hash)
    assert statement.events[0].first == 1


def test_unmailed_entries_are_named_with_state_and_error() -> None:
    first, second, third = chain({}, {}, {})
    failed = {"state": "failed", "last_error": {"code": "invalid_grant"}}
    deliveries = sent(first) | {second.payment_id: failed}
    statement = taken([first, second, third], deliveries=deliveries)
    assert statement.findings == {"NOT MAILED": ["2"]}
    assert statement_record(statement)["events"][0]["not_mailed_entries"] == [
        {
            "seq": 2,
            "payment_id": "pay_sunset-charter_2",
            "state": "retrying",
            "error": "invalid_grant",
        },
        {"seq": 3, "payment_id": "pay_sunset-charter_3", "state": "queued", "error": ""},
    ]


@pytest.mark.parametrize("error", ["text", Foreign("B"), [], None, {"code": None}])
def test_a_delivery_with_a_forged_error_is_stated_without_it(error: Any) -> None:
    (only,) = chain({})
    statement = taken([only], deliveries={only.payment_id: {"state": "x", "last_error": error}})
    (named,) = statement_record(statement)["events"][0]["not_mailed_entries"]
    assert (named["state"], named["error"]) == ("queued", "")


def test_thousands_of_unmailed_entries_are_counted_and_only_some_named() -> None:
    entries = chain(*({} for _ in range(MOST_NAMED + 7)))
    statement = taken(entries, deliveries={"none": {}})
    (event,) = statement_record(statement)["events"]
    assert event["not_mailed"] == MOST_NAMED + 7
    assert len(event["not_mailed_entries"]) == MOST_NAMED


@pytest.mark.parametrize(
    ("seen", "last", "missing"),
    [
        ([], 0, []),
        ([1, 2, 3], 3, []),
        ([3, 1], 3, [(2, 2)]),
        ([2], 3, [(1, 1), (3, 3)]),
        ([1, 2], 5, [(3, 5)]),
        ([1, 9, -4, 0], 4, [(2, 4)]),
        ([1], 10**37, [(2, 10**12)]),
        ([1, 2, 2, 1], 2, []),
        (range(1, 2_000, 2), 1_999, [(2 * n, 2 * n) for n in range(1, MOST_NAMED + 1)]),
    ],
)
def test_missing_numbers_come_as_ranges(seen: Any, last: int, missing: list[Any]) -> None:
    assert missing_numbers(seen, 1, last) == missing


def test_a_gap_is_named_by_event_and_number() -> None:
    statement = taken(chain({}, {}))
    statement.events[0].missing = [(1, 1), (7, 9)]
    assert statement.findings == {
        "GAP in": ["sunset-charter #000001", "sunset-charter #000007-#000009"]
    }
    assert numbers(12, 12) == "#000012"


def test_a_row_that_does_not_match_its_hash_is_altered() -> None:
    first, second = chain({}, {})
    statement = Statement(DAY, ZONE.key, NOW, is_final=True)
    rows = [first.to_row(), second.to_row() | {"amount_cents": 1}]
    statement.add(rows, sent(first, second))
    judge(statement)
    assert statement.findings == {"ALTERED": ["sunset-charter #000002"]}


def test_a_head_that_cannot_be_read_is_a_finding_of_its_own() -> None:
    statement = taken(chain({}, {}))
    statement.events[0].head = None
    assert statement.findings == {"HEAD UNREADABLE in": ["sunset-charter"]}


GOOD = chain({})[0].to_row()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({}, "seq is missing"),
        ({"payment_id": "pay_1"}, "amount_cents is missing"),
        (GOOD | {"amount_cents": "5"}, "amount_cents is not a whole number"),
        (GOOD | {"amount_cents": Decimal("1000.99")}, "amount_cents is not a whole number"),
        (GOOD | {"note": Foreign("B")}, "note is not text"),
        (GOOD | {"payment_id": ["pay_1"]}, "payment_id is not text"),
        (GOOD | {"kind": "gift"}, "kind is none that the ledger has"),
    ],
)
def test_a_row_that_is_not_an_entry_is_named_and_the_others_still_add_up(
    row: dict[str, Any], fault: str
) -> None:
    statement = taken(chain({}))
    statement.add([row], {})
    assert statement.findings == {"MALFORMED ROWS": ["1"]}
    assert statement.sums.entries == 1
    record = statement_record(statement)
    assert record["malformed_rows"] == 1
    (named,) = record["malformed"]
    assert fault in named["faults"]
    if row.get("PK"):
        assert (named["pk"], named["sk"]) == (row["PK"], str(row["SK"]))
    assert canonical_json(record)


def test_thousands_of_malformed_rows_are_counted_and_only_some_named() -> None:
    statement = taken()
    statement.add([{"PK": f"x#{n}", "SK": n} for n in range(MOST_NAMED + 7)], {})
    record = statement_record(statement)
    assert record["malformed_rows"] == MOST_NAMED + 7
    assert len(record["malformed"]) == MOST_NAMED


@pytest.mark.parametrize(
    "change",
    [
        {"extra": {1, 2}},
        {"extra": Foreign("B")},
        {"amount_cents": -1},
        {"reason": "a payment has none"},
        {"expiration_timestamp": NOW // 1000},
        {"SK": 1},
    ],
)
def test_a_row_with_what_no_entry_has_is_altered_not_a_crash(change: dict[str, Any]) -> None:
    (good,) = chain({})
    statement = taken()
    statement.add([good.to_row() | change], sent(good))
    judge(statement)
    assert statement.events[0].altered == [1]
    assert canonical_json(statement_record(statement))
    assert entry_hash(good.to_row()) == good.hash


@pytest.mark.parametrize("held", [{"expiration_timestamp": 9_999_999_999}, {}])
def test_a_row_on_legal_hold_is_as_it_was_written(held: dict[str, Any]) -> None:
    (good,) = chain({})
    row = {name: value for name, value in good.to_row().items() if name != "expiration_timestamp"}
    statement = taken()
    statement.add([row | held], sent(good))
    judge(statement)
    assert statement.events[0].altered == []


# ───────────────────────────────────────────────────────────────────────────────── which days


@pytest.mark.parametrize(
    ("last_sealed", "with_entries", "due"),
    [
        (None, [], [YESTERDAY]),
        (YESTERDAY, [], []),
        ("2025-11-20", [], ["2025-11-21", "2025-11-22", YESTERDAY]),
        ("2025-11-20", ["2025-11-01"], ["2025-11-21", "2025-11-22", YESTERDAY]),
        (None, ["2025-11-21"], ["2025-11-21", "2025-11-22", YESTERDAY]),
        (None, [YESTERDAY], [YESTERDAY]),
        (None, ["2025-10-01"], [YESTERDAY]),
    ],
)
def test_due_is_yesterday_and_what_was_missed_since_statements_began(
    last_sealed: str | None, with_entries: list[str], due: list[str]
) -> None:
    assert due_days(last_sealed, TODAY, with_entries.__contains__) == due


def test_days_missed_for_months_are_all_due() -> None:
    assert len(due_days("2025-01-01", TODAY, lambda _: False)) == 326


@pytest.mark.parametrize("day", [DAY, "2025-11-23", "2024-02-29"])
def test_a_day_can_be_asked_for_by_hand(day: str) -> None:
    assert requested_day({"day": day}, TODAY) == day


def test_without_a_day_the_schedule_decides() -> None:
    assert requested_day({"version": "0", "detail-type": "Scheduled Event"}, TODAY) is None


@pytest.mark.parametrize(
    ("event", "why"),
    [
        *(({"day": day}, "day must be a date such as 2026-11-24") for day in NO_DATES),
        ({"day": "2025-11-25"}, "2025-11-25 has not begun yet"),
        ({"day": "9999-12-31"}, "has not begun yet"),
        (["2025-11-24"], "must be a JSON object"),
        (None, "must be a JSON object"),
    ],
)
def test_a_day_that_can_have_no_statement_is_refused_with_the_reason(event: Any, why: str) -> None:
    with pytest.raises(WrongDayError, match=why):
        requested_day(event, TODAY)


def test_what_is_not_as_it_was_written_is_in_no_sum() -> None:
    """As in the CSV and in `scc reconcile`: nobody knows what was paid."""
    first, second = chain({"amount_cents": 100}, {"amount_cents": 200})
    statement = Statement(DAY, ZONE.key, NOW, is_final=True)
    rows = [first.to_row(), second.to_row() | {"amount_cents": 9_000}]
    statement.add(rows, sent(first, second))
    judge(statement)
    record = statement_record(statement)
    assert (record["entries"], record["net_cents"]) == (1, 100)
    assert record["by_admin"][0]["net_cents"] == 100
    (event,) = record["events"]
    assert (event["net_cents"], event["altered"], event["last_seq"]) == (100, [2], 2)

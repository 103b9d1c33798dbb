"""What is wrong with a day's ledger is a finding of its statement, and the rest is stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from functions.daily_statement.drawing_up import LOOKS, SHARES
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.record import standings_of
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.attributes import to_attributes
from shared.daybook import Daybook
from shared.ledger import GENESIS_HASH, Head, LedgerEntry
from tests.builders import NOW, entry
from tests.functions.daily_statement.conftest import DAY, DAY_MS, Office
from tests.suites import LONG, later

NEXT = "2025-11-25"


def findings(office: Office, day: str = DAY) -> dict[str, list[str]]:
    """What the statement of a day would find now."""
    last = office.evidence.latest()
    before = standings_of(office.evidence.heads(last)) if last else None
    statement: Statement = office.sealer().draughtsman.draw_up(day, before)[0]
    return statement.findings


def next_day(office: Office) -> None:
    """Seal what is due, and let a day pass."""
    office.run()
    office.clock.now += DAY_MS


@pytest.mark.parametrize("lost", [later(0), 1, later(2)])
def test_a_row_that_is_gone_is_a_gap_wherever_it_was(office: Office, lost: int) -> None:
    entries = [office.log(f"pay_{n}") for n in range(3)]
    office.delete(entries[lost])
    assert findings(office) == {"GAP in": [f"sunset-charter #00000{lost + 1}"]}
    office.run()
    assert office.stated()["events"][0]["missing"] == [[lost + 1, lost + 1]]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"amount_cents": {"N": "1000.99"}}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        later({"note": {"B": b"photo"}}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        later({"logged_at": {"N": f"{NOW}.5"}}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        later({"payment_id": {"L": [{"S": "pay_2"}]}}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        ({"logged_day": None}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        later({"seq": {"S": "2"}}, {"GAP in": 2, "MALFORMED ROWS": 1}),
        later({"surprise": {"B": b"photo"}}, {"ALTERED": 2}),
        ({"amount_cents": {"N": "1"}}, {"ALTERED": 2}),
        later({"expiration_timestamp": {"N": "1"}}, {"ALTERED": 2}),
    ],
)
def test_a_row_altered_by_hand_is_a_finding_and_the_other_rows_are_stated(
    office: Office, changes: dict[str, Any], wanted: dict[str, int]
) -> None:
    office.log("pay_1", amount_cents=100)
    office.rewrite(office.log("pay_2", amount_cents=100), **changes)
    office.log("pay_3", amount_cents=100)
    found = findings(office)
    assert found.keys() == wanted.keys()
    for kind in found.keys() - {"MALFORMED ROWS"}:
        assert found[kind] == ["sunset-charter #000002"]
    office.run()
    assert office.stated()["events"][0]["first_seq"] == 1
    assert office.stated()["payments"]["by_method"]["check"]["count"] >= 2


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"seq": {"S": "2"}}, {"HEAD UNREADABLE in": ["sunset-charter"]}),
        later({"seq": {"N": "2.5"}}, {"HEAD UNREADABLE in": ["sunset-charter"]}),
        later({"hash": {"B": b"x"}}, {"HEAD UNREADABLE in": ["sunset-charter"]}),
        ({"seq": {"N": "1"}}, {"REWRITTEN": ["sunset-charter"]}),
        later({"hash": {"S": GENESIS_HASH}}, {"REWRITTEN": ["sunset-charter"]}),
        ({"seq": {"N": "9" * 38}}, {"GAP in": ["sunset-charter #000003-#1000000000000"]}),
    ],
)
def test_a_forged_head_is_a_finding(
    office: Office, changes: dict[str, Any], finding: dict[str, list[str]]
) -> None:
    office.log("pay_1")
    office.log("pay_2")
    head = office.heads["sunset-charter"]
    item = to_attributes({"PK": "EVENT#sunset-charter", "seq": head.seq, "hash": head.hash})
    office.dynamodb.put_item(TableName=office.tables["Ledger"], Item=item | changes)
    assert findings(office) == finding


def rewrite_and_rechain(office: Office, entries: list[LedgerEntry]) -> None:
    """Change the first entry's amount and mend all hashes after it, the head's too."""
    head = Head()
    for number, each in enumerate(entries):
        amount = 1 if number == 0 else each.amount_cents
        forged = entry(
            head,
            payment_id=each.payment_id,
            timestamp=each.timestamp,
            logged_at=each.logged_at,
            amount_cents=amount,
        )
        office.put("Payments", forged.to_row())
        head = forged.as_head
    office.heads["sunset-charter"] = head
    office.put("Ledger", {"PK": "EVENT#sunset-charter", "seq": head.seq, "hash": head.hash})


def cut_the_tail(office: Office, entries: list[LedgerEntry]) -> None:
    office.delete(entries[-1])
    left = entries[-2]
    office.put("Ledger", {"PK": "EVENT#sunset-charter", "seq": left.seq, "hash": left.hash})


def delete_the_event(office: Office, entries: list[LedgerEntry]) -> None:
    for each in entries:
        office.delete(each)
    office.dynamodb.delete_item(
        TableName=office.tables["Ledger"], Key=to_attributes({"PK": "EVENT#sunset-charter"})
    )


@pytest.mark.parametrize(
    "forge", [rewrite_and_rechain, later(cut_the_tail), later(delete_the_event)]
)
@pytest.mark.parametrize("goes_on", [False, True])
def test_what_was_sealed_can_not_be_rewritten_unseen(
    office: Office, forge: Callable[[Office, list[LedgerEntry]], None], *, goes_on: bool
) -> None:
    """With everything mended, and whether or not the event goes on the next day."""
    entries = [office.log(f"pay_{n}") for n in range(3)]
    next_day(office)
    forge(office, entries)
    if goes_on and forge is rewrite_and_rechain:
        office.log("pay_9", logged_at=NOW + DAY_MS, timestamp=NOW + DAY_MS)
    assert findings(office, NEXT) == {"REWRITTEN": ["sunset-charter"]}
    office.run()
    assert office.stated(NEXT)["extends"]["holds"] is False
    assert office.stated(NEXT)["extends"]["rewritten"][0]["event_id"] == "sunset-charter"


def test_a_row_inserted_with_a_past_date_is_a_gap_of_today(office: Office) -> None:
    office.log("pay_1")
    next_day(office)
    office.log("pay_2", timestamp=NOW + 5)  # dated on the sealed day
    office.log("pay_3", logged_at=NOW + DAY_MS, timestamp=NOW + DAY_MS)
    assert findings(office, NEXT) == {"GAP in": ["sunset-charter #000002"]}


def test_an_old_row_edited_in_secret_is_found_within_thirty_days(office: Office) -> None:
    old = office.log("pay_1", amount_cents=100)
    next_day(office)
    office.rewrite(old, amount_cents={"N": "999"})
    found = [
        findings(
            office, f"2025-{11 + (25 + n > 30)}-{(25 + n) if 25 + n <= 30 else 25 + n - 30:02d}"
        )
        for n in range(SHARES)
    ]
    named = [each for each in found if each]
    assert named == [{"ALTERED": ["sunset-charter #000001"]}]


def test_a_row_without_a_day_is_named_when_its_event_is_read_again(office: Office) -> None:
    office.log("pay_1")
    office.rewrite(office.log("pay_2"), logged_day=None, logged_at=None)
    assert findings(office) == {"GAP in": ["sunset-charter #000002"], "MALFORMED ROWS": ["1"]}


def test_without_a_readable_head_a_gap_before_the_last_entry_is_still_named(
    office: Office,
) -> None:
    office.run()
    office.clock.now += DAY_MS
    late: dict[str, Any] = {"logged_at": NOW + DAY_MS}
    office.log("pay_1", **late)
    office.delete(office.log("pay_2", **late))
    office.log("pay_3", **late)
    office.dynamodb.delete_item(
        TableName=office.tables["Ledger"], Key=to_attributes({"PK": "EVENT#sunset-charter"})
    )
    found = findings(office, NEXT)
    assert found["GAP in"] == ["sunset-charter #000002"]
    assert found["REWRITTEN"] == ["sunset-charter"]


def test_entries_of_other_days_do_not_count_as_a_gap(office: Office) -> None:
    office.log("pay_1", logged_at=NOW - 4 * DAY_MS)
    office.log("pay_2")
    office.log("pay_3", logged_at=NOW + DAY_MS)
    office.run()
    event = office.stated()["events"][0]
    assert (event["first_seq"], event["last_seq"], event["head_seq"]) == (2, 2, 3)
    assert event["missing"] == []
    assert office.stated()["ledger"] == office.stated()["ledger"] | {"events": 1, "entries": 2}


def test_an_index_that_lags_behind_the_head_is_given_time(office: Office) -> None:
    office.log("pay_1")
    office.log("pay_2", logged_at=NOW + DAY_MS)
    looks: list[str] = []
    logged_on = Daybook.logged_on

    def lagging(daybook: Daybook, day: str) -> Any:
        looks.extend([day] if day == NEXT else [])
        return iter(()) if day == NEXT and len(looks) < LOOKS else logged_on(daybook, day)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Daybook, "logged_on", lagging)
        assert findings(office) == {}
    assert len(office.clock.pauses) == LOOKS - 1


def test_unmailed_entries_are_counted_and_named(office: Office) -> None:
    office.log("pay_1", mailed=False)
    office.log("pay_2")
    assert findings(office) == {"NOT MAILED": ["1"]}


@LONG
def test_a_statement_needs_few_reads_of_a_large_ledger(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day's entries, one head an event, and a thirtieth of the events whole."""
    for number in range(60):
        office.log(f"pay_{number}", event_id=f"event-{number}")
    next_day(office)
    read: list[str] = []
    of_event = LedgerRows.of_event

    def counted(rows: LedgerRows, event_id: str) -> Any:
        read.append(event_id)
        return of_event(rows, event_id)

    monkeypatch.setattr(LedgerRows, "of_event", counted)
    assert findings(office, NEXT) == {}
    assert len(read) <= 8


def of_ops(number: int, at: int) -> Mapping[str, Any]:
    return {"ops_id": f"ops_replay_{number}_done", "part": 0, "at": at, "action": "replay"}


def test_what_operators_did_that_day_is_stated_by_hash(office: Office) -> None:
    for number, at in enumerate((NOW - DAY_MS, NOW, NOW + DAY_MS)):
        office.put("OpsRecord", dict(of_ops(number, at)))
    office.put("OpsRecord", {"ops_id": "ops_replay_1_done", "part": 1, "messages": ["x"]})
    office.run()
    (named,) = office.stated()["ops"]
    assert named["ops_id"] == "ops_replay_1_done"
    assert len(named["sha256"]) == 64

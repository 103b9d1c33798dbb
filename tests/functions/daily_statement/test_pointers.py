"""An entry whose pointer does not lead to its row is a finding, once it was looked at again."""

from __future__ import annotations

from typing import Any

import pytest

from functions.daily_statement.drawing_up import SHARES
from functions.daily_statement.pointers import LOOKS
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.ledger import LedgerEntry
from tests.builders import NOW, entry
from tests.functions.daily_statement.conftest import Office
from tests.functions.daily_statement.test_findings import findings, next_day
from tests.functions.daily_statement.test_totals import named_within

SECOND = {"UNLINKED": ["sunset-charter #000002"]}


@pytest.fixture
def logged(office: Office) -> list[LedgerEntry]:
    return [office.log(f"pay_{n}") for n in (1, 2, 3)]


def test_a_pointer_that_is_gone_is_a_finding_of_the_day(
    office: Office, logged: list[LedgerEntry]
) -> None:
    assert findings(office) == {}
    assert office.clock.pauses == []
    office.unlink("pay_2")
    assert findings(office) == SECOND
    assert len(office.clock.pauses) == LOOKS - 1
    office.run()
    (event,) = office.stated()["events"]
    assert event["unlinked"] == [2]


@pytest.mark.parametrize(
    "place",
    [
        {"row_pk": "sunset-charter#lee@example.com", "row_sk": NOW + 1},
        {"row_pk": "sunset-charter#jane.doe@example.com", "row_sk": NOW + 2},
        {"row_pk": "sunset-charter#jane.doe@example.com", "row_sk": str(NOW + 1)},
        {"row_sk": NOW + 1},
        {},
    ],
)
def test_a_pointer_that_leads_elsewhere_is_a_finding(
    office: Office, logged: list[LedgerEntry], place: dict[str, Any]
) -> None:
    office.put("Ledger", {"PK": "PAYMENT#pay_2"} | place)
    assert findings(office) == SECOND


def test_an_old_pointer_that_is_gone_is_found_by_the_first_statement_and_within_thirty_days(
    office: Office, logged: list[LedgerEntry]
) -> None:
    office.unlink("pay_2")
    assert findings(office, "2025-11-25") == SECOND
    office.put("Ledger", {"PK": "PAYMENT#pay_2", "row_pk": logged[1].pk, "row_sk": NOW + 1})
    next_day(office)
    assert named_within(office, SHARES) == []
    office.unlink("pay_2")
    assert named_within(office, SHARES) == [SECOND]


@pytest.mark.parametrize("looks", range(1, LOOKS))
def test_a_pointer_that_is_seen_after_its_row_is_no_finding(
    office: Office, logged: list[LedgerEntry], monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    places, read = LedgerRows.places, list[list[str]]()

    def late(rows: LedgerRows, payment_ids: Any) -> Any:
        seen = places(rows, payment_ids)
        if payment_ids:
            read.append([*payment_ids])
            if len(read) <= looks:
                del seen["pay_2"]
        return seen

    monkeypatch.setattr(LedgerRows, "places", late)
    assert findings(office) == {}
    assert read == [["pay_1", "pay_2", "pay_3"], *[["pay_2"]] * looks]


def test_a_row_that_is_altered_has_that_finding_only(
    office: Office, logged: list[LedgerEntry]
) -> None:
    office.put("AuditDeliveries", {"payment_id": "pay_7", "state": "sent"})
    office.rewrite(logged[1], payment_id={"S": "pay_7"})
    assert findings(office) == {"ALTERED": ["sunset-charter #000002"]}


def test_one_id_under_two_numbers_is_found_for_the_row_that_its_pointer_does_not_lead_to(
    office: Office, logged: list[LedgerEntry]
) -> None:
    office.log("pay_1", timestamp=NOW + 9)
    assert findings(office) == {"UNLINKED": ["sunset-charter #000001"]}


@pytest.mark.parametrize("payment_id", ["", "x" * 2_048])
def test_an_id_that_can_be_no_key_has_no_pointer(office: Office, payment_id: str) -> None:
    written = entry(payment_id=payment_id, timestamp=NOW)
    office.put("Payments", written.to_row())
    totals = {"payments_count": 1, "total_cents": 12_500, "check_cents": 12_500}
    head = {"PK": "EVENT#sunset-charter", "seq": 1, "hash": written.hash}
    office.put("Ledger", head | totals)
    assert findings(office)["UNLINKED"] == ["sunset-charter #000001"]


def test_what_expired_needs_no_pointer_and_what_a_hold_keeps_needs_one(
    office: Office, seven_years: list[LedgerEntry]
) -> None:
    office.run()
    office.delete(seven_years[0])
    assert named_within(office, SHARES) == []
    office.unlink("pay_1")
    assert named_within(office, SHARES) == []
    office.unlink("pay_2")
    assert named_within(office, SHARES) == [SECOND]

"""Entries that reach their seven years: certified before they go, calm once they are gone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.ledger import LedgerEntry
from shared.statements.expiry import NOTICE, RETENTION
from tests.builders import ZONE
from tests.functions.daily_statement.conftest import DAY, DAY_MS, Office
from tests.functions.daily_statement.test_findings import findings
from tests.seven_years import at_noon
from tests.suites import LONG, later

TODAY = date.fromisoformat(DAY)


def test_entries_are_certified_thirty_days_before_they_may_go(
    office: Office, seven_years: list[LedgerEntry]
) -> None:
    office.run()
    assert office.stated()["expiring"] == [
        {
            "event_id": "sunset-charter",
            "through_seq": 2,
            "hash": seven_years[1].hash,
            "count": 2,
            "payments_count": 0,
            "net_by_method": {"cash": 0},
            "net_cents": 0,
        }
    ]
    office.clock.now += DAY_MS
    office.run()
    (next_one,) = office.stated("2025-11-25")["expiring"]
    assert (next_one["through_seq"], next_one["net_by_method"]) == (3, {"cash": 0, "check": 500})
    office.clock.now += DAY_MS
    office.run()
    assert office.stated("2025-11-26")["expiring"] == []


@pytest.mark.parametrize("order", [later((0, 1)), (1, 0), later((1,)), later((0,))])
def test_certified_entries_may_go_in_any_order(
    office: Office, seven_years: list[LedgerEntry], order: tuple[int, ...]
) -> None:
    office.run()
    for each in order:
        office.delete(seven_years[each])
    office.clock.now += DAY_MS
    days = [(TODAY + timedelta(1 + n)).isoformat() for n in range(30)]
    assert [findings(office, each) for each in days] == [{}] * 30


def test_an_entry_that_went_without_a_certificate_is_a_gap(
    office: Office, seven_years: list[LedgerEntry]
) -> None:
    office.run()
    office.delete(seven_years[2])
    office.clock.now += DAY_MS
    days = [(TODAY + timedelta(1 + n)).isoformat() for n in range(30)]
    named = [each for each in (findings(office, day) for day in days) if each]
    assert named == [{"GAP in": ["sunset-charter #000003"]}]


def test_an_altered_entry_is_not_certified(office: Office, seven_years: list[LedgerEntry]) -> None:
    office.rewrite(seven_years[1], amount_cents={"N": "1"})
    office.run()
    (certificate,) = office.stated()["expiring"]
    assert certificate["through_seq"] == 1
    assert office.stated()["events"][0]["altered"] == [2]


@LONG
def test_an_altered_entry_that_is_put_back_is_certified_within_the_notice(
    office: Office, seven_years: list[LedgerEntry]
) -> None:
    """Or all that follow it would be missing once they expire."""
    office.rewrite(seven_years[1], amount_cents={"N": "1"})
    office.run()
    office.rewrite(seven_years[1])
    certified = []
    for number in range(1, 31):
        office.clock.now += DAY_MS
        office.run()
        record = office.stated((TODAY + timedelta(number)).isoformat())
        certified += [each["through_seq"] for each in record["expiring"]]
    assert certified == [3]


def test_running_totals_keep_what_expired(office: Office, seven_years: list[LedgerEntry]) -> None:
    office.run()
    for each in seven_years[:2]:
        office.delete(each)
    office.clock.now += DAY_MS
    office.run()
    assert office.stated("2025-11-25")["ledger"]["entries"] == 4


def test_the_days_are_business_days() -> None:
    assert datetime.fromtimestamp(at_noon(TODAY) / 1000, UTC).astimezone(ZONE).date() == TODAY
    assert RETENTION.days - NOTICE.days == 2_525

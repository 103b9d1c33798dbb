"""What a bookkeeper should look at, though nothing is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOW
from tests.functions.daily_statement.conftest import Office

HOUR = 3_600_000
TWICE: dict[str, Any] = {"kind": "void", "reason": "entered_twice"}
CASH: dict[str, Any] = {"method": "cash", "amount_cents": 20_000}


def kinds(office: Office) -> list[tuple[str, int]]:
    office.run()
    return [(each["kind"], each["seq"]) for each in office.stated()["notable"]]


def test_cash_that_its_own_taker_voids_is_named(office: Office) -> None:
    office.log("pay_1", **CASH)
    office.log("pay_2", **CASH, kind="void", voids="pay_1", reason="other")
    assert kinds(office) == [("self_voided_cash", 2)]
    (named,) = office.stated()["notable"]
    assert (named["about"], named["amount_cents"]) == ("pay_1", 20_000)


def test_cash_that_another_admin_voids_is_not_named(office: Office) -> None:
    office.log("pay_1", **CASH)
    other: dict[str, Any] = {"logged_by": "other@shipcaptaincrew.example"}
    office.log("pay_2", **CASH, **other, kind="void", voids="pay_1", reason="other")
    assert kinds(office) == []


@pytest.mark.parametrize(
    ("twin", "named"),
    [
        ({}, []),
        ({"amount_cents": 1}, [("entered_twice_without_twin", 3)]),
        ({"patron_email": "lee@example.com"}, [("entered_twice_without_twin", 3)]),
    ],
)
def test_entered_twice_without_another_like_it_is_named(
    office: Office, twin: dict[str, Any], named: list[tuple[str, int]]
) -> None:
    office.log("pay_1")
    office.log("pay_2", **twin)
    office.log("pay_3", voids="pay_1", **TWICE)
    assert kinds(office) == named


def test_a_payment_captured_over_an_hour_before_is_named(office: Office) -> None:
    office.log("pay_1", timestamp=NOW - HOUR)
    office.log("pay_2", timestamp=NOW - HOUR - 1)
    office.log("pay_3", timestamp=NOW - 2 * HOUR, corrects="pay_9")
    assert kinds(office) == [("captured_late", 2)]


def test_an_acknowledged_duplicate_is_named(office: Office) -> None:
    office.log("pay_1")
    office.log("pay_2", acknowledged_duplicates=("pay_1",))
    assert kinds(office) == [("acknowledged_duplicates", 2)]


@pytest.mark.parametrize(("limit", "named"), [(0, []), (20_000, []), (19_999, [("large_cash", 1)])])
def test_cash_over_the_limit_is_named(
    office: Office, limit: int, named: list[tuple[str, int]]
) -> None:
    office.cash_over_cents = limit
    office.log("pay_1", **CASH)
    office.log("pay_2", method="check", amount_cents=20_000)
    assert kinds(office) == named

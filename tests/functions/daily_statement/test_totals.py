"""A head whose running totals were changed is a finding; totals that nobody can know are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.daily_statement.drawing_up import SHARES
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.record import standings_of
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.ledger import LedgerEntry
from tests.builders import NOW
from tests.functions.daily_statement.conftest import DAY, DAY_MS, Office, logged_on
from tests.functions.daily_statement.test_findings import NEXT, findings, next_day
from tests.suites import later

TOTALS = {"TOTALS in": ["sunset-charter"]}
LATE: dict[str, Any] = {"logged_at": NOW + DAY_MS}


def log_some(office: Office, **changes: Any) -> None:
    """A payment that is voided and corrected, and another one."""
    void: dict[str, Any] = {"kind": "void", "voids": "pay_1", "reason": "wrong_amount"}
    office.log("pay_1", amount_cents=10_000, method="cash", **changes)
    office.log("pay_2", amount_cents=10_000, method="cash", **void, **changes)
    office.log("pay_3", amount_cents=1_000, method="cash", corrects="pay_1", **changes)
    office.log("pay_4", amount_cents=250, **changes)


@pytest.mark.parametrize("is_first", [True, False])
def test_totals_changed_on_the_day_are_a_finding_after_a_void_and_a_correction(
    office: Office, *, is_first: bool
) -> None:
    if not is_first:
        next_day(office)
    day = DAY if is_first else NEXT
    log_some(office, **({} if is_first else LATE))
    assert findings(office, day) == {}
    office.put_head(cash_cents=0, total_cents=250)
    assert findings(office, day) == TOTALS
    office.run()
    (event,) = office.stated(day)["events"]
    assert event["totals_differ"] == (
        "cash is $0.00 in its head, and $10.00 by its entries; "
        "collected is $2.50 in its head, and $12.50 by its entries"
    )


def test_an_event_without_entries_on_the_day_is_named_until_its_totals_are_put_right(
    office: Office,
) -> None:
    log_some(office)
    next_day(office)
    office.put_head(payments_count=9)
    assert findings(office, NEXT) == TOTALS
    next_day(office)
    (event,) = office.stated(NEXT)["events"]
    assert (event["entries"], event["head_seq"]) == (0, 4)
    assert event["head_hash"] == office.heads["sunset-charter"].hash
    assert findings(office, "2025-11-26") == TOTALS
    office.put_head()
    assert findings(office, "2025-11-26") == {}


def test_totals_go_on_from_day_to_day(office: Office) -> None:
    log_some(office)
    next_day(office)
    office.log("pay_5", method="cash", amount_cents=5, **LATE)
    next_day(office)
    last = office.evidence.latest()
    assert last is not None
    kept = office.evidence.heads(last)["events"]["sunset-charter"]
    assert kept["net_by_method"] == {"cash": 1_005, "check": 250}
    assert kept["payments_count"] == 3
    assert findings(office, "2025-11-26") == {}


def test_a_statement_so_far_names_totals(office: Office) -> None:
    office.clock.now = NOW
    log_some(office)
    office.put_head(total_cents=1)
    assert office.run({"day": DAY})[DAY] == "so_far"
    (so_far,) = (each for each in office.handed_over() if not each.final)
    assert office.content(so_far)["events"][0]["totals_differ"].startswith("collected is $0.01")


def test_while_a_row_is_altered_totals_are_not_compared_and_once_it_is_right_they_are(
    office: Office,
) -> None:
    altered = office.log("pay_1", amount_cents=100)
    office.log("pay_2", amount_cents=100)
    office.rewrite(altered, amount_cents={"N": "1"})
    office.put_head(total_cents=101)
    assert findings(office) == {"ALTERED": ["sunset-charter #000001"]}
    next_day(office)
    office.rewrite(altered)
    assert named_within(office, SHARES) == [TOTALS]


def test_an_old_row_altered_hides_no_changed_total(office: Office) -> None:
    """What was sealed says what it was."""
    old = office.log("pay_1", amount_cents=100)
    next_day(office)
    office.rewrite(old, amount_cents={"N": "1"})
    office.put_head(total_cents=1)
    altered = {"ALTERED": ["sunset-charter #000001"]}
    named = named_within(office, SHARES)
    assert named.count(TOTALS) == SHARES - 1
    assert altered | TOTALS in named


def test_a_lost_row_is_a_gap_and_its_event_has_no_totals(office: Office) -> None:
    office.log("pay_1", amount_cents=100)
    office.delete(office.log("pay_2", amount_cents=100))
    office.log("pay_3", amount_cents=100)
    office.put_head(total_cents=200)
    assert findings(office) == {"GAP in": ["sunset-charter #000002"]}
    office.run()
    last = office.evidence.latest()
    assert last is not None
    assert "payments_count" not in office.evidence.heads(last)["events"]["sunset-charter"]


def named_within(office: Office, days: int, *, known: bool = True) -> list[dict[str, list[str]]]:
    """What the statements of so many days after DAY would find.

    known: the totals are in the list of heads.
    """
    last = office.evidence.latest()
    assert last is not None
    before = standings_of(office.evidence.heads(last))
    if not known:
        before = {name: replace(each, totals=None) for name, each in before.items()}
    draughtsman = office.sealer().draughtsman
    found = [
        draughtsman.draw_up((date.fromisoformat(DAY) + timedelta(1 + n)).isoformat(), before)[0]
        for n in range(days)
    ]
    return [each.findings for each in found if each.findings]


@pytest.mark.parametrize("is_changed", [True, *map(later, [False])])
def test_after_a_list_of_heads_without_totals_they_are_added_up_within_thirty_days(
    office: Office, *, is_changed: bool
) -> None:
    log_some(office)
    next_day(office)
    if is_changed:
        office.put_head(total_cents=1)
    assert named_within(office, SHARES, known=False) == ([TOTALS] if is_changed else [])


@pytest.mark.parametrize("known", [True, *map(later, [False])])
def test_totals_keep_money_that_expired(
    office: Office, seven_years: list[LedgerEntry], *, known: bool
) -> None:
    logged_on(office, "pay_5", date.fromisoformat(DAY), amount_cents=7)
    office.run()
    for each in seven_years[:2]:
        office.delete(each)
    assert named_within(office, SHARES, known=known) == []
    office.put_head(total_cents=office.totals["sunset-charter"]["total_cents"] - 500)
    assert named_within(office, SHARES, known=known) == [TOTALS] * (SHARES if known else 1)


def drawn_up_while(
    office: Office, patched: pytest.MonkeyPatch, during: Callable[[str], None], day: str
) -> Statement:
    """during: is called before and after the heads are read."""
    heads = LedgerRows.heads

    def meanwhile(rows: LedgerRows, event_ids: Any) -> Any:
        during("before")
        read = heads(rows, event_ids)
        during("after")
        return read

    last = office.evidence.latest()
    before = standings_of(office.evidence.heads(last)) if last else None
    with patched.context() as patch:
        patch.setattr(LedgerRows, "heads", meanwhile)
        return office.sealer().draughtsman.draw_up(day, before)[0]


@pytest.mark.parametrize("moment", [later("before"), "after"])
@pytest.mark.parametrize("is_over", [True, False])
def test_a_head_that_moves_on_meanwhile_is_no_finding(
    office: Office, monkeypatch: pytest.MonkeyPatch, moment: str, *, is_over: bool
) -> None:
    log_some(office)
    office.clock.now = NOW + DAY_MS if is_over else NOW

    def log_one_more(now: str) -> None:
        if now == moment:
            office.log("pay_9", logged_at=office.clock.now, amount_cents=1)

    assert drawn_up_while(office, monkeypatch, log_one_more, DAY).findings == {}
    assert findings(office) == {}


def test_totals_changed_before_a_head_that_moves_on_are_named(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_some(office)

    def log_one_more(now: str) -> None:
        if now == "before":
            office.totals["sunset-charter"]["total_cents"] = 0
            office.log("pay_9", logged_at=office.clock.now, amount_cents=1)

    assert drawn_up_while(office, monkeypatch, log_one_more, DAY).findings == TOTALS

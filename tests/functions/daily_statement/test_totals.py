"""A head whose running totals were changed is a finding; totals that nobody can know are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.daily_statement.drawing_up import SHARES
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.continuity import BEFORE_THE_FIRST, ChainEnd, Link
from functions.daily_statement.rules.heads import EventHead
from functions.daily_statement.rules.record import Standing, heads_record, standings_of
from functions.daily_statement.rules.totals import (
    MOST_DIFFERENCES,
    NO_ENTRIES,
    Totals,
    totals_differ,
)
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.attributes import Foreign
from shared.ledger import Head, LedgerEntry
from tests.builders import NOW
from tests.functions.daily_statement.conftest import DAY, DAY_MS, Office
from tests.functions.daily_statement.test_expiry import logged_on, seven_years
from tests.functions.daily_statement.test_findings import NEXT, findings, next_day
from tests.seven_years import follow

__all__ = ["seven_years"]  # a fixture

TOTALS = {"TOTALS in": ["sunset-charter"]}
LATE: dict[str, Any] = {"logged_at": NOW + DAY_MS}


# ─────────────────────────────────────────────────────────────────────────────────── the rule


def links(*changes: dict[str, Any]) -> list[Link]:
    entries = follow(
        "sunset-charter", [{"logged_at": NOW + n} | each for n, each in enumerate(changes)]
    )
    return [Link.of(each, each.to_row()) for each in entries]


VOID = {"kind": "void", "voids": "pay_" + "0" * 31 + "1", "reason": "other"}
OF_THREE = links(
    {"amount_cents": 10_000, "method": "cash"},
    {"amount_cents": 10_000, "method": "cash"} | VOID,
    {"amount_cents": 250, "method": "check"},
)
RIGHT: dict[str, Any] = {
    "payments_count": 1, "total_cents": 250, "cash_cents": 0, "check_cents": 250,
}  # fmt: skip


def differ(
    changes: Mapping[str, Any] | None = None,
    *,
    totals: Totals | None = NO_ENTRIES,
    later: Sequence[Link] = OF_THREE,
    number: int = 3,
) -> str:
    """What a head with the number of these entries says unlike them, from the first on."""
    head = Head(seq=number, hash=OF_THREE[number - 1].hash)
    said = {
        name: value for name, value in (RIGHT | {**(changes or {})}).items() if value is not None
    }
    return totals_differ(totals, BEFORE_THE_FIRST, later, EventHead(last=head, totals=said))


def test_totals_that_agree_say_nothing() -> None:
    assert differ() == ""
    assert differ({"cash_cents": None}) == ""  # nothing is as good as nil
    assert differ({"ach_cents": 0}) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"total_cents": 1}, "collected is $0.01 in its head, and $2.50 by its entries"),
        ({"check_cents": None}, "check is $0.00 in its head, and $2.50 by its entries"),
        ({"payments_count": 2}, "the number of payments is 2 in its head, and 1 by its entries"),
        ({"ach_cents": 5}, "ACH is $0.05 in its head, and $0.00 by its entries"),
        ({"gift_cents": 5}, "gift is $0.05 in its head, and $0.00 by its entries"),
        ({"total_cents": "250"}, "collected is not a whole number in its head"),
        ({"total_cents": Decimal("250.5")}, "collected is not a whole number in its head"),
        ({"cash_cents": Foreign("B")}, "cash is not a whole number in its head"),
    ],
)
def test_each_total_that_differs_is_told_with_both_amounts(
    changes: dict[str, Any], words: str
) -> None:
    assert differ(changes) == words


def test_a_head_full_of_strange_totals_is_told_in_short() -> None:
    told = differ({f"{'x' * 500}{n}_cents": 1 for n in range(1_000)}).split("; ")
    assert len(told) == MOST_DIFFERENCES + 1
    assert told[-1] == f"and {1_000 - MOST_DIFFERENCES} more"
    assert max(map(len, told)) < 120


def test_what_is_newer_than_the_head_is_not_in_its_totals() -> None:
    before = {"payments_count": 0, "total_cents": 0, "check_cents": 0}
    assert differ(before, number=2) == ""
    assert differ(number=2) != ""


@pytest.mark.parametrize(
    "later",
    [
        OF_THREE[:2],
        OF_THREE[1:],
        [*OF_THREE, OF_THREE[1]],
        [OF_THREE[0], replace(OF_THREE[1], is_sound=False), OF_THREE[2]],
        [OF_THREE[0], replace(OF_THREE[1], prev_hash="0" * 64), OF_THREE[2]],
        [*OF_THREE[:2], replace(OF_THREE[2], hash="0" * 64)],
    ],
    ids=["tail gone", "first gone", "a number twice", "altered", "broken", "another end"],
)
def test_totals_are_compared_only_with_a_whole_chain_up_to_the_head(later: list[Link]) -> None:
    assert differ({"total_cents": 1}, later=later) == ""


def test_totals_that_are_not_known_are_not_compared() -> None:
    assert differ({"total_cents": 1}, totals=None) == ""
    unreadable = EventHead(last=None, totals={"total_cents": 1})
    assert totals_differ(NO_ENTRIES, BEFORE_THE_FIRST, OF_THREE, unreadable) == ""


@pytest.mark.parametrize("totals", [None, NO_ENTRIES, NO_ENTRIES.plus(OF_THREE)])
def test_a_list_of_heads_keeps_the_totals_that_are_known(totals: Totals | None) -> None:
    standings = {"sunset-charter": Standing(end=ChainEnd(seq=3, hash="a" * 64), totals=totals)}
    assert standings_of(heads_record(DAY, standings)) == standings


# ────────────────────────────────────────────────────────────────────────────── in a statement


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


@pytest.mark.parametrize("is_changed", [True, False])
def test_after_a_list_of_heads_without_totals_they_are_added_up_within_thirty_days(
    office: Office, *, is_changed: bool
) -> None:
    log_some(office)
    next_day(office)
    if is_changed:
        office.put_head(total_cents=1)
    assert named_within(office, SHARES, known=False) == ([TOTALS] if is_changed else [])


@pytest.mark.parametrize("known", [True, False])
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


@pytest.mark.parametrize("moment", ["before", "after"])
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

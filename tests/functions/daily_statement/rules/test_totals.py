"""What a head says unlike its entries, and when nobody can tell: rules only, no tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.daily_statement.rules.continuity import BEFORE_THE_FIRST, ChainEnd, Link
from functions.daily_statement.rules.heads import EventHead
from functions.daily_statement.rules.record import Standing, heads_record, standings_of
from functions.daily_statement.rules.totals import (
    MOST_DIFFERENCES,
    NO_ENTRIES,
    Totals,
    totals_differ,
)
from shared.attributes import Foreign
from shared.ledger import Head
from tests.builders import NOW
from tests.functions.daily_statement.conftest import DAY
from tests.seven_years import follow


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

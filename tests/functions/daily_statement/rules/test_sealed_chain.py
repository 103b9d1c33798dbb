"""Which sealed statements are read tonight, and whether each is the one that the next one names."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from functions.daily_statement.rules.sealed_chain import (
    NEWEST,
    SHARES,
    Kept,
    SealedChain,
    days_until,
    runs_of_night,
)
from tests.functions.daily_statement.conftest import DAY

EIGHT_YEARS = days_until(DAY, 2_920)
WEEK = days_until(DAY, 7)


def nights(count: int = SHARES) -> list[str]:
    first = date.fromisoformat(DAY) + timedelta(1)
    return [(first + timedelta(each)).isoformat() for each in range(count)]


def named_in(kept: dict[str, Kept], *, unsigned: set[str] | None = None) -> list[str]:
    """What is found in the week. unsigned: days whose signature is none of ours."""
    chain = SealedChain(read=kept.get, is_signed=lambda day: day not in (unsigned or set()))
    return sorted(chain.exchanged([WEEK]))


@pytest.fixture
def kept() -> dict[str, Kept]:
    """A week as it was sealed; hashes are the days' own names."""
    before = {day: (earlier, earlier) for earlier, day in pairwise(WEEK)}
    return {day: Kept(sha256=day, names=before.get(day)) for day in WEEK}


def test_every_pair_of_days_is_read_within_thirty_nights_and_few_a_night() -> None:
    read = [runs_of_night(EIGHT_YEARS, night) for night in nights()]
    pairs = {pair for runs in read for run in runs for pair in pairwise(run)}
    assert pairs == {*pairwise(EIGHT_YEARS)}
    assert max(sum(map(len, runs)) for runs in read) < 130
    assert all(runs[0] == EIGHT_YEARS[-NEWEST:] for runs in read)


def test_before_the_first_there_is_nothing_to_read() -> None:
    assert runs_of_night([], DAY) == []
    assert days_until(DAY, 1) == [DAY]


def test_what_is_as_it_was_sealed_is_no_finding(kept: dict[str, Kept]) -> None:
    assert named_in(kept, unsigned={*WEEK[:-1]}) == []


def test_a_statement_that_the_next_one_does_not_name_was_exchanged(kept: dict[str, Kept]) -> None:
    kept[WEEK[3]] = Kept(sha256="another", names=kept[WEEK[3]].names)
    assert named_in(kept) == [WEEK[3]]


def test_what_a_forged_statement_names_accuses_no_other(kept: dict[str, Kept]) -> None:
    kept[WEEK[3]] = Kept(sha256="another", names=(WEEK[2], "forged"))
    assert named_in(kept) == [WEEK[3]]


def test_below_a_forged_or_missing_one_the_signature_decides(kept: dict[str, Kept]) -> None:
    kept[WEEK[3]], kept[WEEK[2]] = Kept(), Kept()
    assert named_in(kept, unsigned={WEEK[2]}) == WEEK[2:4]
    del kept[WEEK[3]]
    assert named_in(kept, unsigned={WEEK[2]}) == [WEEK[2]]


@pytest.mark.parametrize("previous", [None, "x", {}, {"day": 1, "sha256": "x"}])
def test_whatever_a_forged_statement_says_is_read(previous: object) -> None:
    assert Kept.of("x", {"previous": previous}) == Kept(sha256="x")

"""What a certificate may cover: only what hangs in the chain that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from functions.daily_statement.rules.certificates import extended
from functions.daily_statement.rules.continuity import ChainEnd, Link
from shared.ledger import LedgerEntry
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from tests.seven_years import LAST_DAY, follow, voyage

END = ChainEnd(seq=5, hash=voyage()[-1].hash)


def through(entries: Sequence[LedgerEntry], end: ChainEnd = END) -> int:
    return made(entries, end).through_seq


def made(entries: Sequence[LedgerEntry], end: ChainEnd = END) -> Certificate:
    links = [Link.of(each, each.to_row()) for each in entries]
    return extended(NOTHING_EXPIRES, links, LAST_DAY.isoformat(), end)


def test_entries_that_are_old_enough_are_certified() -> None:
    assert through(voyage()) == 3
    assert (made(voyage()).net_by_method, made(voyage()).payments_count) == (
        {"cash": 0, "check": 500}, 1,
    )  # fmt: skip


def forged() -> list[LedgerEntry]:
    """Three entries that claim to be old enough, and hang together."""
    old = [each.logged_at for each in voyage()[:3]]
    return follow("sunset-charter", [{"amount_cents": 1, "logged_at": each} for each in old])


def test_a_row_put_beside_the_genuine_one_certifies_nothing() -> None:
    assert through([forged()[0], *voyage()]) == 0
    assert through([*voyage()[:2], forged()[2], *voyage()[2:]]) == 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_rows_put_in_the_place_of_genuine_ones_certify_nothing(count: int) -> None:
    assert through([*forged()[:count], *voyage()[count:]]) == 0
    assert through(forged()[:count], replace(END, seq=count)) == 0


def test_what_the_statement_names_anyway_stops_no_certificate() -> None:
    """Or one lost entry would make all that are older than it missing, once they expire."""
    entries = voyage()
    assert through([*entries[:3], entries[4]]) == 3
    altered = replace(entries[3], amount_cents=1)
    assert through([*entries[:3], altered, entries[4]]) == 3
    assert through([entries[0], *entries[2:]]) == 1


def test_an_event_of_one_entry_is_certified_by_its_sealed_end() -> None:
    (only,) = follow("sunset-charter", [{"logged_at": voyage()[0].logged_at}])
    assert through([only], ChainEnd(seq=1, hash=only.hash)) == 1
    assert through([only], ChainEnd(seq=1, hash="0" * 64)) == 0

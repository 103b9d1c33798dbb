"""What `scc verify` finds in rows, heads, pointers and marks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from shared.attributes import Foreign
from tests.builders import NOW
from tests.ops.mailboxes import chain, voided
from tests.ops.rules.verify.world import World

SEVEN_YEARS = 2_555 * 24 * 3_600_000  # milliseconds


@pytest.fixture
def world() -> World:
    entries = chain(3)
    return World([*entries, voided(entries[0], entries[2])])


def test_what_the_api_writes_is_found_intact(world: World) -> None:
    assert world.found() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"total_cents": 1}, "collected is $0.01, its entries add up to $2,400.05"),
        ({"payments_count": 3}, "the number of payments is 3, its entries add up to 2"),
        ({"cash_cents": 100}, "cash is $1.00, its entries add up to $0.00"),
        ({"last_logged_at": NOW + 9}, "last_logged_at"),
    ],
)
def test_a_heads_totals_must_be_what_its_entries_add_up_to(
    world: World, change: Mapping[str, Any], says: str
) -> None:
    world.head |= change
    (found,) = world.proof().ledger
    assert found.kind == "wrong-totals"
    assert says in found.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seq": "4"}, "seq is not a number"),
        ({"seq": Decimal("3.5")}, "seq is not a number"),
        ({"hash": Foreign("B")}, "hash is not text"),
        ({"check_cents": Decimal("0.5")}, "check_cents is not a whole number"),
        ({"bonus": 1}, "bonus is no attribute of a head"),
    ],
)
def test_a_head_that_no_program_of_ours_wrote_is_named_and_its_rows_are_checked(
    world: World, change: Mapping[str, Any], says: str
) -> None:
    world.head |= change
    world.rows[1]["note"] = "altered"
    first, second = world.proof().ledger
    assert (first.kind, second.kind, second.seq) == ("unreadable", "altered", 2)
    assert says in first.detail


def test_totals_that_cannot_be_compared_are_not_passed_over_in_silence(world: World) -> None:
    world.head["total_cents"] = 1
    assert world.proof().totals_compared
    world.rows[1]["amount_cents"] = 1
    proof = world.proof()
    assert [each.kind for each in proof.ledger] == ["altered"]
    assert not proof.totals_compared
    del world.rows[1]
    assert not world.proof().totals_compared


def test_a_head_that_is_gone_is_named_while_its_rows_are_there(world: World) -> None:
    world.head = {}
    assert world.found() == [("missing-head", 0)]


def test_a_row_without_a_number_is_named_by_its_place(world: World) -> None:
    del world.rows[3]["seq"]
    found = world.proof().ledger
    assert [each.kind for each in found] == ["missing", "unreadable"]
    assert "the row at 'sunset-charter#jane.doe@example.com'" in found[1].detail


def test_pointers_and_marks_must_lead_to_their_rows(world: World) -> None:
    first, *_, void = world.rows
    world.places.places[first["payment_id"]] = ("elsewhere", 1)
    assert world.found() == [("unlinked", 1)]
    del world.places.places[first["payment_id"]]
    assert world.found() == [("unlinked", 1)]
    world.places.places[first["payment_id"]] = (first["PK"], first["SK"])
    world.places.marks.clear()
    assert world.found() == [("unlinked", 4)]
    world.places.marks |= {first["payment_id"]: void["payment_id"]}
    world.places.marks[world.rows[1]["payment_id"]] = "pay_nowhere"
    assert world.found() == [("unlinked", 2)]


def test_an_entry_of_which_only_the_pointer_is_left_is_missing(world: World) -> None:
    world.places.places["pay_gone"] = ("sunset-charter#jane.doe@example.com", 1)
    (found,) = world.proof().ledger
    assert (found.kind, found.payment_id) == ("missing", "pay_gone")


def test_a_gap_of_very_old_entries_says_that_retention_may_have_made_it() -> None:
    world = World(chain(3))
    gone = world.rows.pop(0)
    del world.places.places[gone["payment_id"]]
    (found,) = world.proof(now=NOW + 1).ledger
    assert (found.kind, found.detail) == ("missing", "")
    (found,) = world.proof(now=NOW + SEVEN_YEARS).ledger
    assert "retention" in found.detail

"""What the watch keeps of its round, whatever is in the table: moto's AuditDeliveries."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.audit_mailer.watch.sightings import MOST_OPEN, Round, Sightings
from shared import keys
from tests.functions.audit_mailer.watch.watching import fill_up
from tests.functions.audit_mailer.world import World


@pytest.fixture
def sightings(world: World) -> Sightings:
    return Sightings(world.dynamodb, world.table)


def test_findings_come_back_in_their_order(sightings: Sightings) -> None:
    sightings.keep(Round("2025-11-24", 7, "pay_2", ["pay_20", "pay_1"]))
    assert sightings.round() == Round("2025-11-24", 7, "pay_2", ["pay_20", "pay_1"])
    assert sightings.unkept == []


def test_long_ids_crowd_out_no_finding_of_ours(sightings: Sightings) -> None:
    """An item holds 400 KB, and a key 2 KB: 220 of them would end the run."""
    long = [f"{number:04d}" + "é" * 1_000 for number in range(220)]
    sightings.keep(Round(unsettled=[*long, "pay_1"]))
    kept = list(sightings.round().unsettled)
    assert kept[-1] == "pay_1"
    assert 50 < len(kept) < 220
    assert sorted([*kept, *sightings.unkept]) == sorted([*long, "pay_1"])


def test_findings_that_are_too_many_are_counted(sightings: Sightings) -> None:
    sightings.keep(Round(unsettled=[f"pay_{number:05d}" for number in range(MOST_OPEN + 3)]))
    assert len(sightings.round().unsettled) == MOST_OPEN
    assert len(sightings.unkept) == 3


def test_a_round_that_somebody_filled_up_ends_no_run(world: World, sightings: Sightings) -> None:
    fill_up(world, keys.watch())
    sightings.keep(Round("2025-11-24", 7, "pay_2", ["pay_1"]))
    assert sightings.unkept == ["watch:mailbox"]


def test_a_table_that_refuses_everything_ends_the_run(
    sightings: Sightings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")

    monkeypatch.setattr(sightings._client, "update_item", refused)
    with pytest.raises(ClientError):
        sightings.keep(Round())

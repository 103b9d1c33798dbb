"""Going back to the version before, also while a new one gets its first calls."""

from __future__ import annotations

import pytest

from ops.rules.versions import Serving, Version, fault_of, previous

KEPT = [Version(number, f"release-{number}", "2026-11-27") for number in (3, 4, 7, 8)]


@pytest.mark.parametrize(
    ("serving", "number"),
    [
        (Serving(8), 7),
        (Serving(7), 4),
        (Serving(3), None),
        (Serving(1), None),
        (Serving(7, {8: 0.1}), 4),
        (Serving(8, {7: 0.9}), 4),
    ],
)
def test_one_goes_back_before_everything_that_serves(serving: Serving, number: int | None) -> None:
    target = previous(serving, KEPT)
    assert (target.number if target else None) == number


@pytest.mark.parametrize(
    ("serving", "deployed", "is_fine"),
    [
        (Serving(8), 8, True),
        (Serving(7, {8: 0.1}), 8, True),
        (Serving(7), None, True),
        (Serving(7), 8, False),
        (Serving(7, {6: 0.5}), 8, False),
    ],
)
def test_what_serves_is_what_was_deployed_or_is_on_its_way(
    serving: Serving, deployed: int | None, *, is_fine: bool
) -> None:
    assert (fault_of(serving, deployed) == "") is is_fine


def test_shares_are_shown() -> None:
    assert str(Serving(7, {8: 0.1})) == "7, 10% by 8"

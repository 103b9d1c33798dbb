from __future__ import annotations

import pytest

from local.gmail_sandbox.faults import parse_faults
from tests.chaos.plan import COMMON, KILL, RESTART, TIMEOUT, Plan, make_plan


def names(plan: Plan) -> set[str]:
    return {trouble.name for each in plan.rounds for trouble in each.troubles}


def test_a_seed_is_one_plan() -> None:
    assert make_plan(7, 200) == make_plan(7, 200)
    assert make_plan(7, 200) != make_plan(8, 200)


@pytest.mark.parametrize("payments", [40, 500, 1000])
@pytest.mark.parametrize("seed", range(10))
def test_every_payment_is_asked_once_and_every_trouble_is_made(seed: int, payments: int) -> None:
    plan = make_plan(seed, payments)
    assert len({payment.key for payment in plan.payments}) == payments
    assert len({payment.body["amount"] for payment in plan.payments}) == payments
    assert all(each.payments for each in plan.rounds)
    assert len(names(plan)) == len(COMMON) + (2 if payments < 100 else 3)
    assert {KILL.name, RESTART.name} <= names(plan)
    assert (TIMEOUT.name in names(plan)) == (payments >= 100)


def test_a_stack_that_is_not_ours_is_not_restarted() -> None:
    assert RESTART.name not in names(make_plan(1, 40, restarts=False))


def test_too_few_payments_for_every_trouble_are_refused() -> None:
    with pytest.raises(ValueError, match="needs at least 13 payments"):
        make_plan(1, 12)


def test_the_sandbox_knows_every_fault_of_a_plan() -> None:
    for each in make_plan(3, 500).rounds:
        for trouble in each.troubles:
            parse_faults([dict(fault) for fault in trouble.faults])

from __future__ import annotations

import pytest

from local.gmail_sandbox.faults import parse_faults
from tests.chaos.plan import COMMON, DELETED, KILL, RESTART, RESTORED, TIMEOUT, Plan, make_plan


def names(plan: Plan) -> set[str]:
    return {trouble.name for each in plan.rounds for trouble in each.troubles}


def test_a_seed_always_makes_the_same_plan() -> None:
    assert make_plan(7, 200) == make_plan(7, 200)
    assert make_plan(7, 200) != make_plan(8, 200)


@pytest.mark.parametrize("payments", [40, 500, 1000])
@pytest.mark.parametrize("seed", range(10))
def test_every_payment_is_requested_once_and_every_fault_is_caused(
    seed: int, payments: int
) -> None:
    plan = make_plan(seed, payments)
    assert len({payment.key for payment in plan.payments}) == payments
    assert len({payment.body["amount"] for payment in plan.payments}) == payments
    assert all(each.payments for each in plan.rounds)
    assert len(names(plan)) == len(COMMON) + (4 if payments < 100 else 5)
    assert {KILL.name, RESTART.name, RESTORED.name, DELETED.name} <= names(plan)
    assert (TIMEOUT.name in names(plan)) == (payments >= 100)


def test_a_stack_that_we_did_not_start_is_not_restarted() -> None:
    assert RESTART.name not in names(make_plan(1, 40, restarts=False))


def test_too_few_payments_for_every_fault_are_refused() -> None:
    with pytest.raises(ValueError, match="needs at least 15 payments"):
        make_plan(1, 14)


def test_the_sandbox_knows_every_fault_in_a_plan() -> None:
    for each in make_plan(3, 500).rounds:
        for trouble in each.troubles:
            parse_faults([dict(fault) for fault in trouble.faults])

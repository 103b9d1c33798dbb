"""A short `make chaos`: after every kind of fault, ledger and mailbox agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.harness import Harness
from tests.chaos.plan import COMMON, make_plan
from tests.suites import LONG

HEAL_SECONDS = 90


@LONG
@pytest.mark.parametrize(("method", "seed"), [("send", 4), ("import", 5)])
def test_every_entry_has_one_mail_no_matter_what_fails(
    harness: Harness, method: str, seed: int, report: Callable[[str], None]
) -> None:
    harness.deliver_by(method)
    restarts = method == "send" and harness.stack.is_ours
    plan = make_plan(seed, 40 if restarts else 30, restarts=restarts)
    verdict, saboteur = harness.run(plan, HEAL_SECONDS)
    report(f"chaos by {method}, seed {seed}: {harness.timing}")
    assert verdict.wrong == {}
    assert verdict.logged == verdict.rows == verdict.mails
    assert saboteur.done["… between send and mark"] == 1
    assert len(saboteur.done) >= len(COMMON) + 2 + restarts

"""`scc status` on the deployed stack: tampering, and a router that nothing reaches."""

from __future__ import annotations

import json
from typing import Any

from local.running_stack import RunningStack
from tests.dock import Dock, until
from tests.ops.voyage import set_sail
from tests.pipeline.test_sweep import router_off
from tests.shells import Scc


def concerns(local: Scc) -> str:
    answer = local("status", "--json")
    assert answer.stdout, answer.stderr
    content: dict[str, Any] = json.loads(answer.stdout)
    assert answer.returncode == int(bool(content["concerns"]))
    return "\n".join(content["concerns"])


def test_a_router_that_is_cut_off_from_the_ledger_is_named(local: Scc, dock: Dock) -> None:
    with router_off(dock):
        told = concerns(local)
        assert "the mapping is disabled: docs/runbook.md#stream-mapping-off" in told
        assert "the mapping is disabled" in local("status").stdout
    assert "stream-mapping-off" not in concerns(local)


def test_tampering_of_the_last_days_is_counted(local: Scc, stack: RunningStack) -> None:
    voyage = set_sail(Dock(stack).sign_in(), 1)

    def counted() -> int:
        return int(json.loads(local("status", "--json").stdout)["tampered"]["records"])

    before = counted()
    with voyage.restored():
        voyage.put(voyage.row(1) | {"amount_cents": 1})
        until(lambda: counted() > before)
    told = concerns(local)
    assert "altered or removed behind the API's back" in told
    assert "docs/runbook.md#ledger-tampered" in told

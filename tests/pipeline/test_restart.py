"""Ctrl-C and `make run` again: everything is still there, and nothing is mailed twice."""

from __future__ import annotations

from local.running_stack import RunningStack
from tests.dock import Dock
from tests.suites import LONG


@LONG  # tests/local/test_run.py restarts one in every run of `make test`
def test_data_and_sessions_survive_a_restart_and_nothing_is_mailed_twice() -> None:
    with RunningStack.temporary() as stack:
        dock = Dock(stack).sign_in()
        before = [dock.logged(amount=f"{n}.00") for n in range(1, 4)]
        for payment in before:
            dock.await_mail(payment["payment_id"])
        unmailed = dock.logged(amount="4.00")

        stack.restart()

        assert dock.call("GET", "/api/session").status == 200
        for payment in before:
            assert dock.listed(payment["payment_id"])["audit"]["state"] == "sent"
        after = [dock.logged(amount=f"{n}.00") for n in range(5, 8)]
        for payment in [*before, unmailed, *after]:
            dock.await_mail(payment["payment_id"])
        assert [payment["seq"] for payment in after] == [5, 6, 7]

"""A broken message delays no other, and ends up where operators look, with a reason."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from statistics import quantiles
from typing import Any

from tests.chaos.evidence import dead_letters
from tests.chaos.harness import Harness
from tests.chaos.plan import Payment, make_payments
from tests.dock import until

PAYMENTS = int(os.environ.get("SCC_CHAOS_PAYMENTS", "60"))
"""1,000 in the long form: SCC_CHAOS_PAYMENTS=1000 make test ARGS=tests/chaos/test_poison.py"""


def test_one_poison_message_among_many_delays_nothing_and_its_reason_is_recorded(
    harness: Harness, report: Callable[[str], None]
) -> None:
    harness.deliver_by("send")
    usual = log_all(harness, make_payments(11, PAYMENTS - 1))
    body = f'{{"schema":"scc.audit/99","mark":"{uuid.uuid4()}"}}'
    with_poison = log_all(harness, make_payments(12, PAYMENTS - 1), poison=body)

    assert harness.verdict().wrong == {}
    (letter,) = [each for each in dead_letters(harness.stack) if each.body == body]
    assert letter.error_class == "poison-schema"
    assert "scc.audit/1" in letter.reason
    report(
        f"1 poison among {PAYMENTS}: from logged to mailed p95 {p95(usual):.1f} s without, "
        f"{p95(with_poison):.1f} s with it"
    )


def log_all(harness: Harness, payments: list[Payment], *, poison: str = "") -> list[float]:
    """Log payments and await all mails; return each entry's seconds from logged to mailed."""
    known = set(harness.client.entries)
    half = len(payments) // 2
    asked = [harness.client.submit(each) for each in payments[:half]]
    if poison:
        harness.send(poison)
    asked += [harness.client.submit(each) for each in payments[half:]]
    for request in chain(*asked):
        request.result()
    until(harness.is_settled, 45 + len(payments))
    entries = {each["payment_id"]: each for each in harness.client.logged}
    return [
        delay(mail, entries[mail["headers"]["X-SCC-Payment-Id"]])
        for mail in harness.inbox.mails
        if mail["headers"]["X-SCC-Payment-Id"] not in known
    ]


def delay(mail: dict[str, Any], entry: dict[str, Any]) -> float:
    arrived = datetime.fromisoformat(mail["received_at"]).timestamp()
    return arrived - float(entry["logged_at"]) / 1000


def p95(delays: list[float]) -> float:
    return quantiles(delays, n=20)[-1]

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.stream_router.sweeping import needs_message, sweep
from shared.messages import AuditMessage
from tests.builders import NOW, entry


@dataclass
class FakeLedger:
    days: Mapping[str, list[Mapping[str, Any]]]
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def logged_on(self, day: str) -> list[Sequence[Mapping[str, Any]]]:
        return [self.days[day]] if day in self.days else []

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return {each: self.states[each] for each in payment_ids if each in self.states}


@dataclass
class FakeQueue:
    sent: list[AuditMessage] = field(default_factory=list)

    def send(self, messages: Sequence[AuditMessage]) -> set[int]:
        self.sent += messages
        return set()


def rows(count: int) -> list[Mapping[str, Any]]:
    return [
        entry(payment_id=f"pay_{n}", timestamp=NOW - n, logged_at=NOW - n).to_row()
        for n in range(count)
    ]


def test_an_entry_that_the_stream_lost_days_ago_is_queued_again() -> None:
    queue = FakeQueue()
    swept = sweep(
        FakeLedger({"2025-11-24": rows(25)}),
        queue,
        now=NOW + 3 * 86_400_000,
        days=7,
        grace_ms=900_000,
    )
    assert (swept.entries, swept.missing, swept.queued) == (25, 25, 25)
    assert {each.payment_id for each in queue.sent} == {f"pay_{n}" for n in range(25)}


def test_a_mailed_entry_is_left_alone() -> None:
    queue = FakeQueue()
    ledger = FakeLedger({"2025-11-24": rows(2)}, {"pay_0": {"state": "sent"}})
    sweep(ledger, queue, now=NOW + 900_000, days=1, grace_ms=900_000)
    assert [each.payment_id for each in queue.sent] == ["pay_1"]


def test_an_entry_logged_a_moment_ago_is_still_the_streams() -> None:
    swept = sweep(
        FakeLedger({"2025-11-24": rows(1)}), FakeQueue(), now=NOW + 1, days=1, grace_ms=900_000
    )
    assert (swept.entries, swept.missing) == (1, 0)


@pytest.mark.parametrize(
    ("delivery", "needed"),
    [
        (None, True),
        ({"state": "sent"}, False),
        ({"state": "sending", "lease_until": NOW + 1}, False),
        ({"state": "sending", "lease_until": NOW - 999}, False),
        ({"state": "sending", "lease_until": NOW - 1001}, True),
        ({"state": "failed", "retry_at": NOW + 60_000, "last_error": {"class": "retry"}}, False),
        ({"state": "failed", "retry_at": NOW - 1001, "last_error": {"class": "retry"}}, True),
        ({"state": "failed", "retry_at": 0, "last_error": {"class": "permanent"}}, False),
    ],
)
def test_only_what_nobody_works_on_needs_a_message(
    delivery: dict[str, Any] | None, *, needed: bool
) -> None:
    assert needs_message(delivery, NOW, 1_000) is needed


def test_a_broken_row_does_not_keep_the_others_from_their_mail() -> None:
    queue = FakeQueue()
    broken = {"logged_at": NOW, "payment_id": "pay_broken"}
    ledger = FakeLedger({"2025-11-24": [broken, *rows(2)]})
    swept = sweep(ledger, queue, now=NOW + 900_001, days=1, grace_ms=900_000)
    assert (swept.malformed, swept.queued) == (1, 2)

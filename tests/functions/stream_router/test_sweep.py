from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.stream_router.dead_letters import DeadLetterView
from functions.stream_router.sweep import (
    BACKLOG,
    MOST_QUEUED,
    SLOT_MS,
    SLOTS_A_DAY,
    Sweeper,
    Swept,
    days_to_sweep,
)
from shared.audit.messages import AuditMessage
from tests.builders import NOW, ZONE, entry

GRACE = 900_000
LATER = NOW + GRACE
DAY_MS = 86_400_000


@dataclass
class FakeLedger:
    days: Mapping[str, list[Mapping[str, Any]]]
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def logged_on(self, day: str) -> list[Sequence[Mapping[str, Any]]]:
        rows = self.days.get(day, [])
        return [rows[start : start + 100] for start in range(0, len(rows), 100)]

    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return {each: self.states[each] for each in payment_ids if each in self.states}


@dataclass
class FakeQueue:
    sent: list[AuditMessage] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    backlog: int = 0

    def send(self, messages: Sequence[AuditMessage]) -> set[int]:
        self.sent += [each for n, each in enumerate(messages) if n not in self.refused]
        return self.refused & set(range(len(messages)))

    def waiting(self) -> int:
        return self.backlog

    @property
    def ids(self) -> list[str]:
        return [each.payment_id for each in self.sent]


@dataclass
class FakeDeadLetters:
    payment_ids: Sequence[str] = ()
    is_complete: bool = True
    looks: int = 0

    def look(self, may_go_on: Callable[[], bool]) -> DeadLetterView:
        self.looks += 1
        return DeadLetterView(frozenset(self.payment_ids), self.is_complete)


@dataclass
class Scene:
    ledger: FakeLedger
    queue: FakeQueue = field(default_factory=FakeQueue)
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)

    def sweep(
        self, now: int = LATER, days: int = 7, may_go_on: Callable[[], bool] = lambda: True
    ) -> Swept:
        return Sweeper(
            ledger=self.ledger,
            queue=self.queue,
            dead_letters=self.dead_letters,
            now=now,
            zone=ZONE,
            grace_ms=GRACE,
            may_go_on=may_go_on,
        ).sweep(days)


def rows(count: int, **changes: Any) -> list[Mapping[str, Any]]:
    return [
        entry(payment_id=f"pay_{n}", timestamp=NOW - n, logged_at=NOW - n, **changes).to_row()
        for n in range(count)
    ]


def logged(count: int, states: Mapping[str, Mapping[str, Any]] | None = None) -> Scene:
    return Scene(FakeLedger({"2025-11-24": rows(count)}, states or {}))


def test_an_entry_that_the_stream_lost_days_ago_is_queued_again() -> None:
    scene = logged(25)
    swept = scene.sweep(now=NOW + 3 * DAY_MS)
    assert (swept.entries, swept.missing, swept.queued) == (25, 25, 25)
    assert set(scene.queue.ids) == {f"pay_{n}" for n in range(25)}


def test_a_mailed_entry_is_left_alone() -> None:
    scene = logged(2, {"pay_0": {"state": "sent"}})
    swept = scene.sweep()
    assert scene.queue.ids == ["pay_1"]
    assert swept.missing == 1


def test_an_entry_logged_a_moment_ago_is_left_to_the_stream() -> None:
    swept = logged(1).sweep(now=NOW + 1)
    assert (swept.entries, swept.missing) == (1, 0)


def test_an_entry_logged_after_its_event_ended_is_mailed_like_any_other() -> None:
    scene = Scene(FakeLedger({"2025-11-24": rows(1, event_date="2025-06-01")}))
    scene.sweep()
    assert scene.queue.ids == ["pay_0"]


def test_missing_counts_everything_logged_and_not_sent() -> None:
    states: dict[str, dict[str, Any]] = {
        "pay_0": {"state": "sent"},
        "pay_1": {"state": "sending", "lease_until": LATER},
        "pay_2": {"state": "failed", "last_error": {"class": "permanent"}},
    }
    scene = logged(4, states)
    assert scene.sweep().missing == 3
    assert scene.queue.ids == ["pay_3"]


@pytest.mark.parametrize("state", [{}, {"state": "sending", "lease_until": NOW - GRACE - 1}])
def test_an_entry_with_a_dead_letter_is_not_queued_again(
    state: dict[str, Any],
) -> None:
    scene = logged(3, {"pay_1": state} if state else {})
    scene.dead_letters.payment_ids = ["pay_1"]
    swept = scene.sweep()
    assert scene.queue.ids == ["pay_0", "pay_2"]
    assert (swept.missing, swept.queued, swept.dead_lettered) == (3, 2, 1)


def test_the_dead_letter_queue_is_looked_at_once_and_only_when_something_is_missing() -> None:
    nothing_to_do = logged(1, {"pay_0": {"state": "sent"}})
    nothing_to_do.sweep()
    assert nothing_to_do.dead_letters.looks == 0
    much_to_do = logged(250)
    much_to_do.sweep()
    assert much_to_do.dead_letters.looks == 1


@pytest.mark.parametrize("trouble", ["dead letters not seen whole", "audit queue backed up"])
def test_an_entry_that_may_still_have_a_message_is_queued_once_a_day(trouble: str) -> None:
    scene = logged(20)
    scene.dead_letters.is_complete = trouble != "dead letters not seen whole"
    scene.queue.backlog = BACKLOG if trouble == "audit queue backed up" else 0
    swept = [scene.sweep(now=LATER + slot * SLOT_MS) for slot in range(SLOTS_A_DAY)]
    assert sorted(scene.queue.ids) == sorted(f"pay_{n}" for n in range(20))
    assert all(each.queued + each.held_back == 20 for each in swept)


def test_one_sweep_queues_no_more_than_gmail_takes_until_the_next() -> None:
    scene = logged(MOST_QUEUED + 30)
    swept = scene.sweep()
    assert len(scene.queue.sent) == swept.queued == MOST_QUEUED
    assert (swept.missing, swept.held_back) == (MOST_QUEUED + 30, 30)


def test_what_sqs_refused_is_not_counted_as_queued() -> None:
    scene = logged(4)
    scene.queue.refused = {1}
    assert scene.sweep().queued == 3


def test_when_time_runs_out_it_stops_between_pages_and_reports_what_is_left() -> None:
    scene = Scene(FakeLedger({day: rows(150) for day in days_to_sweep(LATER, 2, ZONE)}))
    pages = iter([True, True, True, False])
    swept = scene.sweep(days=2, may_go_on=lambda: next(pages))
    assert swept.days_left == days_to_sweep(LATER, 2, ZONE)[1:]
    assert swept.entries == 250
    assert len(scene.queue.sent) == swept.queued == 250


def test_every_day_gets_its_turn_to_be_first_so_no_day_is_always_left_out() -> None:
    starts = [days_to_sweep(LATER + slot * SLOT_MS, 7, ZONE) for slot in range(8)]
    assert {each[0] for each in starts} == set(starts[0])
    assert {tuple(sorted(each)) for each in starts} == {
        tuple(f"2025-11-{day}" for day in range(17, 25))
    }


@pytest.mark.parametrize(
    "broken",
    [
        {"logged_at": NOW, "payment_id": "pay_broken"},
        {"logged_at": NOW},
        dict(rows(1)[0]) | {"payment_id": "p" * 2_049},
        dict(rows(1)[0]) | {"payment_id": ["pay_0"]},
        dict(rows(1)[0]) | {"seq": "1"},
    ],
)
def test_a_broken_row_does_not_keep_the_others_from_their_mail(broken: dict[str, Any]) -> None:
    scene = Scene(FakeLedger({"2025-11-24": [broken, *rows(2)]}))
    swept = scene.sweep()
    assert (swept.malformed, swept.queued) == (1, 2)
    assert scene.queue.ids == ["pay_0", "pay_1"]

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.rules.dead_letters import Selection, Verdict, read_letter
from ops.rules.replay import Drain, Pace, Planned, Report
from ops.rules.survey import Examined, judged
from shared.audit.messages import AuditMessage, Message
from tests.ops.letters import numbered, raw

ALL = Selection()


class KilledError(BaseException):
    """The process is gone: none of its code runs anymore, not even a `finally`."""


@dataclass
class World:
    """Queues, tables and a mailer, in memory. dies_at: the number of the call that kills us.

    fails: how the mailer fails for these payments. The mailer works whenever time passes.
    """

    dead: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden_until: dict[str, float] = field(default_factory=dict)
    audit: list[tuple[AuditMessage, int]] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)
    sent_at: list[float] = field(default_factory=list)
    clock: float = 0.0
    calls: int = 0
    dies_at: int = 0
    dies_after: bool = False

    def add(self, number: int, **attributes: object) -> str:
        letter = raw(numbered(number).to_json(), **attributes)
        self.dead[letter["MessageId"]] = letter
        return numbered(number).payment_id

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call to AWS; it may be the last thing that we do, before or after its effect."""
        self.calls += 1
        if self.dies_at and self.calls > self.dies_at:
            raise KilledError
        if self.calls == self.dies_at and not self.dies_after:
            raise KilledError
        yield
        if self.calls == self.dies_at:
            raise KilledError

    # ── the dead-letter queue, and a look through it

    @contextmanager
    def looking(self, hold_seconds: int) -> Iterator[Look]:
        look = Look(self, hold_seconds)
        try:
            yield look
        finally:
            look.release()

    # ── the audit queue

    def send(self, body: str, replay_count: int) -> None:
        with self.call():
            self.audit.append((AuditMessage.from_json(body), replay_count))
            self.sent_at.append(self.clock)

    # ── ledger and deliveries

    def deliveries(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        with self.call():
            return {each: dict(self.items[each]) for each in ids if each in self.items}

    def lacking(self, messages: Sequence[Message]) -> dict[Message, Verdict]:
        with self.call():
            return {}

    # ── time, and the mailer that works meanwhile

    def pause(self, seconds: float) -> None:
        self.clock += seconds
        self.deliver()

    def deliver(self) -> None:
        for message, _ in self.audit:
            item = self.items.setdefault(message.payment_id, {"attempts": 0, "state": "sending"})
            if item["state"] == "sent":
                continue
            item["attempts"] += 1
            klass = self.fails.get(message.payment_id)
            if klass:
                error = {"class": klass, "code": "x", "message": "why"}
                item |= {"state": "failed", "last_error": error}
            else:
                item["state"] = "sent"
                self.mails[message.payment_id] += 1
        self.audit.clear()

    def drain(self, selection: Selection = ALL, **pace: float) -> Report:
        report = Report()
        Drain(
            dead_letters=self,
            queue=self,
            originals=self,
            pace=Pace(pace.get("rate", 10.0), pace.get("patience", 30.0)),
            depth=len(self.dead),
            now=lambda: self.clock,
            pause=self.pause,
            advance=lambda _: None,
            report=report,
        ).run(self.plan(selection), selection)
        return report

    def plan(self, selection: Selection = ALL) -> list[Planned]:
        examined = [
            Examined(letter=letter, receipt="", delivery=self.items.get(letter.subject_id))
            for letter in map(read_letter, self.dead.values())
        ]
        return [
            Planned(each.letter.message_id, each.letter.subject_id, verdict)
            for each, verdict in judged(examined, self, selection)
        ]


@dataclass
class Look:
    world: World
    hold: int
    held: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        while True:
            world = self.world
            with world.call():
                visible = [
                    each for each in world.dead if world.hidden_until.get(each, 0.0) <= world.clock
                ][:10]
                for each in visible:
                    world.hidden_until[each] = world.clock + self.hold
                    self.held.append(each)
            if not visible:
                return
            yield [world.dead[each] | {"ReceiptHandle": each} for each in visible]

    def release(self, but: Sequence[str] = ()) -> None:
        for each in [each for each in self.held if each not in but]:
            with self.world.call():
                self.world.hidden_until[each] = 0.0
                self.held.remove(each)

    def delete(self, receipt: str) -> bool:
        with self.world.call():
            self.held.remove(receipt)
            if self.world.hidden_until[receipt] <= self.world.clock:
                return False
            return self.world.dead.pop(receipt, None) is not None


def test_the_canary_goes_alone_and_the_others_follow_at_the_capped_rate() -> None:
    world = World()
    payments = [world.add(number) for number in range(1, 31)]
    report = world.drain(rate=2.0)
    assert report.counts() == {"sent": 30}
    assert dict(world.mails) == dict.fromkeys(payments, 1)
    assert world.dead == {}
    first, *others = world.sent_at
    assert others[0] > first, "the canary's mail was seen first"
    gaps = [later - earlier for earlier, later in itertools.pairwise(others)]
    assert min(gaps) >= 0.5


@pytest.mark.parametrize("klass", ["systemic", "permanent"])
def test_a_canary_that_fails_again_stops_it_before_anything_else_is_touched(klass: str) -> None:
    world = World()
    for number in range(1, 6):
        world.fails[world.add(number)] = klass
    report = world.drain()
    assert report.counts() == {"failed": 1, "not reached": 4}
    assert f"failed again ({klass} x: why)" in report.stopped
    assert len(world.dead) == 4
    assert all(world.hidden_until[each] <= world.clock for each in world.dead), "all visible"


def test_a_mailer_that_does_nothing_stops_it() -> None:
    world = World()
    world.add(1)
    world.add(2)
    world.deliver = lambda: None  # type: ignore[method-assign]  # the mailer is down
    report = world.drain(patience=30.0)
    assert "did nothing for 30 s" in report.stopped
    assert report.counts() == {"on its way": 1, "not reached": 1}
    assert len(world.dead) == 1


def test_three_failures_in_a_row_stop_it_and_two_do_not() -> None:
    world = World()
    payments = [world.add(number) for number in range(1, 21)]
    for number in (3, 4, 8, 9, 10):
        world.fails[payments[number]] = "ambiguous"
    report = world.drain(rate=1.0)
    assert report.stopped.startswith("3 failures in a row")
    assert report.counts()["failed"] == 5
    assert report.counts()["not reached"] >= 8
    assert len(world.dead) == report.counts()["not reached"]


def test_errors_that_somebody_edited_do_not_break_a_replay() -> None:
    world = World()
    payments = [world.add(number) for number in range(1, 9)]
    world.fails |= dict.fromkeys(payments[2:], "ambiguous")
    deliver = world.deliver

    def deliver_and_edit() -> None:
        deliver()
        for each in payments[2:]:
            if world.items.get(each, {}).get("state") == "failed":
                world.items[each]["last_error"] = "text"

    world.deliver = deliver_and_edit  # type: ignore[method-assign]
    report = world.drain(rate=1.0)
    assert report.stopped.startswith("3 failures in a row")
    assert report.counts()["sent"] == 2


def test_messages_sent_meanwhile_are_only_removed_and_poison_stays() -> None:
    world = World()
    sent, fresh = world.add(1), world.add(2)
    quarantined = world.add(3, replay_count=2)
    poison = raw("nonsense")
    world.dead[poison["MessageId"]] = poison
    world.items[sent] = {"state": "sent", "attempts": 1}
    report = world.drain()
    assert report.counts() == {
        "already sent, removed": 1,
        "sent": 1,
        "quarantined": 1,
        "poison-schema": 1,
    }
    assert dict(world.mails) == {fresh: 1}
    assert [read_letter(each).subject_id for each in world.dead.values()] == [quarantined, ""]


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 3.0])
def test_at_every_rate_a_message_is_removed_while_it_is_held(rate: float) -> None:
    world = World()
    for number in range(1, 6):
        world.add(number)
    assert world.drain(rate=rate).counts() == {"sent": 5}
    assert world.dead == {}


def test_a_message_whose_hold_ended_is_told_as_still_there() -> None:
    world = World()
    sent, fresh = world.add(1), world.add(2)
    world.items[sent] = {"state": "sent", "attempts": 1}
    lacking = world.lacking

    def slowly(messages: Sequence[Message]) -> dict[Message, Verdict]:
        if not world.mails:
            world.clock += 60
        return lacking(messages)

    world.lacking = slowly  # type: ignore[method-assign]
    report = world.drain()
    assert report.counts() == {"already sent, not removed": 1, "sent, not removed": 1}
    assert dict(world.mails) == {fresh: 1}
    assert world.drain().counts() == {"already sent, removed": 2}


def test_a_replay_counts_itself_and_keeps_the_message_as_it_was() -> None:
    world = World()
    world.add(7, replay_count=1)
    world.deliver = lambda: None  # type: ignore[method-assign]  # so that it stays on the queue
    world.drain(patience=1.0)
    assert world.audit == [(numbered(7), 2)]


def test_messages_that_someone_else_took_are_reported_as_gone() -> None:
    world = World()
    world.add(1)
    world.add(2)
    plan, report = world.plan(), Report()
    world.dead.popitem()
    Drain(
        dead_letters=world, queue=world, originals=world, pace=Pace(10.0, 30.0), depth=2,
        now=lambda: world.clock, pause=world.pause, advance=lambda _: None, report=report,
    ).run(plan, ALL)  # fmt: skip
    assert report.counts() == {"sent": 1, "gone": 1}


@pytest.mark.parametrize("dies_after", [False, True], ids=["before-effect", "after-effect"])
def test_killed_at_any_call_nothing_is_lost_and_nothing_mails_twice(
    dies_after: bool,  # noqa: FBT001 - the columns of the table
) -> None:
    kills = 0
    while True:
        world = World(dies_at=kills + 1, dies_after=dies_after)
        payments = [world.add(number) for number in range(1, 13)]
        plan = [Planned(each, "", Verdict.SEND) for each in world.dead]
        world.plan = lambda _=ALL, plan=plan: plan  # type: ignore[method-assign,misc]
        try:
            world.drain()
        except KilledError:
            kills += 1
        else:
            break
        waiting = {read_letter(each).subject_id for each in world.dead.values()}
        queued = {message.payment_id for message, _ in world.audit}
        assert waiting | queued | set(world.mails) == set(payments), "lost"

        del world.plan
        world.dies_at, world.clock = 0, world.clock + 60  # the dead one's hold is over
        world.drain()
        world.deliver()
        assert dict(world.mails) == dict.fromkeys(payments, 1)
        assert world.dead == {}
    assert kills > 40

"""Replay: dead letters go back on the audit queue, one first, then the rest at a capped rate.

A message leaves the dead-letter queue only after it is on the audit queue, so stopping a
replay loses nothing. A message sent twice is mailed once: the mailer claims each entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ops.rules.dead_letters import Selection, Verdict, read_letter
from ops.rules.depth import hold_seconds
from ops.rules.survey import Examined, Originals, Pages, judged
from ops.terminal.interrupts import held_back
from shared.audit.delivery import attempts_of, error_class, is_sent, last_error

FAILURES_IN_A_ROW = 3
MOST_PENDING = 50  # replayed but not yet mailed: more would only wait in another queue
WINDOW_SECONDS = 5  # how much is held at once, and stays hidden if we are killed
LARGEST_WINDOW = 100
LOOKED_AT_FIRST = 10  # to pick a canary from: what SQS returns in one call
LOOKS = 3  # for messages that another look holds
BETWEEN_LOOKS = 2.0
BETWEEN_POLLS = 0.5
HOPELESS = frozenset({"systemic", "permanent"})  # failures that waiting does not cure


class Look(Pages, Protocol):
    def release(self, but: Sequence[str] = ()) -> None: ...

    def delete(self, receipt: str) -> bool:
        """False: it may still be there, because its hold has ended."""


class DeadLetters(Protocol):
    def looking(self, hold_seconds: int) -> AbstractContextManager[Look]: ...


class Queue(Protocol):
    def send(self, body: str, replay_count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Planned:
    """subject_id: its key in AuditDeliveries."""

    message_id: str
    subject_id: str
    verdict: Verdict

    @property
    def is_actionable(self) -> bool:
        return self.verdict in (Verdict.SEND, Verdict.ALREADY_SENT)


@dataclass(slots=True)
class Report:
    """outcomes: by message id. stopped: why the drain ended early, or empty."""

    outcomes: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    def begin(self, plan: Sequence[Planned]) -> None:
        for each in plan:
            self.outcomes[each.message_id] = "not reached" if each.is_actionable else each.verdict

    def counts(self) -> dict[str, int]:
        return dict(Counter(self.outcomes.values()))


@dataclass(frozen=True, slots=True)
class Pace:
    """rate: messages per second. patience: seconds to wait for the mailer to finish a message."""

    rate: float
    patience: float

    @property
    def window(self) -> int:
        return max(1, min(LARGEST_WINDOW, int(self.rate * WINDOW_SECONDS)))


@dataclass(slots=True)
class Pending:
    """Replayed, but its mail is not yet seen. attempts: how many tries it had before.

    is_left: it may still be in the dead-letter queue, too.
    """

    message_id: str
    attempts: int
    is_left: bool = False


@dataclass(slots=True, kw_only=True)
class Drain:
    """now: monotonic seconds. pause: sleeps. advance: called for each finished message."""

    dead_letters: DeadLetters
    queue: Queue
    originals: Originals
    pace: Pace
    depth: int
    now: Callable[[], float]
    pause: Callable[[float], None]
    advance: Callable[[int], None]
    report: Report
    _pending: dict[str, Pending] = field(default_factory=dict)
    _streak: int = 0  # failures since the last success
    _canary_sang: bool = False
    _next_at: float = 0.0

    def run(self, plan: Sequence[Planned], selection: Selection) -> None:
        """Carry out the plan. Whatever ends it, `report` says how far it got."""
        remaining = {each.message_id for each in plan if each.is_actionable}
        self.report.begin(plan)
        looks = LOOKS
        while remaining and looks and not self.report.stopped:
            done = self._one_window(remaining, selection)
            remaining -= done
            if done:
                looks = LOOKS
                self._await(MOST_PENDING if self._canary_sang else 0)
            else:
                looks -= 1
                self.pause(BETWEEN_LOOKS)
        if not self.report.stopped:
            self._await(0)
            for message_id in remaining:
                self.report.outcomes[message_id] = "gone"

    def _one_window(self, remaining: set[str], selection: Selection) -> set[str]:
        """Handle some of the remaining messages; returns their ids."""
        self._await_the_rate()  # before anything is held: at a slow rate the hold would end
        size = self.pace.window if self._canary_sang else LOOKED_AT_FIRST
        hold = hold_seconds(self.depth) + WINDOW_SECONDS
        done: set[str] = set()
        with self.dead_letters.looking(hold) as look:
            chosen = self._choose(look, remaining, size)
            look.release(but=[each.receipt for each in chosen])
            for examined, verdict in judged(chosen, self.originals, selection):
                message_id = examined.letter.message_id
                if verdict is Verdict.SEND:
                    self._await_the_rate()
                    with held_back():  # so that the report tells of what is queued
                        pending = self._send(examined)
                        self.report.outcomes[message_id] = "on its way"
                        pending.is_left = not look.delete(examined.receipt)
                elif verdict is Verdict.ALREADY_SENT:
                    with held_back():
                        is_gone = look.delete(examined.receipt)
                        self.report.outcomes[message_id] = (
                            "already sent, removed" if is_gone else "already sent, not removed"
                        )
                else:
                    self.report.outcomes[message_id] = verdict
                done.add(message_id)
                self.advance(1)
                if verdict is Verdict.SEND and not self._canary_sang:
                    break  # no other message stays hidden while the canary is mailed
                self._settle()
                if self.report.stopped:
                    break
        return done

    def _choose(self, look: Look, remaining: set[str], size: int) -> list[Examined]:
        chosen: dict[str, tuple[Mapping[str, Any], Any]] = {}
        for page in look.pages():
            for raw in page:
                if raw["MessageId"] in remaining and len(chosen) < size:
                    chosen[raw["MessageId"]] = (raw, read_letter(raw))
            if len(chosen) >= min(size, len(remaining)):
                break
        deliveries = self.originals.deliveries([letter.subject_id for _, letter in chosen.values()])
        return [
            Examined(
                letter=letter,
                receipt=str(raw["ReceiptHandle"]),
                delivery=deliveries.get(letter.subject_id),
            )
            for raw, letter in chosen.values()
        ]

    def _await_the_rate(self) -> None:
        self.pause(max(0.0, self._next_at - self.now()))

    def _send(self, examined: Examined) -> Pending:
        letter = examined.letter
        assert letter.message is not None, "an unreadable message is never replayed"
        self._next_at = self.now() + 1 / self.pace.rate
        self.queue.send(letter.message.to_json(), letter.replay_count + 1)
        pending = Pending(letter.message_id, attempts_of(examined.delivery))
        self._pending[letter.subject_id] = pending
        return pending

    def _await(self, most: int) -> None:
        """Wait until at most this many replayed messages are still pending."""
        deadline = self.now() + self.pace.patience
        while len(self._pending) > most and not self.report.stopped:
            self._settle()
            if len(self._pending) <= most or self.report.stopped:
                return
            if self.now() >= deadline:
                if not self._canary_sang or most:
                    self.report.stopped = (
                        f"the mailer did nothing for {self.pace.patience:.0f} s: it may be down, "
                        "or its queue mapping may be disabled"
                    )
                return
            self.pause(BETWEEN_POLLS)

    def _settle(self) -> None:
        """Check what happened to the replayed messages, oldest first."""
        if not self._pending:
            return
        deliveries = self.originals.deliveries(list(self._pending))
        for subject_id, pending in list(self._pending.items()):
            delivery = deliveries.get(subject_id, {})
            if is_sent(delivery):
                self._conclude(subject_id, "sent, not removed" if pending.is_left else "sent")
                self._streak, self._canary_sang = 0, True
            elif self._has_failed(delivery, pending):
                self._conclude(subject_id, "failed")
                self._streak += 1
                self._stop_if_hopeless(delivery)

    def _has_failed(self, delivery: Mapping[str, Any], pending: Pending) -> bool:
        if delivery.get("state") != "failed" or attempts_of(delivery) <= pending.attempts:
            return False
        return self._canary_sang or error_class(delivery) in HOPELESS

    def _stop_if_hopeless(self, delivery: Mapping[str, Any]) -> None:
        error = last_error(delivery)
        why = f"{error.get('class')} {error.get('code')}: {error.get('message')}"
        if not self._canary_sang:
            self.report.stopped = f"the first message failed again ({why})"
        elif self._streak >= FAILURES_IN_A_ROW:
            self.report.stopped = f"{FAILURES_IN_A_ROW} failures in a row, the last one: {why}"

    def _conclude(self, subject_id: str, outcome: str) -> None:
        self.report.outcomes[self._pending.pop(subject_id).message_id] = outcome

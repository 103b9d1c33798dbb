"""Backlog and recovery after a Gmail outage, as a discrete-event simulation (SimPy).

The waits and the copies are the mailer's own (`backoff_seconds`, `AuditQueueReceiver`), the pace is
Gmail's quota. SQS moves a message to the dead-letter queue after its receives, and Lambda stops a
function that keeps calling itself. The model leaves out the mailer's batches and SQS's latency;
both are small compared with minutes.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from functions.audit_mailer.delivery.audit_queue import (
    MAX_RECEIVES,
    AuditQueueReceiver,
    ReceivedMessage,
)
from functions.audit_mailer.delivery.backoff import backoff_seconds
from functions.audit_mailer.delivery.pacing import PER_MINUTE, Rate
from functions.audit_mailer.gmail.failures import Failure

PACE = 60_000 / Rate(PER_MINUTE["send"]).interval_ms  # mails a minute in the long run, with send
RETRY_CAP_SECONDS = 900  # the template's default
VISIBILITY_SECONDS = 360  # the template's: when a message comes back that nobody handled
# A chain of requests in which Lambda has invoked a function this often ends, unless its loop is
# allowed: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
LONGEST_CHAIN = 16
DOWN = Failure(klass="retry", code="503", message="Service Unavailable")


@dataclass(frozen=True, slots=True)
class Recovery:
    """backlog: mails waiting when Gmail came back. Times are in minutes after that.

    worst_delay: the longest time from logged to mailed. tries_a_mail: the mean. dead_letters: of
    all mails. first_dead: when the first of them got there, in minutes after Gmail broke.
    """

    backlog: int
    half_mailed: float
    all_mailed: float
    worst_delay: float
    tries_a_mail: float
    dead_letters: int
    first_dead: float | None


@dataclass(slots=True)
class _World:
    """mailed: when each was logged and when mailed. dead: when each got there. All in seconds."""

    env: simpy.Environment
    per_minute: float
    down_for: float
    cap: int
    is_loop_allowed: bool
    next_slot: float = 0.0
    mailed: list[tuple[float, float]] = field(default_factory=list)
    dead: list[float] = field(default_factory=list)
    tries: int = 0


@dataclass(slots=True)
class _Queue:
    """The audit queue as one message sees it: what the mailer did with it, as SQS keeps it.

    chain: how often the mailer was invoked in the chain of requests that this message ends.
    """

    receives: int = 0
    attempts: int = 0
    chain: int = 1
    wait: float = 0.0

    def change_message_visibility(self, **request: Any) -> None:
        self.wait = request["VisibilityTimeout"]

    def send_message(self, **request: Any) -> None:
        self.attempts = int(request["MessageAttributes"]["attempts"]["StringValue"])
        self.receives, self.wait = 0, request["DelaySeconds"]
        self.chain += 1


def simulate(
    logged_per_minute: float,
    outage_minutes: float,
    *,
    mails_per_minute: float = PACE,
    retry_cap_seconds: int = RETRY_CAP_SECONDS,
    is_loop_allowed: bool = True,
    seed: int = 1,
) -> Recovery:
    """Log entries at random (Poisson) through an outage, until all of them are mailed or dead.

    is_loop_allowed: the mailer's `RecursiveLoop: Allow`.
    """
    random.seed(seed)  # backoff_seconds draws its jitter from the shared generator
    env = simpy.Environment()
    down_for = outage_minutes * 60
    world = _World(env, mails_per_minute, down_for, retry_cap_seconds, is_loop_allowed)
    env.process(_arrivals(world, logged_per_minute / 60))
    env.run()
    mailed = world.mailed or [(0.0, 0.0)]
    late = sorted(at - world.down_for for logged, at in mailed if logged < world.down_for)
    delays = [at - logged for logged, at in mailed]
    return Recovery(
        backlog=len(late),
        half_mailed=late[len(late) // 2] / 60 if late else 0.0,
        all_mailed=late[-1] / 60 if late else 0.0,
        worst_delay=max(delays) / 60,
        tries_a_mail=world.tries / len(mailed),
        dead_letters=len(world.dead),
        first_dead=min(world.dead) / 60 if world.dead else None,
    )


def _arrivals(world: _World, per_second: float) -> Generator[simpy.Event, Any, None]:
    """Keep logging entries while the backlog shrinks: they use the quota, too."""
    spare = max(0.2, world.per_minute / 60 / per_second - 1)
    until = world.down_for * (1 + 1 / spare) + 2 * world.cap
    while world.env.now < until:
        yield world.env.timeout(random.expovariate(per_second))
        world.env.process(_mail(world, world.env.now))


def _mail(world: _World, logged: float) -> Generator[simpy.Event, Any, None]:
    queue = _Queue()
    mailer = AuditQueueReceiver(lambda: queue, "audit", "dead-letters")
    while queue.receives < MAX_RECEIVES:
        queue.receives += 1
        if queue.chain > LONGEST_CHAIN and not world.is_loop_allowed:
            yield world.env.timeout(VISIBILITY_SECONDS)  # Lambda drops the invocation
            continue
        world.tries += 1
        if world.env.now >= world.down_for:
            slot = max(world.env.now, world.next_slot)
            world.next_slot = slot + 60 / world.per_minute
            yield world.env.timeout(slot - world.env.now)
            world.mailed.append((logged, world.env.now))
            return
        message = ReceivedMessage(
            body="", receipt_handle="", receives=queue.receives, attempts=queue.attempts
        )
        mailer.postpone(message, backoff_seconds(DOWN, message.tries, world.cap))
        yield world.env.timeout(queue.wait)
    world.dead.append(world.env.now)


RATES, HOURS = (1, 10, 20, 30), (1, 6, 24)  # well below PACE, or no backlog shrinks


def table() -> str:
    """Markdown for docs/capacity.md."""
    columns = ("logged a minute", "Gmail down for", "backlog", "half of it mailed",
               "all of it mailed", "longest from logged to mailed", "tries a mail")  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", f"|{' ---: |' * len(columns)}"]
    return "\n".join([*lines, *(line(rate, hours) for hours in HOURS for rate in RATES)])


def line(rate: int, hours: int) -> str:
    found = simulate(rate, hours * 60)
    return (
        f"| {rate} | {hours} h | {found.backlog:,} | after {_spelled(found.half_mailed)} "
        f"| after {_spelled(found.all_mailed)} | {_spelled(found.worst_delay)} "
        f"| {found.tries_a_mail:.1f} |"
    )


def _spelled(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


if __name__ == "__main__":
    print(table())

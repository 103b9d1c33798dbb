"""Backlog and recovery after a Gmail outage, as a discrete-event simulation (SimPy).

The waits are the mailer's own (`backoff_seconds`), the pace is Gmail's quota. The model leaves out
the mailer's batches and SQS's latency; both are small compared with minutes.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from functions.audit_mailer.delivery.backoff import backoff_seconds
from functions.audit_mailer.gmail.failures import Failure

RETRY_CAP_SECONDS = 900  # the template's default
DOWN = Failure(klass="retry", code="503", message="Service Unavailable")


@dataclass(frozen=True, slots=True)
class Recovery:
    """backlog: mails waiting when Gmail came back. Times are in minutes after that.

    worst_delay: the longest time from logged to mailed. tries_a_mail: the mean.
    """

    backlog: int
    half_mailed: float
    all_mailed: float
    worst_delay: float
    tries_a_mail: float


@dataclass(slots=True)
class _World:
    env: simpy.Environment
    per_minute: float
    down_for: float
    cap: int
    next_slot: float = 0.0
    mailed: list[tuple[float, float]] | None = None  # when logged and when mailed, in seconds
    tries: int = 0


def simulate(
    logged_per_minute: float,
    outage_minutes: float,
    *,
    mails_per_minute: float = 60,
    retry_cap_seconds: int = RETRY_CAP_SECONDS,
    seed: int = 1,
) -> Recovery:
    """Log entries at random (Poisson) through an outage, until all of them are mailed."""
    random.seed(seed)  # backoff_seconds draws its jitter from the shared generator
    env = simpy.Environment()
    world = _World(env, mails_per_minute, outage_minutes * 60, retry_cap_seconds, mailed=[])
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
    )


def _arrivals(world: _World, per_second: float) -> Generator[simpy.Event, Any, None]:
    """Keep logging entries while the backlog shrinks: they use the quota, too."""
    spare = max(0.2, world.per_minute / 60 / per_second - 1)
    until = world.down_for * (1 + 1 / spare) + 2 * world.cap
    while world.env.now < until:
        yield world.env.timeout(random.expovariate(per_second))
        world.env.process(_mail(world, world.env.now))


def _mail(world: _World, logged: float) -> Generator[simpy.Event, Any, None]:
    tries = 0
    while True:
        tries += 1
        world.tries += 1
        if world.env.now >= world.down_for:
            slot = max(world.env.now, world.next_slot)
            world.next_slot = slot + 60 / world.per_minute
            yield world.env.timeout(slot - world.env.now)
            assert world.mailed is not None
            world.mailed.append((logged, world.env.now))
            return
        yield world.env.timeout(backoff_seconds(DOWN, tries, world.cap))


RATES, HOURS = (1, 10, 30, 50), (1, 6, 24)


def table() -> str:
    """Markdown for docs/capacity.md."""
    columns = ("logged a minute", "Gmail down for", "backlog", "half of it mailed",
               "all of it mailed", "longest from logged to mailed", "tries a mail")  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", f"|{' ---: |' * len(columns)}"]
    for hours in HOURS:
        for rate in RATES:
            found = simulate(rate, hours * 60)
            lines.append(
                f"| {rate} | {hours} h | {found.backlog:,} | after {_spelled(found.half_mailed)} "
                f"| after {_spelled(found.all_mailed)} | {_spelled(found.worst_delay)} "
                f"| {found.tries_a_mail:.1f} |"
            )
    return "\n".join(lines)


def _spelled(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


if __name__ == "__main__":
    print(table())

"""How long an admin waits, and what a Gmail outage does: our API and the first design."""

from __future__ import annotations

from statistics import quantiles

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig.stacks import Bench, some_stack
from benchmarks.rig.turns import Turns, take_turns

CALLS, WARM = 200, 5
GMAIL_MS = 300
OUTAGE_SECONDS, EVERY = 60, 2.0
GROUPS = "api audit_mailer"  # the baseline runs both in one process
BASELINE = "mail sent inside the request"


def measure(say: Say) -> list[Result]:
    say("starting a stack")
    with some_stack() as bench:
        bench.faults({"kind": "latency", "ms": GMAIL_MS})
        say(f"{CALLS} payments of each, Gmail at {GMAIL_MS} ms")
        runs = _turns(bench, CALLS)
        bench.faults({"kind": "down"})
        say(f"Gmail down for {OUTAGE_SECONDS} s")
        outage = _turns(bench, int(OUTAGE_SECONDS / EVERY), EVERY)
        bench.faults()
    ours, baseline = runs["pipeline"], runs["in_the_request"]
    return [
        Result(
            row=f"POST latency p50, Gmail at {GMAIL_MS} ms",
            unit="ms",
            ours=ours.wall,
            baseline=baseline.wall,
            baseline_is=BASELINE,
            goal=Goal("speedup", "≥", 5),
        ),
        Result(
            row=f"p99 of the same {CALLS} calls",
            unit="ms",
            ours=[quantiles(ours.wall, n=100)[-1]],
            baseline=[quantiles(baseline.wall, n=100)[-1]],
            baseline_is=BASELINE,
        ),
        Result(
            row=f"answered with success, Gmail down for {OUTAGE_SECONDS} s",
            unit="%",
            ours=[_percent(outage["pipeline"])],
            baseline=[_percent(outage["in_the_request"])],
            baseline_is=BASELINE,
            goal=Goal("value", "≥", 100),
        ),
    ]


def _turns(bench: Bench, calls: int, every: float = 0) -> dict[str, Turns]:
    def event() -> dict[str, object]:
        return {"pipeline": bench.event(), "in_the_request": bench.event()}

    return take_turns(
        "log_payment",
        GROUPS,
        bench.environment(),
        warm=[event() for _ in range(WARM)] if not every else [],
        events=[event() for _ in range(calls)],
        every=every,
    )


def _percent(turns: Turns) -> float:
    return 100 * turns.successes / len(turns.wall)

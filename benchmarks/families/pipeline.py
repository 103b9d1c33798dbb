"""From POST to mail on the deployed stack: at given rates, and the highest rate it holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

from benchmarks.catalogue import Say
from benchmarks.report.result import Result
from benchmarks.rig.outage_simulation import simulate
from benchmarks.rig.stacks import Bench, some_stack
from local.processes import wait_until

RATES, SECONDS = (1, 5, 20), 15
START_SECONDS = 4  # warm-up for each rate, in which the emulator starts the functions it needs
OUTAGE_RATE, OUTAGE_SECONDS, SEEDS = 5, 20, 9
WARM, ONE_BY_ONE = 4, 20
STEPS = (30, 40, 50, 60)  # payments a second; the emulator is one process on this machine
STEP_SECONDS, HELD_SECONDS = 8, 60
TRIES = 2  # per step: its first payments wait for functions that the emulator starts
SETTLED = 120.0  # seconds until everything must be mailed
KEPT_UP = 0.95  # of the payments that were due in that time
WORKERS = 32


def measure(say: Say) -> list[Result]:
    say("starting a stack")
    with some_stack() as bench:
        say(f"{ONE_BY_ONE} payments, one at a time")
        alone = [_delay(bench, *bench.post()) for _ in range(WARM + ONE_BY_ONE)][WARM:]
        results = []
        for rate in RATES:
            say(f"{rate} payments a second for {SECONDS} s")
            _at(bench, rate, START_SECONDS)
            delays = _at(bench, rate, SECONDS).delays
            results += [
                _result(f"POST to mail p50, {rate} a second", delays, alone),
                _result(f"POST to mail p95, {rate} a second", [_p95(delays)], [_p95(alone)]),
            ]
        say(f"Gmail down for {OUTAGE_SECONDS} s at {OUTAGE_RATE} payments a second")
        results.append(_outage(bench))
        best = RATES[-1]
        for rate in STEPS:
            say(f"{rate} payments a second for {STEP_SECONDS} s")
            if not any(_at(bench, rate, STEP_SECONDS).kept_up for _ in range(TRIES)):
                break
            best = rate
        held = None
        while held is None:
            say(f"{best} payments a second for {HELD_SECONDS} s")
            run = _at(bench, best, HELD_SECONDS)
            held = run if run.kept_up or best <= RATES[0] else None
            best = best if held else best * 3 // 4
        results.append(
            Result(
                row=f"highest rate held for {HELD_SECONDS} s",
                unit="/s",
                ours=[held.rate],
                note=f"{held.logged} logged, {held.logged - held.mailed} without a mail",
            )
        )
        return results


def _result(row: str, delays: Sequence[float], alone: Sequence[float]) -> Result:
    return Result(
        row=row, unit="ms", ours=delays, baseline=alone, baseline_is="one payment at a time"
    )


def _p95(delays: Sequence[float]) -> float:
    return quantiles(delays, n=100)[94]


def _outage(bench: Bench) -> Result:
    """The longest wait for a mail; the baseline is what the model predicts."""
    cap = bench.stack.settings.mail.retry_cap_seconds
    bench.faults({"kind": "down"})
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(_at, bench, OUTAGE_RATE, OUTAGE_SECONDS)
        time.sleep(OUTAGE_SECONDS)
        bench.faults()
        delays = run.result().delays
    model = [
        simulate(
            OUTAGE_RATE * 60, OUTAGE_SECONDS / 60, mails_per_minute=60_000, retry_cap_seconds=cap,
            seed=seed,
        ).worst_delay
        for seed in range(SEEDS)
    ]  # fmt: skip
    return Result(
        row=f"longest from POST to mail, Gmail down for {OUTAGE_SECONDS} s",
        unit="s",
        ours=[max(delays) / 1000],
        baseline=[each * 60 for each in model],
        baseline_is="the model of docs/capacity.md",
    )


class Run:
    """logged, mailed: payments. delays: milliseconds from POST to mail. rate: the real one."""

    def __init__(
        self, due: int, asked: Sequence[tuple[str, float]], sent: dict[str, float]
    ) -> None:
        self.logged = len(asked)
        found = [(sent[each] - began) * 1000 for each, began in asked if each in sent]
        self.mailed, self.delays = len(found), found
        began = [began for _, began in asked]
        self.rate = round(len(asked) / max(1e-3, max(began) - min(began)), 1)
        self.kept_up = self.logged == self.mailed and self.rate >= KEPT_UP * due


def _at(bench: Bench, rate: int, seconds: int) -> Run:
    """Log payments at a steady rate, and wait until all are mailed."""
    began = time.monotonic()

    def one(number: int) -> tuple[str, float]:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        return bench.post()

    with ThreadPoolExecutor(WORKERS) as pool:
        asked = list(pool.map(one, range(rate * seconds)))
    sent: dict[str, float] = {}

    def is_settled() -> bool:
        time.sleep(1)
        sent.update(bench.sent())
        return all(payment_id in sent for payment_id, _ in asked)

    wait_until(is_settled, SETTLED)
    return Run(rate, asked, sent)


def _delay(bench: Bench, payment_id: str, began: float) -> float:
    """Milliseconds from the request until the mailer marked the mail as sent."""
    wait_until(lambda: payment_id in bench.sent(), SETTLED)
    return (bench.sent()[payment_id] - began) * 1000

"""Peak memory of a process that has answered its first event."""

from __future__ import annotations

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig.starts import FUNCTIONS, starter

RUNS = 7


def measure(say: Say) -> list[Result]:
    results = []
    with starter() as starts:
        for function in FUNCTIONS:
            ours, baseline = [], []
            for run in range(RUNS):
                say(f"{function.name}: {run + 1} of {RUNS}")
                ours.append(starts.start(function, "ours").peak_mb)
                baseline.append(starts.start(function, "baseline").peak_mb)
            results.append(
                Result(
                    row=f"memory peak, {function.name}",
                    unit="MB",
                    ours=ours,
                    baseline=baseline,
                    baseline_is="ten lines",
                    goal=Goal("ratio", "≤", 2),
                )
            )
    return results

"""Cold starts: import, init and the first event, each in a fresh process."""

from __future__ import annotations

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig.starts import FUNCTIONS, Function, Kind, Start, starter

RUNS = 11
GOALS = {"api": 1.4, "router": 1.15, "mailer": 1.5}
KINDS: tuple[Kind, ...] = ("ours", "baseline", "without .pyc", "eager")


def measure(say: Say) -> list[Result]:
    results = []
    with starter() as starts:
        for function in FUNCTIONS:
            say(f"{function.name}: building")
            for kind in KINDS:
                starts.start(function, kind)  # from here on, the files are in the page cache
            taken: dict[Kind, list[Start]] = {kind: [] for kind in KINDS}
            for run in range(RUNS):
                say(f"{function.name}: {run + 1} of {RUNS}")
                for kind in KINDS:
                    taken[kind].append(starts.start(function, kind))
            results += _results(function, {kind: [s.ms for s in taken[kind]] for kind in KINDS})
    return results


def _results(function: Function, taken: dict[Kind, list[float]]) -> list[Result]:
    """The bundle compared with ten lines; then what .pyc and late imports gain."""
    row = f"cold start, {function.name}"
    return [
        Result(
            row=row,
            unit="ms",
            ours=taken["ours"],
            baseline=taken["baseline"],
            baseline_is="ten lines",
            goal=Goal("ratio", "≤", GOALS[function.name]),
        ),
        *(
            Result(
                row=f"{row}, {what}",
                unit="ms",
                ours=taken[kind],
                baseline=taken["ours"],
                baseline_is="our bundle",
            )
            for kind, what in (("without .pyc", "without .pyc"), ("eager", "all imported at once"))
            if kind in taken
        ),
    ]

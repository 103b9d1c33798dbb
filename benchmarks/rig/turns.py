"""Warm calls of a scenario's sides, in turns, in one process that runs like the function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rig.bundles import bundle, probe
from local.settings import REPOSITORY

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True, slots=True)
class Turns:
    """One side's calls, in order, in milliseconds; cpu is the whole process's.

    successes: how many calls say they succeeded.
    """

    wall: list[float]
    cpu: list[float]
    successes: int = 0


def take_turns(
    scenario: str,
    groups: str,
    environment: dict[str, str],
    *,
    warm: list[Any],
    events: list[Any],
    every: float = 0,
) -> dict[str, Turns]:
    """Call every side of benchmarks/scenarios/<scenario>.py with every event, timing each call.

    warm: events before, not timed. groups: whose bundles to run with. every: seconds from one event
    to the next, if they should not follow at once.
    """
    said = probe(
        "turns",
        scenario,
        path=[*(bundle(each) for each in groups.split()), SCENARIOS, REPOSITORY],
        environment=environment,
        stdin=json.dumps({"warm": warm, "events": events, "every": every}),
    )
    runs = json.loads(said.splitlines()[-1])
    return {
        side: Turns([run[0] for run in each], [run[1] for run in each], sum(r[2] for r in each))
        for side, each in runs.items()
    }

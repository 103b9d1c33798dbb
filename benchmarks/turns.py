"""Warm calls of the sides of a scenario, in turns in one process that runs like the function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bundles import bundle, probe

SCENARIOS = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Turns:
    """One side's calls, in their order. In milliseconds; cpu is of the whole process."""

    wall: list[float]
    cpu: list[float]


def take_turns(
    scenario: str, group: str, environment: dict[str, str], *, warm: list[Any], events: list[Any]
) -> dict[str, Turns]:
    """Call every side of benchmarks/scenarios/<scenario>.py with every event, timing each call.

    warm: events before, that are not timed. group: whose bundle to run with.
    """
    said = probe(
        "turns",
        scenario,
        path=[bundle(group), SCENARIOS],
        environment=environment,
        stdin=json.dumps({"warm": warm, "events": events}),
    )
    runs = json.loads(said.splitlines()[-1])
    return {
        side: Turns([wall for wall, _ in each], [cpu for _, cpu in each])
        for side, each in runs.items()
    }

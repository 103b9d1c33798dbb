"""Warm calls of our code and the baseline, in turns in one process. argv: a scenario's module.

The module lists its functions in SIDES; each takes an event. stdin: {"warm": [], "events": []};
warm ones are not timed; "every": seconds from the start of one event to the next. Writes the runs
to stderr as JSON: wall and CPU milliseconds of the whole process, so that threads count, and
whether the call says it succeeded (true if it says nothing).
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def timed(call: Callable[[Any], bool | None], event: Any) -> tuple[float, float, bool]:
    wall, cpu = time.perf_counter(), time.process_time()
    is_well = call(event) is not False
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000, is_well


def main() -> None:
    asked = json.load(sys.stdin)
    scenario = importlib.import_module(sys.argv[1])
    sides = {name: getattr(scenario, name) for name in scenario.SIDES}
    runs: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in sides}
    for event in asked["warm"]:
        for call in sides.values():
            call(event)
    began = time.monotonic()
    for number, event in enumerate(asked["events"]):
        time.sleep(max(0.0, began + number * asked.get("every", 0) - time.monotonic()))
        for name, call in sides.items():
            runs[name].append(timed(call, event))
    sys.stderr.write(f"\n{json.dumps(runs)}\n")
    sys.stderr.flush()
    os._exit(0)  # threads of the function may still be running


main()

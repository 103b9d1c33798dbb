"""How many consecutive calls to DynamoDB a logged payment waits for."""

from __future__ import annotations

import json
from collections.abc import Iterable

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.bundles import bundle, probe
from benchmarks.rig.endpoint import Call, Endpoint

DELAY = 0.1  # long compared with what two threads need to ask at once


def measure(say: Say) -> list[Result]:
    results = []
    for method, reference in (("cash", ""), ("check", "1042")):
        say(f"a payment by {method}")
        calls = _calls_of(world.post(method=method, reference=reference))
        trips = longest_chain(calls)
        results.append(
            Result(
                row=f"DynamoDB round trips one after another, {method}",
                unit="",
                ours=[trips],
                goal=Goal("value", "≤", 3),
                note=f"{len(calls)} calls",
            )
        )
    return results


def longest_chain(calls: Iterable[Call]) -> int:
    """The longest chain of calls in which each started after the last was answered."""
    length, free_at = 0, float("-inf")
    for call in sorted(calls, key=lambda each: each.went):
        if call.came >= free_at:
            length, free_at = length + 1, call.went
    return length


def _calls_of(event: object) -> list[Call]:
    with Endpoint(delay=DELAY) as endpoint:
        world.furnish(endpoint)
        said = probe(
            "start",
            *("functions.api.handler", ""),
            path=[bundle("api")],
            environment=world.environment(endpoint),
            stdin=json.dumps(event),
        )
        answer = json.loads(said.splitlines()[-1])["answer"]
        if answer["statusCode"] != 200:
            raise RuntimeError(answer["body"])
        return [each for each in endpoint.calls if each.name.startswith("DynamoDB")]

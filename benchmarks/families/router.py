"""10,000 stream records through the router, in batches as from Lambda."""

from __future__ import annotations

from math import ceil
from typing import Any

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.endpoint import Endpoint
from benchmarks.rig.turns import take_turns
from shared.audit.messages import AuditMessage

RECORDS, BATCH, ROUNDS = 10_000, 100, 7


def measure(say: Say) -> list[Result]:
    say(f"{ROUNDS} times {RECORDS:,} records, in batches of {BATCH}")
    with Endpoint() as endpoint:
        events = [_event(start) for start in range(0, RECORDS, BATCH)]
        runs = take_turns(
            "route_records",
            "stream_router",
            world.environment(endpoint),
            warm=events[:10],
            events=events * ROUNDS,
        )
        calls = sum(each.name == "AmazonSQS.SendMessageBatch" for each in endpoint.calls)
    ours, loop = runs["route"], runs["loop"]
    asked = (calls - 2 * 10 * BATCH // 10) / 2 / ROUNDS  # of one side, without the warm-up
    row = f"router, {RECORDS:,} records"
    return [
        Result(
            row=f"{row}, wall",
            unit="ms",
            ours=_by_round(ours.wall),
            baseline=_by_round(loop.wall),
            baseline_is="bare loop",
            goal=Goal("ratio", "≤", 1.2),
        ),
        Result(
            row=f"{row}, CPU",
            unit="ms",
            ours=_by_round(ours.cpu),
            baseline=_by_round(loop.cpu),
            baseline_is="bare loop",
        ),
        Result(
            row=f"{row}, calls to SQS",
            unit="",
            ours=[asked],
            goal=Goal("value", "≤", ceil(RECORDS / 10)),
        ),
    ]


def _event(start: int) -> dict[str, Any]:
    rows = [world.entry().to_row() for _ in range(BATCH)]
    records = [world.stream_record(start + number, row) for number, row in enumerate(rows)]
    return {
        "batch": {"Records": records},
        "bodies": [AuditMessage.from_row(row).to_json() for row in rows],
    }


def _by_round(batches: list[float]) -> list[float]:
    each = RECORDS // BATCH
    return [sum(batches[start : start + each]) for start in range(0, len(batches), each)]

"""The daily statement of a large ledger: time and memory of the function that makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.bundles import bundle, probe
from benchmarks.rig.ledger import LedgerEndpoint
from local.settings import REPOSITORY
from shared.ledger import EventId, Head, LedgerEntry, PaymentId

EVENTS, OF_EACH = 2_000, 50
DAY = date(2026, 11, 24)
RUNS = 3


def measure(say: Say) -> list[Result]:
    memory, timeout = (_setting(name) for name in ("MemorySize", "Timeout"))
    first, next_one, peak, calls = [], [], [], [0, 0]
    say(f"{EVENTS * OF_EACH:,} entries of {EVENTS:,} events")
    with LedgerEndpoint() as endpoint:
        for number in range(EVENTS):
            endpoint.hold(_voyage(number))
        for run in range(RUNS):
            say(f"{run + 1} of {RUNS}")
            endpoint.calls.clear()
            told = probe(
                "statement",
                *(DAY.isoformat(), (DAY + timedelta(1)).isoformat()),
                path=[bundle("daily_statement")],
                environment={"AWS_ENDPOINT_URL": endpoint.url} | _CREDENTIALS,
            )
            done = json.loads(told.splitlines()[-1])
            if done["entries"] != [EVENTS * OF_EACH, 0] or done["findings"]:
                raise RuntimeError(f"the statement is wrong: {done}")
            first.append(done["seconds"][0])
            next_one.append(done["seconds"][1])
            peak.append(done["peak_mb"])
            calls = done["calls"]
    return [
        Result(
            row=f"first statement, {EVENTS * OF_EACH:,} entries on the day",
            unit="s", ours=first, goal=Goal("value", "≤", timeout), note=f"{calls[0]:,} calls",
        ),
        Result(
            row="the next day's, a thirtieth of the ledger read again",
            unit="s", ours=next_one, goal=Goal("value", "≤", timeout), note=f"{calls[1]:,} calls",
        ),
        Result(row="its memory peak", unit="MB", ours=peak, goal=Goal("value", "≤", memory)),
    ]  # fmt: skip


_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def _setting(name: str) -> int:
    """Of the function, by the template."""
    text = (REPOSITORY / "template.yaml").read_text()
    found = re.search(rf"  StatementFunction:\n.*?\n      {name}: (\d+)", text, re.DOTALL)
    if found is None:
        raise RuntimeError(f"the statement's function has no {name}")
    return int(found[1])


def _voyage(number: int) -> Iterator[LedgerEntry]:
    head = Head()
    noon = int(datetime(DAY.year, DAY.month, DAY.day, 17, tzinfo=UTC).timestamp() * 1000)
    for each in range(OF_EACH):
        logged = replace(
            world.entry(),
            event_id=EventId(f"voyage-{number}"),
            payment_id=PaymentId(f"pay_{number * OF_EACH + each:032x}"),
            patron_email=f"patron-{each}@example.com",
            logged_day=DAY.isoformat(),
            logged_at=noon + each,
            timestamp=noon + each,
        )
        made = logged.sealed(head, world.ZONE)
        head = made.as_head
        yield made

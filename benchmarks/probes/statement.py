"""Seal two days as the function does; its bucket, key and queue are kept in memory. argv: the days.

Writes seconds and calls to DynamoDB of each, what they found, and the process's peak memory to
stderr.
"""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from zoneinfo import ZoneInfo

import boto3

from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.sealing import Sealer
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.daybook import Daybook

ZONE = ZoneInfo("America/New_York")


class Shelf:
    """The bucket, in memory, as S3's client gives and takes it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - S3's names
        only = {"VersionId": "1", "IsLatest": True, "ETag": "1"}
        return [
            {
                "Versions": [
                    only | {"Key": key, "Size": len(content)}
                    for key, content in sorted(self.objects.items())
                    if key.startswith(Prefix)
                ]
            }
        ]

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.objects[Key] = Body


def peak_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    days = sys.argv[1:]
    now = datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) + timedelta(days=1, hours=12)

    def at() -> int:
        return int(now.timestamp() * 1000)

    client = boto3.client("dynamodb")
    calls = [0]
    client.meta.events.register("before-call.dynamodb", lambda **_: calls.append(1))
    daybook = Daybook(client, "Payments", "AuditDeliveries")
    key = SimpleNamespace(
        sha256=hashlib.sha256(b"key").hexdigest(),
        sign=lambda _: b"signed",
        has_signed=lambda *_: True,
    )
    sealer: Any = Sealer(
        draughtsman=Draughtsman(
            daybook=daybook,
            ledger=LedgerRows(client, "Ledger", "Payments"),
            ops_records=SimpleNamespace(hashes=lambda *_: {}),
            zone=ZONE,
            cash_over_cents=1_000_000,
            now=at,
            pause=time.sleep,
        ),
        evidence=EvidenceBucket(Shelf(), "evidence", "GOVERNANCE", at),
        key=key,
        outbox=SimpleNamespace(send=lambda _: None),
        has_entries=daybook.has_entries,
        deliveries=lambda _: {},
        zone=ZONE,
        now=at,
    )
    seconds, counted, entries, findings = [], [], [], []
    for day in days:
        before, started = len(calls), time.perf_counter()
        statement = sealer.seal(day, lambda _: None)
        assert statement is not None
        seconds.append(round(time.perf_counter() - started, 3))
        counted.append(len(calls) - before)
        entries.append(statement.sums.entries)
        findings += [str(statement.findings)] if statement.findings else []
    done = {"seconds": seconds, "calls": counted, "entries": entries, "findings": findings}
    sys.stderr.write(f"\n{json.dumps(done | {'peak_mb': peak_megabytes()})}\n")


main()

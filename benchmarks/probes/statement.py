"""Seal two days as the function does; its bucket, key and queue are kept in memory. argv: the days.

Writes seconds and calls to DynamoDB of each, what they found, and the process's peak memory to
stderr.
"""

import hashlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import boto3

from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.sealing import Sealer
from functions.daily_statement.stores.ledger_rows import LedgerRows
from shared.daybook import Daybook
from shared.statements.bucket import SealedStatement

ZONE = ZoneInfo("America/New_York")


class Shelf:
    """What the bucket keeps."""

    def __init__(self) -> None:
        self.statements: dict[str, bytes] = {}
        self.of_heads: dict[str, bytes] = {}

    def sealed_days(self) -> list[str]:
        return sorted(self.statements)

    def sealed(self, day: str) -> SealedStatement:
        content = self.statements[day]
        return SealedStatement(content=content, record=json.loads(content))

    def heads(self, sealed: SealedStatement) -> Any:
        return json.loads(self.of_heads[sealed.day])

    def signature(self, _: Any) -> bytes:
        return b"signed"

    def keep_heads(self, day: str, content: bytes, _: str) -> None:
        self.of_heads[day] = content

    def seal(self, day: str, content: bytes) -> bool:
        self.statements[day] = content
        return True

    def sign(self, *_: Any) -> None:
        pass


def peak_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    days = sys.argv[1:]
    now = datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) + timedelta(days=1, hours=12)
    client = boto3.client("dynamodb")
    calls = [0]
    client.meta.events.register("before-call.dynamodb", lambda **_: calls.append(1))
    daybook = Daybook(client, "Payments", "AuditDeliveries")
    shelf = Shelf()
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
            now=lambda: int(now.timestamp() * 1000),
            pause=time.sleep,
        ),
        evidence=cast("Any", shelf),
        key=key,
        outbox=SimpleNamespace(send=lambda _: None),
        has_entries=daybook.has_entries,
        deliveries=lambda _: {},
        zone=ZONE,
        now=lambda: int(now.timestamp() * 1000),
    )
    seconds, counted, entries, findings = [], [], [], []
    for day in days:
        before, started = len(calls), time.perf_counter()
        statement = sealer.seal(day)
        assert statement is not None
        seconds.append(round(time.perf_counter() - started, 3))
        counted.append(len(calls) - before)
        entries.append(statement.sums.entries)
        findings += [str(statement.findings)] if statement.findings else []
    done = {"seconds": seconds, "calls": counted, "entries": entries, "findings": findings}
    sys.stderr.write(f"\n{json.dumps(done | {'peak_mb': peak_megabytes()})}\n")


main()

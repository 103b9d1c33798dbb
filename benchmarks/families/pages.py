"""Calls and request units of a logged payment and of a listed page, as the event grows.

The API runs in this process on moto, which holds 100,000 entries. moto reports no units, so we
count them from the items requested and returned, by DynamoDB's rules:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
"""

from __future__ import annotations

import json
import math
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from local.engine.batch_writes import put_all
from shared import keys
from shared.attributes import from_attributes, to_attributes

SIZES = (100, 10_000, 100_000)
PAGE = 50
# The minimum that still keeps the contract. A payment: who is asking and what the rules need, then
# likely duplicates, then row, indexes, pointer and head. A page: the session, 50 rows of an index,
# and in one call their mails and voids; all but the session may be a moment old.
LEAST = (
    {"calls": 3, "read units": 5, "write units": 9},
    {"calls": 3, "read units": 1 + 5 + PAGE / 2 + PAGE / 2},
)
INDEXES = 3  # on Payments, projecting all attributes: every row is written to each of them, too


@dataclass(slots=True)
class Bill:
    """The cost of some calls. reads, writes: request units."""

    calls: list[str] = field(default_factory=list)
    reads: float = 0
    writes: float = 0

    @property
    def figures(self) -> dict[str, float]:
        return {"calls": len(self.calls), "read units": self.reads, "write units": self.writes}

    def add(self, name: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self.calls.append(name)
        if name == "Query":
            size = sum(map(item_bytes, answer["Items"]))
            self.reads += read_units(size, is_consistent=asked.get("ConsistentRead", False))
        elif name == "GetItem":
            size = item_bytes(answer.get("Item", {}))
            self.reads += read_units(size, is_consistent=asked.get("ConsistentRead", False))
        elif name == "BatchGetItem":
            for table, wanted in asked["RequestItems"].items():
                sizes = [item_bytes(each) for each in answer["Responses"].get(table, ())]
                sizes += [0] * (len(wanted["Keys"]) - len(sizes))
                is_consistent = wanted.get("ConsistentRead", False)
                self.reads += sum(read_units(each, is_consistent=is_consistent) for each in sizes)
        elif name == "TransactWriteItems":
            for each in asked["TransactItems"]:
                ((kind, write),) = each.items()
                item = write["Item"] if kind == "Put" else {**write["Key"], "seq": {"N": "1"}}
                units = math.ceil(item_bytes(item) / 1024)
                self.writes += 2 * units
                if "payment_id" in item:
                    self.writes += INDEXES * units


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size that DynamoDB bills: names and values in UTF-8."""
    plain = from_attributes(item)
    return sum(len(name.encode()) + _value_bytes(value) for name, value in plain.items())


def _value_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, int):
        return 1 + math.ceil(len(str(abs(value))) / 2)
    return 3 + sum(1 + _value_bytes(each) for each in value)


def read_units(size: int, *, is_consistent: bool) -> float:
    """Request units for reading this many bytes; finding nothing still costs something."""
    return max(1, math.ceil(size / 4096)) * (1 if is_consistent else 0.5)


def measure(say: Say) -> list[Result]:
    with _moto() as client:
        costs: dict[int, tuple[Bill, Bill]] = {}
        for fewer, size in pairwise((0, *SIZES)):
            say(f"{size:,} entries")
            _fill(client, fewer, size)
            patron = (
                f"newcomer-{size}@example.com"  # a patron who has paid nothing in the last minutes
            )
            _add_patron(client, patron)
            costs[size] = (_bill(world.post(patron_email=patron)), _bill(_page()))
    doings = ("a logged payment", f"a listed page of {PAGE}")
    return [
        row
        for which, doing in enumerate(doings)
        for what, least in LEAST[which].items()
        for row in _rows(f"{what} of {doing}", what, least, [costs[size][which] for size in SIZES])
    ]


def _rows(row: str, what: str, least: float, bills: list[Bill]) -> list[Result]:
    few, more, most = (bill.figures[what] for bill in bills)
    return [
        Result(row=row, unit="", ours=[few], baseline=[least], baseline_is="the minimum"),
        Result(
            row=f"{row}, {SIZES[-1]:,} entries",
            unit="",
            ours=[most],
            baseline=[few],
            baseline_is=f"{SIZES[0]} entries",
            goal=Goal("ratio", "≤", 1),
            note=f"{more:g} at {SIZES[1]:,}",
        ),
    ]


def _page() -> dict[str, Any]:
    event = world.post()
    event["requestContext"]["http"]["method"] = "GET"
    event["queryStringParameters"] = {"event_id": world.EVENT, "limit": str(PAGE)}
    return event | {"rawQueryString": f"event_id={world.EVENT}&limit={PAGE}", "body": ""}


def _bill(event: dict[str, Any]) -> Bill:
    """Answer one request, and record its calls to DynamoDB."""
    from functions.api import handler  # noqa: PLC0415 - its settings must be there first
    from tests.functions.lambda_context import Context  # noqa: PLC0415

    bill, call = Bill(), getattr(BaseClient, "_make_api_call")  # noqa: B009 - botocore's one way out

    def noted(client: BaseClient, name: str, asked: dict[str, Any]) -> Any:
        answer = call(client, name, asked)
        if client.meta.service_model.service_name == "dynamodb":
            bill.add(name, asked, answer)
        return answer

    with patch.object(BaseClient, "_make_api_call", noted):
        answer = handler.lambda_handler(event, Context())  # type: ignore[arg-type]
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])
    return bill


@contextmanager
def _moto() -> Iterator[Any]:
    import boto3  # noqa: PLC0415 - moto has to come first
    from moto import mock_aws  # noqa: PLC0415

    from tests.tables import create_tables  # noqa: PLC0415

    nowhere = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
               "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    with patch.dict(os.environ, nowhere), mock_aws():
        client = boto3.client("dynamodb")
        tables = create_tables(client, "bench")
        secret = boto3.client("secretsmanager").create_secret(Name="cursor", SecretString="k" * 32)
        variables = {
            "EVENTS_TABLE": tables["Events"],
            "PAYMENTS_TABLE": tables["Payments"],
            "LEDGER_TABLE": tables["Ledger"],
            "DELIVERIES_TABLE": tables["AuditDeliveries"],
            "SESSIONS_TABLE": tables["Sessions"],
            "USER_POOL_ID": "us-east-1_bench",
            "USER_POOL_CLIENT_ID": "bench",
            "CURSOR_KEY_SECRET_ID": secret["ARN"],
            "BUSINESS_TIMEZONE": world.ZONE.key,
            "POWERTOOLS_SERVICE_NAME": "bench",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        }
        with patch.dict(os.environ, variables):
            for table, row in world.furniture():
                client.put_item(TableName=tables[table], Item=to_attributes(row))
            yield client


def _add_patron(client: Any, email: str) -> None:
    patron = {**keys.patron(world.EVENT, email), "email": email, "name": "New"}
    client.put_item(TableName="bench-Events", Item=to_attributes(patron))


def _fill(client: Any, fewer: int, size: int) -> None:
    """Fill the event up to this many entries; the newest, which a page shows, are mailed."""
    now = time.time_ns() // 1_000_000
    for start in range(fewer, size, 25):
        rows, sent = [], []
        for number in range(start, min(start + 25, size)):
            row = world.entry().to_row()
            row |= {"SK": now - size + number, "timestamp": now - size + number, "seq": number}
            row["patron_email"] = f"patron-{number % 40}@example.com"
            row["PK"] = f"{world.EVENT}#{row['patron_email']}"
            rows.append(row)
            if number < size - 2 * PAGE:
                continue
            delivery = {"payment_id": row["payment_id"], "state": "sent", "attempts": 1,
                        "sent_at": now, "gmail_id": uuid.uuid4().hex[:16],
                        "gmail_thread_id": uuid.uuid4().hex[:16]}  # fmt: skip
            sent.append(delivery)
        put_all(client, "bench-Payments", rows)
        put_all(client, "bench-AuditDeliveries", sent)


if __name__ == "__main__":
    print(json.dumps([each.to_json() for each in measure(print)], indent=1))

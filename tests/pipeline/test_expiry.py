"""Entries reach their seven years on the deployed template, and everything that counts is calm.

The stack is its own: its first statement is made again, so that it certifies what this test wrote.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local.running_stack import RunningStack
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.ledger import LedgerEntry
from tests.dock import Dock, until
from tests.pipeline.test_statement import invoke, statements, versions, yesterday
from tests.seven_years import voyage
from tests.shells import Scc
from tests.suites import LONG

pytestmark = LONG
EVENT = "old-regatta"
TTL = {"AttributeName": "expiration_timestamp"}


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStack]:
    with RunningStack.temporary() as started:
        yield started


class Harbor:
    """The stack, and the old event on it."""

    def __init__(self, stack: RunningStack) -> None:
        self.dock = Dock(stack).sign_in()
        self.dynamodb = stack.aws.client("dynamodb")
        self.tables = {
            name: stack.outputs[f"{name}TableName"]
            for name in ("Payments", "Ledger", "Events", "Deliveries")
        }

    def put(self, table: str, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.tables[table], Item=to_attributes(item))

    def expire(self, *, is_on: bool) -> None:
        self.dynamodb.update_time_to_live(
            TableName=self.tables["Payments"],
            TimeToLiveSpecification=TTL | {"Enabled": is_on},
        )

    def store(self, entries: list[LedgerEntry]) -> None:
        """As the API wrote them seven years ago, each with its mail."""
        head: dict[str, Any] = {"payments_count": 0, "total_cents": 0}
        for each in entries:
            sent = {"state": "sent", "sent_at": each.logged_at + 2_000, "attempts": 1}
            self.put("Deliveries", {"payment_id": each.payment_id, **sent})
            place = {"row_pk": each.pk, "row_sk": each.timestamp, "fingerprint": "-"}
            self.put("Ledger", keys.pointer(each.payment_id) | place)
            if each.voids:
                self.put("Ledger", keys.void_mark(each.voids) | {"void_id": each.payment_id})
            self.put("Payments", each.to_row())
            head["payments_count"] += {"payment": 1, "void": -1}[each.kind]
            for name in ("total", each.method):
                head[f"{name}_cents"] = head.get(f"{name}_cents", 0) + each.net_cents
        last = entries[-1]
        end = {"seq": last.seq, "hash": last.hash, "last_logged_at": last.logged_at}
        self.put("Ledger", keys.head(EVENT) | head | end)
        meta = {"listing": "event", "name": "Old Regatta", "event_date": "2026-11-25"}
        place = {"timezone": "America/New_York", "location": "Pier 9", "roster_size": 0}
        self.put("Events", keys.event_meta(EVENT) | meta | place)

    def seal_again(self) -> dict[str, Any]:
        """Make yesterday's statement anew, as the first of the stack; returns what it says."""
        s3, bucket = self.dock.stack.aws.client("s3"), self.dock.stack.outputs["EvidenceBucketName"]
        for each in versions(self.dock):
            s3.delete_object(
                Bucket=bucket,
                Key=each["Key"],
                VersionId=each["VersionId"],
                BypassGovernanceRetention=True,
            )
        assert invoke(self.dock, {})["statements"] == {yesterday(): "sealed"}
        answer = s3.get_object(Bucket=bucket, Key=f"statements/{yesterday()}/statement.json")
        record: dict[str, Any] = json.load(answer["Body"])
        return record

    def is_quiet(self) -> bool:
        """Nothing is on the audit queue, or in a mailer's hands."""
        answer = self.dock.stack.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.dock.stack.outputs["AuditQueueUrl"], AttributeNames=["All"]
        )
        counts = answer["Attributes"]
        names = ("", "NotVisible", "Delayed")
        return all(counts[f"ApproximateNumberOfMessages{each}"] == "0" for each in names)

    def numbers(self) -> set[int]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.tables["Payments"],
            IndexName=keys.PAYMENTS_BY_EVENT,
            KeyConditionExpression="event_id = :event",
            ExpressionAttributeValues=to_attributes({":event": EVENT}),
        )
        return {from_attributes(item)["seq"] for page in pages for item in page["Items"]}

    def exported(self) -> list[dict[str, str]]:
        answer = self.dock.call("GET", f"/api/payments.csv?event_id={EVENT}")
        assert answer.headers["X-Problem-Rows"] == "0"
        text = answer.content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def totals(self, scc: Scc) -> list[Decimal]:
        """On the screen, in the file, and by `scc reconcile`."""
        shown = self.dock.call("GET", f"/api/events/{EVENT}").json["event"]
        answer = scc("reconcile", "--event", EVENT, "--json")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        reconciled = json.loads(answer.stdout)["tallies"][EVENT]["net_cents"]
        return [
            Decimal(shown["total"]),
            sum((Decimal(each["net_amount"]) for each in self.exported()), Decimal(0)),
            Decimal(reconciled) / 100,
        ]


def test_entries_that_expired_leave_every_reader_calm_and_equal(
    own: RunningStack, scc: Scc
) -> None:
    harbor = Harbor(own)
    endpoint = ("--endpoint-url", own.settings.engine_url)

    def local(*arguments: str, **more: Any) -> Any:
        return scc(*endpoint, *arguments, **more)

    until(lambda: statements(harbor.dock, yesterday()))
    harbor.expire(is_on=False)
    entries = voyage(EVENT, day=yesterday(), now=time.time_ns() // 1_000_000 - 3_600_000, older=40)
    harbor.store(entries)
    until(lambda: harbor.numbers() == {1, 2, 3, 4, 5})
    record = harbor.seal_again()
    (certificate,) = record["expiring"]
    assert (certificate["event_id"], certificate["through_seq"]) == (EVENT, 3)
    assert local("verify").returncode == 0
    before = harbor.totals(local)
    assert before == [Decimal("5.73")] * 3

    until(harbor.is_quiet)  # a message about a row that is gone would be a dead letter
    harbor.expire(is_on=True)
    until(lambda: harbor.numbers() == {4, 5}, seconds=150)
    answer = local("verify", "--json")
    assert answer.returncode == 0, answer.stdout
    (event,) = [each for each in json.loads(answer.stdout)["events"] if each["event_id"] == EVENT]
    assert (event["entries"], event["expired"], event["head"]) == (2, 3, 5)
    assert harbor.totals(local) == before
    expired, *rest = harbor.exported()
    assert (expired["kind"], expired["net_amount"], len(rest)) == ("expired", "5.00", 2)
    assert f"{EVENT} expired" in local("reconcile").stdout
    assert local("status").returncode == 0, "TTL is no tampering"
    answer = local("payment", entries[0].payment_id)
    assert answer.returncode == 0, answer.stderr
    assert "deleted after seven years, as a sealed statement certified" in answer.stderr

    row = entries[3].to_row()
    key = to_attributes({"PK": row["PK"], "SK": row["SK"]})
    harbor.dynamodb.delete_item(TableName=harbor.tables["Payments"], Key=key)
    answer = local("verify")
    assert answer.returncode == 1
    assert "#000004" in answer.stdout
    assert "missing" in answer.stdout

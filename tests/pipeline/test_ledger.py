"""The ledger under many hands, and under one that dies: on the deployed table, through the API."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.api.identity import User
from functions.api.payments import payment_id_of
from local.processes import clean_environment
from local.settings import REGION, REPOSITORY, ROOT_CREDENTIALS
from shared.attributes import from_attributes, to_attributes
from shared.ledger import GENESIS_HASH, LedgerEntry, entry_hash
from tests.dock import Answer, Dock

WRITERS = 64
ADMIN = User(email="admin@shipcaptaincrew.example", name="admin", groups=("admins",))


def test_64_writers_at_once_leave_one_chain(dock: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    """Every 200 is in the table once and nothing else is; who is turned away may come again."""
    event_id = make_event(dock)
    keys = [uuid.uuid4() for _ in range(WRITERS)]
    for key in keys:
        spare_the_mail(dock, key)

    def log(key: uuid.UUID) -> Answer:
        return dock.log(str(key), event_id=event_id)

    with ThreadPoolExecutor(WRITERS) as writers:
        answers = list(writers.map(log, keys))
    statuses = Counter(answer.status for answer in answers)
    share = statuses[409] / WRITERS
    with capsys.disabled():  # a figure to read, not to pass or fail by
        print(f"\n{WRITERS} writers on one event: {dict(statuses)}, {share:.0%} were answered 409")  # noqa: T201
    assert set(statuses) <= {200, 409}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 409)
    logged = [answer.json["payment"]["payment_id"] for answer in answers if answer.status == 200]
    assert sorted(logged) == sorted(row["payment_id"] for row in chain_of(dock, event_id))

    again = [
        dock.log(str(key), event_id=event_id, amount=a.json["payment"]["amount"])
        for key, a in zip(keys, answers, strict=True)
        if a.status == 200
    ][:3]
    assert {answer.headers["Idempotent-Replayed"] for answer in again} == {"true"}
    for key, answer in zip(keys, answers, strict=True):
        if answer.status == 409:
            assert log(key).status == 200
    assert len(chain_of(dock, event_id)) == WRITERS


def test_a_writer_killed_before_it_could_answer_has_logged_once(dock: Dock) -> None:
    key = str(uuid.uuid4())
    body = {
        "event_id": "sunset-charter",
        "patron_email": "jane.doe@example.com",
        "amount": "73.21",
        "method": "cash",
        "note": key,
    }
    died = handle_in_a_process_that_dies(dock, key, body)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout == "", "no answer left the process"
    (row,) = [row for row in chain_of(dock, "sunset-charter") if row["note"] == key]
    saved = dock.call("GET", f"/api/payments/by-key/{key}")
    assert saved.json["payment"]["payment_id"] == row["payment_id"]
    retried = dock.log(key, **body)
    assert retried.headers["Idempotent-Replayed"] == "true"
    assert retried.json["payment"]["hash"] == row["hash"]
    assert [each for each in chain_of(dock, "sunset-charter") if each["note"] == key] == [row]
    dock.await_mail(row["payment_id"])


def chain_of(dock: Dock, event_id: str) -> list[dict[str, Any]]:
    """An event's rows as they are in the table, which is one gapless chain up to its head."""
    dynamodb = dock.stack.aws.client("dynamodb")
    items = dynamodb.get_paginator("query").paginate(
        TableName=dock.stack.outputs["PaymentsTableName"],
        IndexName="GSI2",
        KeyConditionExpression="event_id = :event_id",
        ExpressionAttributeValues=to_attributes({":event_id": event_id}),
    )
    rows = sorted(map(from_attributes, items.search("Items[]")), key=lambda row: row["seq"])
    last = GENESIS_HASH
    for number, row in enumerate(rows, start=1):
        assert (row["seq"], row["prev_hash"], row["hash"]) == (number, last, entry_hash(row))
        assert LedgerEntry.from_row(row).to_row() == row
        last = row["hash"]
    head = dynamodb.get_item(
        TableName=dock.stack.outputs["LedgerTableName"],
        Key=to_attributes({"PK": f"EVENT#{event_id}"}),
    )["Item"]
    assert from_attributes(head)["hash"] == last
    return rows


def make_event(dock: Dock) -> str:
    """An event that no other test logs to."""
    event_id = f"regatta-{uuid.uuid4().hex[:12]}"
    meta = {"SK": "META", "name": "Regatta", "event_date": "2026-11-28", "timezone": "UTC"}
    patron = {"SK": "PATRON#jane.doe@example.com", "email": "jane.doe@example.com"}
    for item in (meta, patron | {"name": "Jane Doe"}):
        dock.stack.aws.client("dynamodb").put_item(
            TableName=dock.stack.outputs["EventsTableName"],
            Item=to_attributes({"event_id": event_id} | item),
        )
    return event_id


def spare_the_mail(dock: Dock, key: uuid.UUID) -> None:
    """Let the mailer find the entry sent: 64 mails would keep the other tests' waiting."""
    delivery = {"payment_id": payment_id_of(ADMIN, key), "state": "sent", "attempts": 1}
    dock.stack.aws.client("dynamodb").put_item(
        TableName=dock.stack.outputs["DeliveriesTableName"],
        Item=to_attributes(delivery | {"sent_at": 1}),
    )


def handle_in_a_process_that_dies(
    dock: Dock, key: str, body: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    function = dock.stack.aws.client("lambda").get_function_configuration(
        FunctionName=dock.stack.outputs["ApiFunctionName"]
    )
    event = {
        "version": "2.0",
        "rawPath": "/api/payments",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "cookies": [dock.cookie],
        "requestContext": {"http": {"method": "POST", "path": "/api/payments"}},
        "body": json.dumps(body),
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killed_writer"],
        cwd=REPOSITORY,
        env=clean_environment(
            **function["Environment"]["Variables"],
            AWS_ENDPOINT_URL=dock.stack.aws.endpoint,
            AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID=ROOT_CREDENTIALS["aws_access_key_id"],
            AWS_SECRET_ACCESS_KEY=ROOT_CREDENTIALS["aws_secret_access_key"],
        ),
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )

"""The ledger with many writers, and with one that dies: on the deployed table, through the API."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from functions.api.http.problems import ContentionError
from functions.api.payments.appending import Submission, payment_id_of
from functions.api.payments.log import Logged, PaymentRequest, handle_payment_log
from functions.api.people.identity import User
from functions.api.settings import ApiSettings
from functions.api.tables.dynamo import Dynamo
from functions.api.tables.ledger import LedgerStore
from local.engine import batch_writes
from local.processes import clean_environment
from local.settings import REGION, REPOSITORY, ROOT_CREDENTIALS
from shared.attributes import from_attributes, to_attributes
from shared.ledger import GENESIS_HASH, LedgerEntry, entry_hash
from shared.settings import read_settings
from tests.builders import ZONE
from tests.dock import Answer, Dock
from tests.suites import LONG

# CloudFront's answer when the function ran out of time, as eight cold starts at once can.
FUNCTION_TIMED_OUT, FUNCTION_SECONDS = 502, 15
WRITERS = 64
ADMIN = User(sub="4a9f", email="admin@shipcaptaincrew.example", name="admin", groups=("admins",))


@LONG
def test_64_writers_at_once_leave_one_chain(dock: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    """Every answered payment is in the table once, and no other; the rest may retry.

    The writers are threads with the API's rules and store: 64 Lambda workers of the emulator would
    spend a minute on starting up. What they write to is the deployed table.
    """
    event_id = make_event(dock)
    keys = [uuid.uuid4() for _ in range(WRITERS)]
    spare_the_mails(dock, keys)
    ledger = LedgerStore(
        Dynamo(dock.stack.aws.client("dynamodb")),
        read_settings(ApiSettings, environment_of_the_api(dock)),
    )
    together = Barrier(WRITERS)

    def log(key: uuid.UUID) -> Logged | ContentionError:
        request = PaymentRequest(
            event_id=event_id,
            patron_email=f"patron{keys.index(key)}@example.com",
            amount="25.00",
            method="cash",
        )
        submission = Submission(
            user=ADMIN,
            key=key,
            now=time.time_ns() // 1_000_000,
            zone=ZONE,
            max_amount_cents=10_000_000,
            ledger=ledger,
            pause=time.sleep,
        )
        together.wait()
        try:
            return handle_payment_log(submission, request)
        except ContentionError as error:
            return error

    began = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as writers:
        answers = list(writers.map(log, keys))
    took = time.monotonic() - began
    logged = [each.entry.payment_id for each in answers if isinstance(each, Logged)]
    turned_away = [each for each in answers if isinstance(each, ContentionError)]
    with capsys.disabled():  # a figure to read, not to pass or fail by
        print(f"\n{WRITERS} writers: {len(turned_away)} were answered 409, in {took:.1f} s")  # noqa: T201
    assert sorted(logged) == sorted(row["payment_id"] for row in chain_of(dock, event_id))
    assert all(each.headers["Retry-After"] == "1" for each in turned_away)


@LONG
def test_64_requests_over_8_connections_are_all_logged_once(dock: Dock) -> None:
    """Through CloudFront and Lambda; a client without a definite answer retries with its key."""
    event_id = make_event(dock)
    keys = [uuid.uuid4() for _ in range(WRITERS)]
    spare_the_mails(dock, keys)

    def log(key: uuid.UUID) -> list[Answer]:
        email = f"patron{keys.index(key)}@example.com"

        def ask() -> Answer:
            began = time.monotonic()
            try:
                answer = dock.log(str(key), event_id=event_id, patron_email=email, amount="25.00")
            except TimeoutError:  # this client's own patience, on a machine with much to do
                answer = Answer(FUNCTION_TIMED_OUT, {}, b"")
            took = time.monotonic() - began
            assert answer.status != FUNCTION_TIMED_OUT or took >= FUNCTION_SECONDS, answer.content
            return answer

        answers = [ask()]
        while answers[-1].status in (409, FUNCTION_TIMED_OUT) and len(answers) < 20:
            assert answers[-1].status != 409 or answers[-1].headers["Retry-After"]
            answers.append(ask())
        return [*answers, ask()]

    with ThreadPoolExecutor(8) as writers:
        answers = list(writers.map(log, keys))
    assert {answer.status for each in answers for answer in each} <= {200, 409, FUNCTION_TIMED_OUT}
    assert [each[-1].headers["Idempotent-Replayed"] for each in answers] == ["true"] * WRITERS
    ids = [each[-1].json["payment"]["payment_id"] for each in answers]
    assert sorted(ids) == sorted(row["payment_id"] for row in chain_of(dock, event_id))


def test_a_writer_killed_before_it_could_answer_has_logged_once(dock: Dock) -> None:
    key = str(uuid.uuid4())
    body = {
        "event_id": "sunset-charter",
        "patron_email": "jane.doe@example.com",
        "amount": f"{int(key[:6], 16) // 256 + 1}.21",
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
    emails = [f"patron{n}@example.com" for n in range(WRITERS)]
    roster = [{"SK": f"PATRON#{each}", "email": each, "name": "Someone"} for each in emails]
    put_all(dock, "Events", [{"event_id": event_id} | item for item in (meta, *roster)])
    return event_id


def spare_the_mails(dock: Dock, keys: list[uuid.UUID]) -> None:
    """Let the mailer find the entries sent: 64 mails would keep the other tests' waiting."""
    sent = {"state": "sent", "attempts": 1, "sent_at": 1}
    deliveries = [sent | {"payment_id": payment_id_of(ADMIN, key)} for key in keys]
    put_all(dock, "Deliveries", deliveries)


def put_all(dock: Dock, table: str, rows: list[dict[str, Any]]) -> None:
    name = dock.stack.outputs[f"{table}TableName"]
    batch_writes.put_all(dock.stack.aws.client("dynamodb"), name, rows)


def environment_of_the_api(dock: Dock) -> dict[str, str]:
    function = dock.stack.aws.client("lambda").get_function_configuration(
        FunctionName=dock.stack.outputs["ApiFunctionName"]
    )
    variables: dict[str, str] = function["Environment"]["Variables"]
    return variables


def handle_in_a_process_that_dies(
    dock: Dock, key: str, body: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    event = {
        "version": "2.0",
        "rawPath": "/api/payments",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "cookies": [dock.cookie],
        "requestContext": {
            "http": {"method": "POST", "path": "/api/payments"},
            "stage": "$default",
        },
        "body": json.dumps(body),
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killed_writer"],
        cwd=REPOSITORY,
        env=clean_environment(
            **environment_of_the_api(dock),
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

"""The sweep on the deployed template, under its own role: what the stream lost is mailed once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from shared.audit.messages import AuditMessage
from tests.dock import Dock, until
from tests.suites import LONG


def sweep(dock: Dock) -> dict[str, Any]:
    answer = dock.stack.aws.client("lambda").invoke(
        FunctionName=dock.stack.outputs["SweepFunctionName"],
        Payload=json.dumps({"grace_seconds": 0}),
    )
    content: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, content
    return content


@contextmanager
def router_off(dock: Dock) -> Iterator[None]:
    """Meanwhile, entries reach the queue only through the sweep; the stream delivers them later."""
    lambda_ = dock.stack.aws.client("lambda")
    (mapping,) = lambda_.list_event_source_mappings(
        FunctionName=dock.stack.outputs["RouterFunctionName"]
    )["EventSourceMappings"]
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@LONG
def test_two_sweeps_at_once_mail_once_what_the_stream_does_not_deliver(dock: Dock) -> None:
    with router_off(dock):
        payments = [dock.logged() for _ in range(3)]
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: sweep(dock), range(2)))
        assert max(each["queued"] for each in both) >= 3
        for payment in payments:
            dock.await_mail(payment["payment_id"])
    last = dock.logged()
    for payment in [last, *payments]:
        dock.await_mail(payment["payment_id"])


def test_a_payment_logged_after_its_event_ended_is_mailed_like_any_other(dock: Dock) -> None:
    event = dock.call("GET", "/api/events/captains-supper").json
    assert event["event"]["event_date"] < datetime.now(UTC).date().isoformat()
    patron = event["roster"][0]["email"]
    with router_off(dock):
        payment = dock.logged(event_id="captains-supper", patron_email=patron)
        sweep(dock)
        assert until(lambda: dock.mails_of(payment["payment_id"]))
    until(dock.is_queue_empty)
    assert len(dock.mails_of(payment["payment_id"])) == 1


def test_an_entry_with_a_dead_letter_is_left_there_and_others_are_queued(
    dock: Dock,
) -> None:
    sqs, dead = dock.stack.aws.client("sqs"), dock.stack.outputs["DeadLetterQueueUrl"]
    with router_off(dock):
        resting, lost = dock.logged(), dock.logged()
        row = {
            "payment_id": resting["payment_id"],
            "PK": "sunset-charter#jane.doe@example.com",
            "SK": resting["timestamp"],
            "event_id": "sunset-charter",
            "seq": resting["seq"],
        }
        for body in (f"no message {uuid.uuid4()}", AuditMessage.from_row(row).to_json()):
            sqs.send_message(QueueUrl=dead, MessageBody=body)
        for _ in range(2):
            assert sweep(dock)["dead_lettered"] >= 1
        dock.await_mail(lost["payment_id"])
        assert dock.mails_of(resting["payment_id"]) == []
        until(lambda: _dead(dock, "") >= 2 and _dead(dock, "NotVisible") == 0)
        _take_from_dead_letters(dock, resting["payment_id"])
        assert until(lambda: sweep(dock)["queued"])
        dock.await_mail(resting["payment_id"])


def _dead(dock: Dock, state: str) -> int:
    """How many messages are in the dead-letter queue: visible, or "NotVisible"."""
    counts = dock.stack.aws.client("sqs").get_queue_attributes(
        QueueUrl=dock.stack.outputs["DeadLetterQueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    return int(counts[f"ApproximateNumberOfMessages{state}"])


def _take_from_dead_letters(dock: Dock, payment_id: str) -> None:
    sqs, dead = dock.stack.aws.client("sqs"), dock.stack.outputs["DeadLetterQueueUrl"]

    def taken() -> bool:
        answer = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=2)
        for each in answer.get("Messages", ()):
            if payment_id in each["Body"]:
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=each["ReceiptHandle"])
                return True
        return False

    assert until(taken)

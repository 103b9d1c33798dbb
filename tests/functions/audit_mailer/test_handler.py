"""The mailer's handler: what happens to each message of a batch."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer import handler, wiring
from functions.audit_mailer.delivery.audit_queue import AuditQueueReceiver, ReceivedMessage
from functions.audit_mailer.delivery.consumer import Consumer
from functions.audit_mailer.delivery.courier import Outcome, PostponeError, QuarantineError, Try
from functions.audit_mailer.gmail.failures import Failure, FailureClass
from functions.audit_mailer.mailer import Delivered
from shared.audit.messages import AuditMessage, Message
from shared.settings import SettingsError
from tests.builders import NOW, entry
from tests.functions.lambda_context import Context


@dataclass
class FakeMailer:
    """Fails for the payments named here, delivers the others."""

    fails: dict[str, FailureClass] = field(default_factory=dict)
    delivered: list[str] = field(default_factory=list)

    def deliver(self, message: Message, this_try: Try) -> Delivered:
        assert this_try.request_id
        assert isinstance(message, AuditMessage)
        klass = self.fails.get(message.payment_id)
        if klass == "permanent":
            raise QuarantineError("permanent", "x: why")
        if klass is not None:
            raise PostponeError(60, "x", Failure(klass=klass, code="x", message="why"))
        self.delivered.append(message.payment_id)
        return Delivered(Outcome.SENT, logged_at=NOW)


@dataclass
class Queues:
    sqs: Any
    audit: str
    dead_letters: str
    mailer: FakeMailer

    def receive(self) -> list[dict[str, Any]]:
        """Everything visible on the audit queue, as the event source mapping hands it over."""
        answer = self.sqs.receive_message(
            QueueUrl=self.audit,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        return [_record(each) for each in answer.get("Messages", ())]

    def dead(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def hidden(self) -> int:
        counts = self.sqs.get_queue_attributes(QueueUrl=self.audit, AttributeNames=["All"])
        return int(counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        sqs = boto3.client("sqs")
        audit = sqs.create_queue(QueueName="audit")["QueueUrl"]
        dead_letters = sqs.create_queue(QueueName="audit-dlq")["QueueUrl"]
        mailer = FakeMailer()
        consumer = Consumer(
            lambda: mailer, AuditQueueReceiver(lambda: sqs, audit, dead_letters), 900
        )
        monkeypatch.setattr(wiring, "consumer", lambda: consumer)
        yield Queues(sqs, audit, dead_letters, mailer)


def bodies(*payment_ids: str) -> list[str]:
    return [
        AuditMessage.from_row(entry(payment_id=each).to_row()).to_json() for each in payment_ids
    ]


def run(queues: Queues, *sent: str, receives: int = 1, remaining_ms: int = 60_000) -> list[str]:
    """Send, receive, handle; the ids of the messages reported as failed."""
    for body in sent:
        queues.sqs.send_message(QueueUrl=queues.audit, MessageBody=body)
    records = queues.receive()
    assert len(records) == len(sent)
    for record in records:
        record["attributes"]["ApproximateReceiveCount"] = str(receives)
    context = Context(remaining_ms=remaining_ms)
    answer = handler.lambda_handler({"Records": records}, context)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_only_the_failed_message_is_reported(queues: Queues) -> None:
    queues.mailer.fails = {"pay_2": "retry"}
    assert len(run(queues, *bodies("pay_1", "pay_2", "pay_3"))) == 1
    assert sorted(queues.mailer.delivered) == ["pay_1", "pay_3"]


@pytest.fixture
def written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[dict[str, Any]]]:
    """The log lines and the metrics that the handler has written so far."""
    stream = io.StringIO()
    monkeypatch.setattr(handler.logger.registered_handler, "stream", stream)

    def lines() -> list[dict[str, Any]]:
        text = stream.getvalue() + capsys.readouterr().out
        return [json.loads(line) for line in text.splitlines()]

    return lines


def test_a_batch_is_delivered_by_ten_threads_at_once(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, written: Callable[[], list[dict[str, Any]]]
) -> None:
    """The barrier lets no thread through before all ten have arrived."""
    barrier = threading.Barrier(10, timeout=30)
    deliver = queues.mailer.deliver

    def together(message: AuditMessage, this_try: Try) -> Delivered:
        barrier.wait()
        return deliver(message, this_try)

    monkeypatch.setattr(queues.mailer, "deliver", together)
    queues.mailer.fails = {"pay_3": "retry", "pay_7": "systemic"}
    assert len(run(queues, *bodies(*(f"pay_{n}" for n in range(10))))) == 2
    lines = written()
    delivered = [line for line in lines if line.get("message") == "audit mail delivered"]
    assert {line["payment_id"] for line in delivered} == set(queues.mailer.delivered)
    assert len({line["message_id"] for line in delivered}) == 8
    (counted,) = (line for line in lines if "_aws" in line)
    assert sum(counted["MailsSent"]) == 8
    assert sum(counted["DeliveriesFailed"]) == 2
    assert sum(counted["CredentialFailures"]) == 1
    assert len(counted["DeliveryLatency"]) == 8


def test_the_latency_runs_from_the_servers_clock_at_logging(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, written: Callable[[], list[dict[str, Any]]]
) -> None:
    consumer = replace(wiring.consumer(), now=lambda: NOW + 1_234)
    monkeypatch.setattr(wiring, "consumer", lambda: consumer)
    run(queues, *bodies("pay_1"))
    lines = written()
    assert [line["latency_ms"] for line in lines if "latency_ms" in line] == [1_234]
    assert [line["DeliveryLatency"] for line in lines if "_aws" in line] == [[1_234.0]]


def test_a_wait_without_a_failure_is_not_counted_as_one(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def paced(*_: object) -> Delivered:
        raise PostponeError(30, "Gmail's quota is in use")

    monkeypatch.setattr(queues.mailer, "deliver", paced)
    assert len(run(queues, *bodies("pay_1"))) == 1
    assert "DeliveriesFailed" not in capsys.readouterr().out
    assert run(queues, *bodies("pay_2"), receives=7) == []
    assert queues.dead() == []


def test_a_reason_of_any_characters_reaches_the_dead_letter_queue(queues: Queues) -> None:
    delivery = ReceivedMessage(body="b", receipt_handle="r", receives=3, attempts=8, replay_count=2)
    reason = "bad\x00\x0b\ud800\ufffe name " + "x" * 400
    wiring.consumer().queue.quarantine(delivery, "permanent", reason)
    attributes = queues.dead()[0]["MessageAttributes"]
    assert attributes["error_message"]["StringValue"].startswith("bad")
    assert attributes["error_message"]["StringValue"].isprintable()
    assert attributes["attempts"]["StringValue"] == "11"
    assert attributes["replay_count"]["StringValue"] == "2"


@pytest.mark.parametrize("body", ["not json", "{}", '{"schema":"scc.audit/9"}', "[1]"])
def test_poison_is_set_aside_at_once_with_its_reason(queues: Queues, body: str) -> None:
    assert run(queues, body, *bodies("pay_1")) == []
    assert queues.mailer.delivered == ["pay_1"]
    (dead,) = queues.dead()
    assert dead["Body"] == body
    attributes = dead["MessageAttributes"]
    assert attributes["error_class"]["StringValue"] == "poison-schema"
    assert attributes["error_message"]["StringValue"]
    assert attributes["attempts"]["StringValue"] == "1"
    assert attributes["replay_count"]["StringValue"] == "0"


def test_a_permanent_refusal_goes_to_the_dead_letter_queue(queues: Queues) -> None:
    queues.mailer.fails = {"pay_1": "permanent"}
    assert run(queues, *bodies("pay_1")) == []
    assert queues.dead()[0]["MessageAttributes"]["error_message"]["StringValue"] == "x: why"


@pytest.mark.parametrize("klass", ["retry", "ambiguous", "later", "systemic"])
def test_a_recoverable_failure_stays_hidden_on_the_queue(
    queues: Queues, klass: FailureClass
) -> None:
    queues.mailer.fails = {"pay_1": klass}
    assert len(run(queues, *bodies("pay_1"))) == 1
    assert queues.hidden() == 1
    assert queues.dead() == []


def test_an_outage_does_not_use_up_the_receives(queues: Queues) -> None:
    queues.mailer.fails = {"pay_1": "systemic"}
    assert run(queues, *bodies("pay_1"), receives=7) == []
    counts = queues.sqs.get_queue_attributes(QueueUrl=queues.audit, AttributeNames=["All"])
    assert counts["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    assert queues.dead() == []


def test_a_configuration_that_cannot_mail_keeps_the_messages_waiting(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unusable() -> FakeMailer:
        raise SettingsError("set GMAIL_CREDENTIALS_SECRET_ID")

    consumer = replace(wiring.consumer(), mailer=unusable)
    monkeypatch.setattr(wiring, "consumer", lambda: consumer)
    assert len(run(queues, *bodies("pay_1"))) == 1
    assert queues.hidden() == 1
    assert '"CredentialFailures":[1.0]' in capsys.readouterr().out


def test_no_delivery_starts_that_the_invocation_cannot_finish(queues: Queues) -> None:
    assert len(run(queues, *bodies("pay_1"), remaining_ms=5_000)) == 1
    assert queues.mailer.delivered == []


def _record(message: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:audit",
        "awsRegion": "us-east-1",
        "md5OfBody": message["MD5OfBody"],
    }

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.stream_router import handler
from functions.stream_router.audit_queue import AuditQueueSender
from functions.stream_router.failures_bucket import BucketRefusedError, FailuresBucket
from functions.stream_router.router import QueueRefusedError, Router
from functions.stream_router.routing import Routed, Tampered, Unroutable, route, sort_out
from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage
from tests.builders import entry, stream_record
from tests.functions.lambda_context import Context


@dataclass
class FakeQueue:
    """Refuses the messages at these positions of the whole run."""

    refuses: set[int] = field(default_factory=set)
    sent: list[AuditMessage] = field(default_factory=list)
    seen: int = 0

    def send(self, messages: Sequence[AuditMessage]) -> set[int]:
        refused = {n for n in range(len(messages)) if self.seen + n in self.refuses}
        self.seen += len(messages)
        self.sent += [each for n, each in enumerate(messages) if n not in refused]
        return refused


@dataclass
class FakeBucket:
    """Refuses the records with these sequence numbers."""

    refuses: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)

    def keep(self, record: Unroutable | Tampered) -> None:
        if record.sequence_number in self.refuses:
            raise BucketRefusedError(record.sequence_number)
        self.kept.append(f"{record.folder}/{record.sequence_number}")


BROKEN = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "9", "NewImage": {}}}


def records(count: int) -> list[dict[str, Any]]:
    return [stream_record(entry(timestamp=1_000 + n), number=n) for n in range(count)]


def test_a_new_entry_becomes_its_claim_check() -> None:
    routed = route(stream_record(number=7))
    assert isinstance(routed, Routed)
    assert routed.sequence_number == "7"
    assert routed.message.payment_id == entry().payment_id


@pytest.mark.parametrize(
    "image", [{}, {"PK": {"S": "x"}}, {"PK": {"Q": "x"}}, {"PK": "x"}, {"SK": {"N": "NaN"}}]
)
def test_a_malformed_image_is_set_aside_with_a_reason(image: dict[str, Any]) -> None:
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "3", "NewImage": image}}
    unroutable = route(record)
    assert isinstance(unroutable, Unroutable)
    assert unroutable.sequence_number == "3"
    assert unroutable.reason


@pytest.mark.parametrize("record", [{}, {"eventName": "COMPACT"}, {"eventName": None}])
def test_a_record_of_a_kind_that_nobody_knows_is_set_aside_and_not_dropped(
    record: dict[str, Any],
) -> None:
    assert isinstance(route(record), Unroutable)


def test_an_unroutable_record_does_not_hold_up_the_others() -> None:
    queue, bucket = FakeQueue(), FakeBucket()
    outcome = Router(queue, bucket).route_batch(sort_out([BROKEN, *records(3)]))
    assert len(queue.sent) == 3
    assert bucket.kept == ["unroutable/9"]
    assert outcome.failed_from == []


def test_a_record_that_s3_refuses_is_tried_again_and_delays_nobody() -> None:
    queue, bucket = FakeQueue(), FakeBucket(refuses={"7"})
    worse = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "7"}}
    with pytest.raises(BucketRefusedError):
        Router(queue, bucket).route_batch(sort_out([worse, BROKEN, *records(3)]))
    assert len(queue.sent) == 3
    assert bucket.kept == ["unroutable/9"]


def test_tampering_is_kept_although_the_queue_takes_nothing() -> None:
    bucket = FakeBucket()
    removed = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "7"}}
    with pytest.raises(QueueRefusedError):
        Router(FakeQueue(refuses={0}), bucket).route_batch(sort_out([removed, *records(1)]))
    assert bucket.kept == ["tampered/7"]


def test_the_stream_starts_again_at_the_lowest_number_the_queue_refused() -> None:
    queue = FakeQueue(refuses={13, 15})
    outcome = Router(queue, FakeBucket()).route_batch(sort_out(records(40)))
    assert outcome.failed_from == ["13"]
    assert queue.seen == 20
    assert (len(outcome.sent), outcome.failed) == (18, 22)


def test_nothing_sent_at_all_fails_the_whole_batch() -> None:
    with pytest.raises(QueueRefusedError):
        Router(FakeQueue(refuses=set(range(10))), FakeBucket()).route_batch(sort_out(records(10)))


class RefusingSqs:
    """Answers 200 and lists entries under Failed, as SQS does when it is short of capacity."""

    def __init__(self, *failed: list[str]) -> None:
        self.failed = list(failed)
        self.calls: list[list[str]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append([each["Id"] for each in Entries])
        failed = self.failed.pop(0) if self.failed else []
        return {"Failed": [{"Id": each, "SenderFault": False, "Code": "x"} for each in failed]}


def test_what_the_queue_refused_is_tried_once_more_in_place() -> None:
    sqs = RefusingSqs(["2", "5"], ["5"])
    messages = [AuditMessage.from_row(entry(timestamp=n + 1).to_row()) for n in range(10)]
    assert AuditQueueSender(sqs, "q").send(messages) == {5}
    assert sqs.calls[1] == ["2", "5"]


def test_a_batch_that_failed_is_counted_and_handed_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    router = Router(FakeQueue(refuses=set(range(10))), FakeBucket())
    monkeypatch.setattr(handler, "router", lambda: router)
    with pytest.raises(QueueRefusedError):
        handler.lambda_handler({"Records": records(3)}, Context())
    out = capsys.readouterr().out
    assert '"RecordsIn":[3.0]' in out
    assert '"RecordsFailed":[3.0]' in out


def test_an_image_is_routed_by_the_fields_the_message_names() -> None:
    record = stream_record(number=7)
    record["dynamodb"]["NewImage"]["photo"] = {"B": b"no row of ours holds bytes"}
    assert isinstance(route(record), Routed)


def test_tampering_is_told_although_nothing_can_be_kept(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = Router(FakeQueue(), FakeBucket(refuses={"7"}))
    monkeypatch.setattr(handler, "router", lambda: router)
    old = to_attributes(entry().to_row())
    removed = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "7", "OldImage": old}}
    with pytest.raises(BucketRefusedError):
        handler.lambda_handler({"Records": [removed]}, Context())
    assert '"LedgerTampered":[1.0]' in capsys.readouterr().out
    (line,) = caplog.records
    assert line.getMessage() == "ledger row removed"
    assert vars(line)["payment_id"] == entry().payment_id
    assert "jane.doe@example.com" not in str(vars(line))


def test_the_handler_sends_every_entry_of_a_batch_to_the_real_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        sqs, s3 = boto3.client("sqs"), boto3.client("s3")
        url = sqs.create_queue(QueueName="audit")["QueueUrl"]
        s3.create_bucket(Bucket="failures")
        router = Router(AuditQueueSender(sqs, url), FailuresBucket(lambda: s3, "failures"))
        monkeypatch.setattr(handler, "router", lambda: router)
        event = {"Records": [*records(23), BROKEN]}
        assert handler.lambda_handler(event, Context()) == {"batchItemFailures": []}
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert counts["ApproximateNumberOfMessages"] == "23"
        assert s3.list_objects_v2(Bucket="failures")["Contents"][0]["Key"] == "unroutable/9.json"


def test_a_bucket_that_is_gone_is_an_error_of_ours_so_that_lambda_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        bucket = FailuresBucket(lambda: boto3.client("s3"), "gone")
        with pytest.raises(BucketRefusedError):
            bucket.keep(Unroutable("9", "why", {}))

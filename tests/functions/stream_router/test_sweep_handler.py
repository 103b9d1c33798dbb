"""The sweep on tables and queues: what it finds, and what it leaves alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.stream_router import dead_letters as dead_letters_module
from functions.stream_router import sweep_handler as sweep
from functions.stream_router.dead_letters import DeadLetters
from functions.stream_router.sweep import Sweeper
from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage
from shared.ledger import business_day
from tests.builders import ZONE, entry, message
from tests.functions.lambda_context import Context
from tests.tables import create_tables

HOSTILE = [
    "",
    "not json",
    "[" * 50_000,
    "null",
    '{"schema":"scc.audit/99","payment_id":"pay_2"}',
    '{"schema":"scc.audit/1","payment_id":["pay_2"],"pk":"a","sk":1,"event_id":"e","seq":1}',
    json.dumps(
        {"schema": "scc.audit/1"}
        | {"payment_id": "p" * 100_000, "pk": "a", "sk": 1, "event_id": "e", "seq": 1}
    ),
    '{"schema":"scc.audit/1","payment_id":"\\ud800","pk":"a","sk":1,"event_id":"e","seq":1}',
]


@dataclass
class Town:
    dynamodb: Any
    sqs: Any
    tables: dict[str, str]
    audit: str
    dead: str

    def log(self, *payment_ids: str, **changes: Any) -> None:
        for number, payment_id in enumerate(payment_ids):
            fresh = entry(payment_id=payment_id, timestamp=1 + number, **changes).to_row()
            now = time.time_ns() // 1_000_000
            logged_at = now - 1_000 + number
            row = fresh | {"logged_at": logged_at, "logged_day": business_day(logged_at, ZONE)}
            self.dynamodb.put_item(TableName=self.tables["Payments"], Item=to_attributes(row))

    def rest(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.dead, MessageBody=body or " ")

    def count(self, url: str, state: str = "") -> int:
        name = f"ApproximateNumberOfMessages{state}"
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return int(answer["Attributes"][name])

    def queued(self) -> list[str]:
        """Takes the messages off the audit queue."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.audit, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += [AuditMessage.from_json(each["Body"]).payment_id for each in messages]
        return sorted(found)


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(dead_letters_module, "ALL_SERVERS_SECONDS", 0)  # moto is one server
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        tables = create_tables(dynamodb)
        audit = sqs.create_queue(QueueName="audit")["QueueUrl"]
        dead = sqs.create_queue(QueueName="audit-dlq")["QueueUrl"]
        monkeypatch.setenv("AUDIT_QUEUE_URL", audit)
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", dead)
        monkeypatch.setenv("STREAM_MAPPING_ID", "00000000-0000-4000-8000-000000000000")
        monkeypatch.setenv("ROUTER_FUNCTION", "stream-router")
        monkeypatch.setenv("BUSINESS_TIMEZONE", ZONE.key)
        monkeypatch.setenv("PAYMENTS_TABLE", tables["Payments"])
        monkeypatch.setenv("DELIVERIES_TABLE", tables["AuditDeliveries"])
        cached = (
            sweep.settings,
            sweep.daybook,
            sweep.queue,
            sweep.dead_letters,
            sweep.stream_mapping,
        )
        for factory in cached:
            factory.cache_clear()
        yield Town(dynamodb, sqs, tables, audit, dead)
        for factory in cached:
            factory.cache_clear()


def run(remaining_ms: int = 300_000) -> dict[str, Any]:
    context = Context(remaining_ms=remaining_ms)
    swept: dict[str, Any] = sweep.lambda_handler({"grace_seconds": 0}, context)
    return swept


def test_dead_letters_stay_in_their_queue_and_only_other_entries_are_queued(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.log(*(f"pay_{n:02d}" for n in range(40)))
    resting = [f"pay_{n:02d}" for n in range(0, 40, 2)]
    town.rest(*(message(entry(payment_id=each)).to_json() for each in resting))
    for _ in range(3):  # as often as it comes
        swept = run()
        assert (swept["missing"], swept["queued"], swept["dead_lettered"]) == (40, 20, 20)
        assert town.queued() == [f"pay_{n:02d}" for n in range(1, 40, 2)]
        assert (town.count(town.dead), town.count(town.dead, "NotVisible")) == (20, 0)
    printed = capsys.readouterr().out
    assert '"AuditMissing":[40.0]' in printed
    assert '"MessagesRequeued":[20.0]' in printed
    assert '"RowsMalformed":[0.0]' in printed


def test_invalid_messages_neither_stop_the_sweep_nor_hide_an_entry(town: Town) -> None:
    town.log("pay_1", "pay_2", "pay_3")
    town.rest(*HOSTILE, message(entry(payment_id="pay_1")).to_json())
    assert run()["queued"] == 2
    assert town.queued() == ["pay_2", "pay_3"]
    assert town.count(town.dead) == len(HOSTILE) + 1


def test_a_message_that_someone_else_holds_is_not_treated_as_gone(town: Town) -> None:
    town.log("pay_1")
    town.rest(message(entry(payment_id="pay_1")).to_json())
    town.sqs.receive_message(QueueUrl=town.dead, VisibilityTimeout=600)
    look = sweep.dead_letters().look(lambda: True)
    assert (look.payment_ids, look.is_complete) == (frozenset(), False)


def test_a_look_that_runs_out_of_time_is_incomplete_and_releases_its_messages(
    town: Town,
) -> None:
    town.rest(*(message(entry(payment_id=f"pay_{n}")).to_json() for n in range(25)))
    look = sweep.dead_letters().look(lambda: False)
    assert (len(look.payment_ids), look.is_complete) == (10, False)
    assert (town.count(town.dead), town.count(town.dead, "NotVisible")) == (25, 0)


def test_two_sweeps_at_once_leave_both_queues_intact(town: Town) -> None:
    town.log("pay_1", "pay_2", "pay_3")
    town.rest(message(entry(payment_id="pay_1")).to_json())

    def one_more(_: int) -> int:
        """As the handler does, without its metrics: a Lambda process has them to itself."""
        sweeper = Sweeper(
            ledger=sweep.daybook(),
            queue=sweep.queue(),
            dead_letters=sweep.dead_letters(),
            now=time.time_ns() // 1_000_000,
            zone=ZONE,
            grace_ms=0,
            may_go_on=lambda: True,
        )
        return sweeper.sweep(sweep.settings().sweep_days).missing

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one_more, range(2))) == [3, 3]
    assert set(town.queued()) <= {"pay_1", "pay_2", "pay_3"}
    assert (town.count(town.dead), town.count(town.dead, "NotVisible")) == (1, 0)
    assert run()["queued"] == 2
    assert town.queued() == ["pay_2", "pay_3"]


def test_without_time_left_it_stops_cleanly_and_reports_it(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.log("pay_1")
    swept = run(remaining_ms=1_000)
    assert len(swept["days_left"]) == 8
    assert town.queued() == []
    assert '"SweepsUnfinished":[1.0]' in capsys.readouterr().out


def test_two_rows_of_one_payment_id_do_not_stop_it(town: Town) -> None:
    town.log("pay_1", "pay_1", "pay_2")
    run()
    assert set(town.queued()) == {"pay_1", "pay_2"}


@pytest.mark.parametrize("grace", [-1, 1.5, "0", None, True])
def test_a_grace_period_that_is_not_a_number_of_seconds_is_refused_by_name(grace: Any) -> None:
    with pytest.raises(ValueError, match="grace_seconds must be a whole number"):
        sweep.grace_seconds({"grace_seconds": grace}, 900)


def test_the_look_ends_however_full_the_queue_is(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters_module, "MOST_PAGES", 2)
    town.rest(*(message(entry(payment_id=f"pay_{n}")).to_json() for n in range(25)))
    look = DeadLetters(town.sqs, town.dead).look(lambda: True)
    assert (len(look.payment_ids), look.is_complete) == (20, False)


def test_a_stream_mapping_that_is_gone_is_counted_and_the_entries_are_swept(
    town: Town, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    town.log("pay_1")
    assert run()["queued"] == 1
    assert '"StreamMappingOff":[1.0]' in capsys.readouterr().out
    assert "the mapping is gone" in [vars(each).get("reason") for each in caplog.records]


def test_without_an_answer_about_the_mapping_nothing_is_counted_and_the_entries_are_swept(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm takes missing data for a fault: no answer must not look like a good one."""

    class Throttled:
        def fault(self) -> str:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "DescribeTable")

    monkeypatch.setattr(sweep, "stream_mapping", Throttled)
    town.log("pay_1")
    assert run()["queued"] == 1
    assert "StreamMappingOff" not in capsys.readouterr().out

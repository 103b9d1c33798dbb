"""scc in this process: its verbs on moto's tables and queues, and a mailbox of mails as bytes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from click.testing import CliRunner, Result

from ops.cli import scc
from ops.session import Session
from ops.stack.mailbox import AuditMailbox, NoSuchMailError
from ops.target import Target
from ops.terminal.console import Console
from ops.terminal.interrupts import listen
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.audit.messages import Message, read_message
from shared.ledger import LedgerEntry
from tests.builders import NOW
from tests.ops.mailboxes import mail
from tests.suites import later
from tests.tables import create_tables

WRITES = ("dynamodb.PutItem", "sqs.SendMessage", "sqs.DeleteMessage")
SENT = {"state": "sent", "sent_at": NOW + 2_000, "attempts": 1}


class KilledError(BaseException):
    """The process is gone: no call reaches AWS any more."""


class Box(AuditMailbox):
    """The audit mailbox as scc reads it; Gmail is a dictionary. mails: bytes and labels by id."""

    def __init__(self, mails: Mapping[str, tuple[bytes, list[str]]]) -> None:
        self._mails, self._kept, self._user = mails, {}, "audit@shipcaptaincrew.example"

    def find(self, query: str, page_token: str = "") -> Iterator[tuple[list[str], str]]:
        word = query.split('"')[1]
        yield [each for each, (raw, _) in self._mails.items() if word in _subject(raw)], page_token

    def _raw(self, gmail_id: str) -> tuple[bytes, list[str]]:
        if gmail_id not in self._mails:
            raise NoSuchMailError(f"no mail {gmail_id}")
        return self._mails[gmail_id]


def _subject(raw: bytes) -> str:
    return " ".join(str(message_from_bytes(raw)["Subject"]).split())


@dataclass
class Harbor:
    """tables: their names in moto. mails: what the mailbox holds."""

    tables: Mapping[str, str]
    queue: str
    dead: str
    session: boto3.Session = field(default_factory=boto3.Session)
    mails: dict[str, tuple[bytes, list[str]]] = field(default_factory=dict)
    caller: str = "arn:aws:iam::123456789012:user/grace"
    target: Target = field(default_factory=lambda: Target(stack="shipcaptaincrew"))
    business_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("America/New_York"))
    _clients: dict[str, Any] = field(default_factory=dict)

    # ── what scc asks its stack

    def client(self, service: str) -> Any:
        if service not in self._clients:
            make: Any = self.session.client  # its overloads want a literal name
            self._clients[service] = make(service)
        return self._clients[service]

    def output(self, name: str) -> str:
        if name == "SigningKeyId":  # slow to make, and only some ask for it
            made = self.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
            return str(made["KeyMetadata"]["KeyId"])
        other = {
            "AuditQueueUrl": self.queue,
            "DeadLetterQueueUrl": self.dead,
            "EvidenceBucketName": "evidence",
            "FailuresBucketName": "failures",
            "DeliveriesTableName": self.tables["AuditDeliveries"],
        }
        return other.get(name) or self.tables[name.removesuffix("TableName")]

    # ── what a test does

    def scc(self, *arguments: str) -> Result:
        return CliRunner().invoke(scc, arguments)

    def json(self, *arguments: str) -> Any:
        told = self.scc(*arguments, "--json").output
        return json.JSONDecoder().raw_decode(told)[0]  # messages for the person follow

    def put(self, table: str, item: Mapping[str, Any]) -> None:
        self.client("dynamodb").put_item(TableName=self.tables[table], Item=to_attributes(item))

    def log(self, entry: LedgerEntry, gmail_id: str = "", **delivery: Any) -> None:
        """A row with its pointer. gmail_id: of its mail, which is sent and in the mailbox."""
        self.put("Payments", entry.to_row())
        place = {"row_pk": entry.pk, "row_sk": entry.timestamp}
        self.put("Ledger", keys.pointer(entry.payment_id) | place)
        if gmail_id:
            self.mails[gmail_id] = (mail(entry.to_row()), ["INBOX"])
            sent = SENT | {"payment_id": entry.payment_id, "gmail_id": gmail_id}
            self.put("AuditDeliveries", sent | delivery)

    def record(self, ops_id: str) -> dict[str, Any]:
        key = to_attributes({"ops_id": ops_id, "part": 0})
        answer = self.client("dynamodb").get_item(TableName=self.tables["OpsRecord"], Key=key)
        return from_attributes(answer.get("Item", {}))

    def records(self) -> dict[str, dict[str, Any]]:
        items = self.client("dynamodb").scan(TableName=self.tables["OpsRecord"])["Items"]
        return {each["ops_id"]: each for each in map(from_attributes, items)}

    def take(self, queue: str = "") -> list[Message]:
        """All that is on the audit queue, removed."""
        return [read_message(each["Body"]) for each in self._taken(queue or self.queue)]

    def _taken(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = self.client("sqs")
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                yield each

    def scc_stopped(self, number: int, how: str, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a scc that is stopped at its nth write. how: of HOWS."""
        with self._stopping(number, how) as begun:
            try:
                answer = self.scc(*arguments)
                told = answer.exit_code, answer.output
            except KilledError:
                told = KILLED, ""
        assert len(begun) >= number, f"{begun} are all of its writes"
        return told

    @contextmanager
    def _stopping(self, number: int, how: str) -> Iterator[list[str]]:
        """Gives the writes that were begun."""
        begun: list[str] = []
        register, unregister = self._events()

        def before(model: Any, **_: Any) -> None:
            begun.append(model.name)
            if how.startswith("killed") and len(begun) > number:
                raise KilledError
            if len(begun) == number and how.endswith("before"):
                _stop(how)

        def after(**_: Any) -> None:
            if len(begun) == number and how.endswith("after"):
                _stop(how)

        self._clients.clear()  # a client listens to what was registered before it was made
        for each in WRITES:
            register(f"before-call.{each}", before)
            register(f"after-call.{each}", after)
        try:
            yield begun
        finally:
            for each in WRITES:
                unregister(f"before-call.{each}", before)
                unregister(f"after-call.{each}", after)
            self._clients.clear()

    def _events(self) -> tuple[Any, Any]:
        events = self.session._session.get_component("event_emitter")
        return events.register, events.unregister


def _stop(how: str) -> None:
    if how.startswith("killed"):
        raise KilledError
    signal.raise_signal(signal.SIGINT)


KILLED = 137  # as shells have it
HOWS = ("killed after", *map(later, ("interrupted before", "interrupted after", "killed before")))


@contextmanager
def listening() -> Iterator[None]:
    """To signals, as scc does when a person starts it."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.getsignal(each) for each in numbers}
    listen()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_harbor(monkeypatch: pytest.MonkeyPatch, name: str = "test") -> Harbor:
    """Inside moto's mock_aws. name: of this account's tables and queues."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    s3.create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
    s3.create_bucket(Bucket="failures")
    harbor = Harbor(
        tables=create_tables(boto3.client("dynamodb"), name),
        queue=sqs.create_queue(QueueName=f"{name}-audit")["QueueUrl"],
        dead=sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"],
    )

    def session_for(_: object, options: Mapping[str, Any]) -> Session:
        console = Console(as_json=bool(options.get("as_json")))
        return Session(harbor, console)  # type: ignore[arg-type]

    monkeypatch.setattr("ops.session.choose", lambda *_: None)
    monkeypatch.setattr("ops.session.session_for", session_for)
    monkeypatch.setattr(AuditMailbox, "of", classmethod(lambda *_: Box(harbor.mails)))
    return harbor

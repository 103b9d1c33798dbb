"""The office that gets statements: moto's tables, bucket, key and queue; the real sealer."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.daily_statement import handler, wiring
from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.sealing import Sealer
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from functions.daily_statement.stores.ledger_rows import LedgerRows
from functions.daily_statement.stores.ops_records import OpsRecords
from functions.daily_statement.stores.outbox import Outbox
from functions.daily_statement.stores.signing_key import SigningKey
from shared import keys
from shared.attributes import to_attributes
from shared.audit.messages import StatementMessage, read_message
from shared.daybook import Daybook
from shared.ledger import COUNTS, Head, LedgerEntry
from shared.statements.places import StatementPlace
from tests.builders import NOW, ZONE, entry
from tests.functions.lambda_context import Context
from tests.seven_years import LAST_DAY, at_noon
from tests.tables import create_tables, empty, empty_bucket

DAY = "2025-11-24"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BUCKET = "evidence"


@dataclass
class Clock:
    now: int = NOW + DAY_MS
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class Office:
    """A ledger, and the statements that are sealed from it."""

    clock: Clock
    dynamodb: Any
    s3: Any
    sqs: Any
    kms: Any
    tables: dict[str, str]
    queue_url: str
    key_id: str
    heads: dict[str, Head] = field(default_factory=dict)
    totals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    cash_over_cents: int = 0
    zone: Any = ZONE

    @property
    def evidence(self) -> EvidenceBucket:
        return EvidenceBucket(self.s3, BUCKET, "GOVERNANCE", self.clock)

    def sealer(self) -> Sealer:
        daybook = Daybook(self.dynamodb, self.tables["Payments"], self.tables["AuditDeliveries"])
        return Sealer(
            draughtsman=Draughtsman(
                daybook=daybook,
                ledger=LedgerRows(self.dynamodb, self.tables["Ledger"], self.tables["Payments"]),
                ops_records=OpsRecords(self.dynamodb, self.tables["OpsRecord"]),
                zone=self.zone,
                cash_over_cents=self.cash_over_cents,
                now=self.clock,
                pause=self.clock.pause,
            ),
            evidence=self.evidence,
            key=SigningKey(self.kms, self.key_id),
            outbox=Outbox(self.sqs, self.queue_url),
            has_entries=daybook.has_entries,
            deliveries=daybook.deliveries,
            zone=self.zone,
            now=self.clock,
        )

    def log(self, payment_id: str, *, mailed: bool = True, **changes: Any) -> LedgerEntry:
        event_id = changes.get("event_id", "sunset-charter")
        head = self.heads.get(event_id, Head())
        fields = {"payment_id": payment_id, "timestamp": NOW + head.seq} | changes
        written = entry(head, **fields)
        self.heads[event_id] = Head(seq=written.seq, hash=written.hash)
        self.put("Payments", written.to_row())
        totals = self.totals[event_id]
        totals["payments_count"] += COUNTS[written.kind]
        for name in ("total_cents", f"{written.method}_cents"):
            totals[name] += written.net_cents
        self.put_head(event_id)
        if written.voids and keys.is_key(written.voids):
            mark = keys.void_mark(written.voids) | {"void_id": payment_id}
            self.put("Ledger", mark)
        if written.corrects:
            self.mark_corrected(written)
        pointer = {"PK": f"PAYMENT#{payment_id}", "row_pk": written.pk, "row_sk": written.timestamp}
        self.put("Ledger", pointer)
        if mailed:
            self.put("AuditDeliveries", {"payment_id": payment_id, "state": "sent"})
        return written

    def mark_corrected(self, correction: LedgerEntry) -> None:
        self.dynamodb.update_item(
            TableName=self.tables["Ledger"],
            Key=to_attributes(keys.void_mark(str(correction.corrects))),
            UpdateExpression="SET correction_id = :correction",
            ExpressionAttributeValues=to_attributes({":correction": correction.payment_id}),
        )

    def put_head(self, event_id: str = "sunset-charter", **changes: Any) -> None:
        """As the API writes it, but for the changes; None takes an attribute away."""
        head = self.heads[event_id]
        row = {"PK": f"EVENT#{event_id}", "seq": head.seq, "hash": head.hash}
        row |= self.totals[event_id] | changes
        self.put("Ledger", {name: value for name, value in row.items() if value is not None})

    def unlink(self, payment_id: str) -> None:
        self.dynamodb.delete_item(
            TableName=self.tables["Ledger"], Key=to_attributes(keys.pointer(payment_id))
        )

    def rewrite(self, forged: LedgerEntry, **changes: Any) -> None:
        """Put the row back with these attributes, as DynamoDB types them; None takes one away."""
        row = to_attributes(forged.to_row()) | changes
        self.dynamodb.put_item(
            TableName=self.tables["Payments"],
            Item={name: value for name, value in row.items() if value is not None},
        )

    def delete(self, lost: LedgerEntry) -> None:
        self.dynamodb.delete_item(
            TableName=self.tables["Payments"],
            Key=to_attributes({"PK": lost.pk, "SK": lost.timestamp}),
        )

    def run(self, event: dict[str, Any] | None = None, remaining_ms: int = 300_000) -> Any:
        answer = handler.lambda_handler(event or {}, Context(remaining_ms=remaining_ms))
        return answer["statements"]

    def stated(self, day: str = DAY) -> dict[str, Any]:
        """What the sealed statement of a day says."""
        sealed = self.evidence.sealed(day)
        assert sealed is not None
        return sealed.record

    def handed_over(self) -> list[StatementPlace]:
        """The claim checks on the queue, which are taken from it."""
        places = []
        while received := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for each in received:
                message = read_message(each["Body"])
                assert isinstance(message, StatementMessage)
                places.append(message.place)
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=each["ReceiptHandle"]
                )
        return sorted(places, key=lambda each: (each.day, each.final))

    def content(self, place: StatementPlace) -> dict[str, Any]:
        content = self.evidence.record(place)
        assert content is not None
        record: dict[str, Any] = json.loads(content)
        return record

    def put(self, table: str, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.tables[table], Item=to_attributes(item))


@pytest.fixture(scope="module")
def account() -> Iterator[Office]:
    """Tables, bucket and key, which take a second to make: made once, emptied each time."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        dynamodb, kms = boto3.client("dynamodb"), boto3.client("kms")
        sqs, s3 = boto3.client("sqs"), boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        yield Office(
            clock=Clock(),
            dynamodb=dynamodb,
            s3=s3,
            sqs=sqs,
            kms=kms,
            tables=create_tables(dynamodb),
            queue_url="",
            key_id=key["KeyId"],
        )


@pytest.fixture
def office(account: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Nothing is logged, sealed or queued, and it is the day after NOW."""
    for table in account.tables.values():
        empty(table)
    empty_bucket(BUCKET)
    queue_url = account.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    made = replace(
        account, clock=Clock(), heads={}, totals=defaultdict(Counter), queue_url=queue_url
    )
    monkeypatch.setattr(wiring, "sealer", made.sealer)
    return made


def logged_on(office: Office, payment_id: str, day: date, **changes: Any) -> LedgerEntry:
    moment = at_noon(day) + len(office.heads)
    seq = office.heads["sunset-charter"].seq if office.heads else 0
    return office.log(payment_id, logged_at=moment + seq, timestamp=moment + seq, **changes)


@pytest.fixture
def seven_years(office: Office) -> list[LedgerEntry]:
    """Two entries that may go in thirty days, one a day later, and one of today."""
    void = {"kind": "void", "voids": "pay_1", "reason": "other"}
    return [
        logged_on(office, "pay_1", LAST_DAY, amount_cents=10_000, method="cash"),
        logged_on(office, "pay_2", LAST_DAY, amount_cents=10_000, method="cash", **void),
        logged_on(office, "pay_3", LAST_DAY + timedelta(1), amount_cents=500),
        office.log("pay_4", logged_at=NOW, timestamp=NOW),
    ]

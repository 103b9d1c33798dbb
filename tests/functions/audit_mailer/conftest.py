"""Google's stand-in, started once: its quotas are lifted, its faults cleared before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.delivery.courier import Courier
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.ledger_rows import LedgerRows, OpsRecordReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.statements.bucket import Evidence
from tests.builders import entry
from tests.functions.audit_mailer.world import SETTLE_MS, Clock, World
from tests.tables import create_tables

AUDIT = "audit@shipcaptaincrew.example"
ADDRESSES = Addresses(AUDIT, AUDIT)
BUCKET = "evidence"


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[GmailSandbox]:
    sandbox = GmailSandbox.start(flags=["--units-per-minute", "1000000", "--search-lag-ms", "0"])
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running_sandbox: GmailSandbox) -> GmailSandbox:
    running_sandbox.clear_faults()
    running_sandbox.request("DELETE", "/sandbox/messages")
    return running_sandbox


@pytest.fixture
def gmail(sandbox: GmailSandbox) -> Iterator[Callable[..., Gmail]]:
    """Makes adapters that talk to the sandbox, and closes them."""
    made: list[Gmail] = []

    def make(method: DeliveryMethod = "send") -> Gmail:
        key = sandbox.service_account_info
        made.append(Gmail(lambda: key, AUDIT, method, sandbox.url + "/"))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def world(gmail: Callable[..., Gmail], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        tables = create_tables(dynamodb)
        dynamodb.put_item(TableName=tables["Payments"], Item=to_attributes(entry().to_row()))
        clock = Clock()
        mailer = AuditMailer(
            ledger=LedgerRows(dynamodb, tables["Payments"], tables["Ledger"]),
            ops_record=OpsRecordReader(dynamodb, tables["OpsRecord"]),
            evidence=Evidence(s3, BUCKET),
            courier=Courier(
                deliveries=Deliveries(dynamodb, tables["AuditDeliveries"]),
                mailbox=gmail(),
                pace=Pacer(dynamodb, tables["AuditDeliveries"], AUDIT, Rate(60), probe_ms=60_000),
                method="send",
                settle_ms=SETTLE_MS,
                retry_cap=900,
                now=clock,
                pause=clock.pause,
            ),
            addresses=ADDRESSES,
        )
        yield World(mailer, clock, dynamodb, tables["AuditDeliveries"], tables["Payments"])

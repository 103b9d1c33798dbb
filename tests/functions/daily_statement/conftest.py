"""The office that gets statements: moto's tables, the real courier, the real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.delivery.courier import Courier
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.statement import handler as statement_handler
from functions.audit_mailer.statement.chains import Chains
from functions.audit_mailer.statement.issue import StatementIssuer
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.daybook import Daybook
from shared.ledger import Head, LedgerEntry
from tests.builders import NOW, ZONE, entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.functions.lambda_context import Context
from tests.tables import create_tables

DAY = "2025-11-24"


DAY_MS = 86_400_000


HOUR_MS = 3_600_000


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
    """A ledger, an inbox, and the statements from one to the other."""

    clock: Clock
    dynamodb: Any
    tables: dict[str, str]
    sandbox: GmailSandbox
    heads: dict[str, Head] = field(default_factory=dict)

    def log(self, payment_id: str, *, mailed: bool = True, **changes: Any) -> LedgerEntry:
        event_id = changes.get("event_id", "sunset-charter")
        head = self.heads.get(event_id, Head())
        fields = {"payment_id": payment_id, "timestamp": NOW + head.seq} | changes
        written = entry(head, **fields)
        self.heads[event_id] = Head(seq=written.seq, hash=written.hash)
        self._put("Payments", written.to_row())
        self._put(
            "Ledger",
            {"PK": f"EVENT#{event_id}", "seq": written.seq, "hash": written.hash},
        )
        if mailed:
            self._put("AuditDeliveries", {"payment_id": payment_id, "state": "sent"})
        return written

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
        answer = statement_handler.lambda_handler(event or {}, Context(remaining_ms=remaining_ms))
        return answer["statements"]

    def mails(self) -> dict[str, dict[str, Any]]:
        """By day; two mails about one day would fail here."""
        found = self.sandbox.messages()
        by_day = {each["headers"]["X-SCC-Statement"]: each for each in found}
        assert len(by_day) == len(found)
        return by_day

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.tables[table], Item=to_attributes(item))


@pytest.fixture
def office(
    gmail: Callable[..., Gmail], sandbox: GmailSandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb, clock = boto3.client("dynamodb"), Clock()
        tables = create_tables(dynamodb)

        def statements() -> StatementIssuer:
            """With its own connection, as each Lambda environment has."""
            return StatementIssuer(
                daybook=Daybook(dynamodb, tables["Payments"], tables["AuditDeliveries"]),
                chains=Chains(dynamodb, tables["Ledger"], tables["Payments"]),
                courier=Courier(
                    deliveries=Deliveries(dynamodb, tables["AuditDeliveries"]),
                    mailbox=gmail(),
                    pace=Pacer(
                        dynamodb, tables["AuditDeliveries"], AUDIT, Rate(60), probe_ms=60_000
                    ),
                    method="send",
                    settle_ms=0,
                    retry_cap=900,
                    now=clock,
                    pause=clock.pause,
                ),
                addresses=ADDRESSES,
                zone=ZONE,
                now=clock,
                pause=clock.pause,
            )

        monkeypatch.setattr(statement_handler, "issuer", statements)
        monkeypatch.setattr(statement_handler, "now", clock)
        monkeypatch.setattr(statement_handler, "zone", lambda: ZONE)
        yield Office(clock, dynamodb, tables, sandbox)


def record(mail: dict[str, Any]) -> dict[str, Any]:
    (attachment,) = mail["attachments"]
    content: dict[str, Any] = attachment["json"]
    return content

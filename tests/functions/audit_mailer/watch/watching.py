"""The watch as tests run it: the real rules, adapters and sandbox, moto's tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import boto3

from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.gmail.paced import Paced
from functions.audit_mailer.ledger_rows import LedgerRows
from functions.audit_mailer.watch.bounces import Bounces
from functions.audit_mailer.watch.finder import Finder
from functions.audit_mailer.watch.reader import PacedReader
from functions.audit_mailer.watch.rounds import Watch, Watched
from functions.audit_mailer.watch.sightings import Sightings
from functions.audit_mailer.watch.subjects import OpsRecords, Subjects
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import from_attributes, to_attributes
from shared.audit.findings import MailFinding
from shared.daybook import Daybook
from shared.ledger import LedgerEntry, PaymentId
from shared.statements.bucket import Evidence
from tests.builders import NOW, entry, message
from tests.functions.audit_mailer.conftest import AUDIT, BUCKET
from tests.functions.audit_mailer.world import SETTLE_MS, TRY, World

DAY = date.fromisoformat(entry().logged_day)
ROUND_DAYS = 12


@dataclass
class Watching:
    """The watch, and what it said."""

    world: World
    box: Gmail
    settled: set[str] = field(default_factory=set)
    reported: list[MailFinding] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)
    calls_left: int = 10_000
    former: set[str] = field(default_factory=set)

    def run(self, today: date = DAY, after_ms: int = SETTLE_MS + 1) -> Watched:
        world, self.reported = self.world, []
        world.clock.now = max(world.clock.now, NOW + after_ms)
        ledger, watched = world.payments.replace("Payments", "Ledger"), Watched()
        reader = PacedReader(self.box, self.paced(self._may_go_on))
        subjects = Subjects(
            entries=LedgerRows(world.dynamodb, world.payments, ledger),
            ops_records=OpsRecords(world.dynamodb, self.ops_table),
            evidence=Evidence(boto3.client("s3"), BUCKET),
        )
        sightings = Sightings(world.dynamodb, world.table)
        self.unkept = sightings.unkept
        Watch(
            ledger=Daybook(world.dynamodb, world.payments, world.table),
            subjects=subjects,
            finder=Finder(reader, subjects, Bounces(reader)),
            sightings=sightings,
            former=self.former,
            is_settled=lambda finding: finding.ops_id in self.settled,
            report=self.reported.append,
            now=world.clock.now,
            settle_ms=SETTLE_MS,
            round_days=ROUND_DAYS,
        ).run(today, watched)
        return watched

    def paced(self, may_go_on: Callable[[], bool]) -> Paced:
        return Paced(
            quota=Pacer(self.world.dynamodb, self.world.table, AUDIT, Rate(60_000), probe_ms=1),
            now=self.world.clock,
            pause=self.world.clock.pause,
            may_go_on=may_go_on,
        )

    def _may_go_on(self) -> bool:
        self.calls_left -= 1
        return self.calls_left >= 0

    @property
    def ops_table(self) -> str:
        return self.world.payments.replace("Payments", "OpsRecord")

    def delivery(self, payment_id: str = entry().payment_id) -> dict[str, Any]:
        key = to_attributes({"payment_id": payment_id})
        item = self.world.dynamodb.get_item(TableName=self.world.table, Key=key)
        return from_attributes(item.get("Item", {}))


def mail_others(watching: Watching, count: int) -> list[LedgerEntry]:
    made, head = list[LedgerEntry](), entry().as_head
    for number in range(1, count + 1):
        at = NOW + number
        payment_id = PaymentId(f"pay_{number:016x}{0:016x}")
        made.append(entry(head, payment_id=payment_id, timestamp=at, logged_at=at))
        head = made[-1].as_head
    watching.world.log(*made)
    for each in made:
        watching.world.mailer.deliver(message(each), TRY)
    return made


def ids(sandbox: GmailSandbox) -> list[str]:
    return [str(each["id"]) for each in sandbox.messages()]


def put(gmail: Callable[..., Gmail], raw: bytes) -> str:
    another_id = re.sub(rb"(?m)^Message-ID: <", b"Message-ID: <another.", raw)
    return str(gmail("import").send_audit_email_via_gmail(another_id).gmail_id)


def fill_up(world: World, key: dict[str, str]) -> None:
    """Add to an item of AuditDeliveries until DynamoDB takes not one byte more."""
    client, table = world.dynamodb, world.table
    item = client.get_item(TableName=table, Key=to_attributes(key)).get("Item", to_attributes(key))
    low, high = 300_000, 420_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            client.put_item(TableName=table, Item=item | {"pad": {"S": "x" * middle}})
            low = middle
        except client.exceptions.ClientError:
            high = middle

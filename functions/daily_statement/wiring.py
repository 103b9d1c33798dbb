"""The statement's collaborators, each built once per Lambda environment on first use."""

from __future__ import annotations

import os
import time
from functools import cache
from zoneinfo import ZoneInfo

from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.sealing import Sealer
from functions.daily_statement.settings import StatementSettings
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from functions.daily_statement.stores.ledger_rows import LedgerRows
from functions.daily_statement.stores.ops_records import OpsRecords
from functions.daily_statement.stores.outbox import Outbox
from functions.daily_statement.stores.signing_key import SigningKey
from shared import aws
from shared.daybook import Daybook
from shared.settings import read_settings, zone_named


@cache
def settings() -> StatementSettings:
    return read_settings(StatementSettings, os.environ)


@cache
def zone() -> ZoneInfo:
    return zone_named(settings().business_timezone)


@cache
def sealer() -> Sealer:
    """Raises SettingsError."""
    own = settings()
    dynamodb = aws.client("dynamodb")
    daybook = Daybook(dynamodb, own.payments_table, own.deliveries_table)
    return Sealer(
        draughtsman=Draughtsman(
            daybook=daybook,
            ledger=LedgerRows(dynamodb, own.ledger_table, own.payments_table),
            ops_records=OpsRecords(dynamodb, own.ops_record_table),
            zone=zone(),
            cash_over_cents=own.notable_cash_cents,
            now=_now,
            pause=time.sleep,
        ),
        evidence=EvidenceBucket(aws.client("s3"), own.evidence_bucket, own.object_lock_mode, _now),
        key=SigningKey(aws.client("kms"), own.signing_key_id),
        outbox=Outbox(aws.client("sqs"), own.audit_queue_url),
        has_entries=daybook.has_entries,
        deliveries=daybook.deliveries,
        zone=zone(),
        now=_now,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000

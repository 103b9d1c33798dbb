"""The mailer's collaborators, each built once per Lambda environment on first use.

A batch is handled by several threads, and neither `cache` nor the making of a client is safe
among them: whoever builds holds the lock.
"""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from functions.audit_mailer.delivery.audit_queue import AuditQueueReceiver
from functions.audit_mailer.delivery.consumer import Consumer
from functions.audit_mailer.delivery.courier import Courier
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.delivery.pacing import PER_MINUTE, Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.ledger_rows import LedgerRows, OpsRecordReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.settings import MailerSettings
from shared import aws
from shared.settings import SettingsError, read_settings

PROBE_SECONDS = 60  # while Gmail refuses the account, one mailer looks this often, for all
_building = threading.RLock()


@cache
def settings() -> MailerSettings:
    return read_settings(MailerSettings, os.environ)


@cache
def consumer() -> Consumer:
    """Called before the batch is shared out among threads."""
    queue = AuditQueueReceiver(sqs, settings().audit_queue_url, settings().dead_letter_queue_url)
    return Consumer(mailer, queue, settings().retry_cap_seconds)


def mailer() -> AuditMailer:
    """Raises SettingsError for a configuration that cannot mail; queues and ledger still work."""
    with _building:
        return _mailer()


@cache
def _mailer() -> AuditMailer:
    settings().check()
    return AuditMailer(
        ledger=LedgerRows(dynamodb(), settings().payments_table, settings().ledger_table),
        ops_record=OpsRecordReader(dynamodb(), settings().ops_record_table),
        courier=courier(),
        sender=settings().sender,
        recipient=settings().gmail_audit_recipient,
    )


@cache
def courier() -> Courier:
    return Courier(
        deliveries=Deliveries(dynamodb(), settings().deliveries_table),
        mailbox=Gmail(
            lambda: settings().service_account(_read_secret),
            settings().sender,
            settings().method,
            settings().gmail_api_endpoint,
        ),
        pace=Pacer(
            dynamodb(),
            settings().deliveries_table,
            user=settings().sender,
            rate=Rate(settings().gmail_sends_per_minute or PER_MINUTE[settings().method]),
            probe_ms=min(PROBE_SECONDS, settings().retry_cap_seconds) * 1000,
        ),
        method=settings().method,
        settle_ms=settings().gmail_search_settle_seconds * 1000,
        retry_cap=settings().retry_cap_seconds,
        now=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
    )


@cache
def dynamodb() -> Any:
    """One client for all threads: it is safe among them, and keeps ten connections."""
    return aws.client("dynamodb")


def sqs() -> Any:
    with _building:
        return _sqs()


@cache
def _sqs() -> Any:
    return aws.client("sqs")


def _read_secret(secret_id: str) -> str:
    try:
        secret = aws.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise SettingsError(f"the Gmail secret cannot be read: {code}") from error
    return str(secret["SecretString"])

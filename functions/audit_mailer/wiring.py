"""The mailer's collaborators, each built once per Lambda environment on first use.

Several threads handle a batch, and neither `cache` nor making a client is thread-safe: building
happens under a lock.
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
from functions.audit_mailer.delivery.pacing import PER_MINUTE, UNITS, Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.ledger_rows import LedgerRows, OpsRecordReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.settings import DeliverySettings, GmailSettings, MailerSettings
from shared import aws
from shared.settings import SettingsError, read_settings
from shared.statements.bucket import Evidence

PROBE_SECONDS = 60  # how often one mailer, for all, tries an account that Gmail refuses
_building = threading.RLock()


@cache
def gmail_settings() -> GmailSettings:
    """Raises SettingsError for a configuration that cannot mail."""
    settings = read_settings(GmailSettings, os.environ)
    settings.check()
    return settings


@cache
def delivery_settings() -> DeliverySettings:
    return read_settings(DeliverySettings, os.environ)


@cache
def consumer() -> Consumer:
    """Called before threads share the batch."""
    settings = read_settings(MailerSettings, os.environ)
    queue = AuditQueueReceiver(sqs, settings.audit_queue_url, settings.dead_letter_queue_url)
    return Consumer(mailer, queue, delivery_settings().retry_cap_seconds)


def mailer() -> AuditMailer:
    """Raises SettingsError for a configuration that cannot mail. Queues and ledger still work."""
    with _building:
        return _mailer()


@cache
def _mailer() -> AuditMailer:
    settings = read_settings(MailerSettings, os.environ)
    settings.check()
    return AuditMailer(
        ledger=LedgerRows(dynamodb(), settings.payments_table, settings.ledger_table),
        ops_record=OpsRecordReader(dynamodb(), settings.ops_record_table),
        evidence=Evidence(_s3(), settings.evidence_bucket),
        courier=courier(),
        addresses=gmail_settings().addresses,
        app_url=settings.app_url,
    )


@cache
def courier() -> Courier:
    """Raises SettingsError for a configuration that cannot mail."""
    gmail, delivery = gmail_settings(), delivery_settings()
    return Courier(
        deliveries=Deliveries(dynamodb(), delivery.deliveries_table),
        mailbox=gmail_of(gmail.mailbox),
        pace=pacer_of(gmail.mailbox),
        method=gmail.method,
        settle_ms=gmail.gmail_search_settle_seconds * 1000,
        retry_cap=delivery.retry_cap_seconds,
        now=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
    )


def gmail_of(user: str) -> Gmail:
    """The mailbox of a Workspace user, whom the service account acts for."""
    gmail = gmail_settings()
    return Gmail(
        lambda: gmail.service_account(_read_secret), user, gmail.method, gmail.gmail_api_endpoint
    )


def pacer_of(user: str) -> Pacer:
    """The quota of a Workspace user, shared by all who deliver to or read that mailbox."""
    gmail, delivery = gmail_settings(), delivery_settings()
    return Pacer(
        dynamodb(),
        delivery.deliveries_table,
        user=user,
        rate=Rate(gmail.gmail_sends_per_minute or PER_MINUTE[gmail.method], UNITS[gmail.method]),
        probe_ms=min(PROBE_SECONDS, delivery.retry_cap_seconds) * 1000,
    )


@cache
def dynamodb() -> Any:
    """One client for all threads: it is thread-safe and keeps ten connections."""
    return aws.client("dynamodb")


def sqs() -> Any:
    with _building:
        return _sqs()


@cache
def _sqs() -> Any:
    return aws.client("sqs")


@cache
def _s3() -> Any:
    return aws.client("s3")


def _read_secret(secret_id: str) -> str:
    try:
        secret = aws.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise SettingsError(f"the Gmail secret cannot be read: {code}") from error
    return str(secret["SecretString"])

"""The mailer's collaborators, each built once per Lambda environment on first use."""

from __future__ import annotations

import os
import time
from functools import cache

import boto3
from botocore.exceptions import ClientError

from functions.audit_mailer.consumer import Consumer
from functions.audit_mailer.courier import Courier
from functions.audit_mailer.deliveries import Deliveries
from functions.audit_mailer.gmail import Gmail
from functions.audit_mailer.ledger import LedgerReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.queue import AuditQueue
from functions.audit_mailer.settings import MailerSettings
from shared.settings import SettingsError, read_settings


@cache
def settings() -> MailerSettings:
    return read_settings(MailerSettings, os.environ)


@cache
def consumer() -> Consumer:
    queue = AuditQueue(
        boto3.client("sqs"), settings().audit_queue_url, settings().dead_letter_queue_url
    )
    return Consumer(mailer, queue, settings().retry_cap_seconds)


@cache
def mailer() -> AuditMailer:
    """Raises SettingsError for a configuration that cannot mail; queues and ledger still work."""
    settings().check()
    return AuditMailer(
        ledger=LedgerReader(boto3.client("dynamodb"), settings().payments_table),
        courier=courier(),
        sender=settings().sender,
        recipient=settings().gmail_audit_recipient,
    )


@cache
def courier() -> Courier:
    return Courier(
        deliveries=Deliveries(boto3.client("dynamodb"), settings().deliveries_table),
        mailbox=Gmail(
            lambda: settings().service_account(_read_secret),
            settings().sender,
            settings().method,
            settings().gmail_api_endpoint,
        ),
        method=settings().method,
        settle_ms=settings().gmail_search_settle_seconds * 1000,
        retry_cap=settings().retry_cap_seconds,
        now=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
    )


def _read_secret(secret_id: str) -> str:
    try:
        secret = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise SettingsError(f"the Gmail secret cannot be read: {code}") from error
    return str(secret["SecretString"])

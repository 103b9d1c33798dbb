"""The mailer's collaborators, each built once per Lambda environment on first use."""

from __future__ import annotations

import os
import time
from functools import cache

import boto3

from functions.audit_mailer.consumer import Consumer
from functions.audit_mailer.deliveries import Deliveries
from functions.audit_mailer.gmail import Gmail
from functions.audit_mailer.ledger import LedgerReader
from functions.audit_mailer.mailer import AuditMailer
from functions.audit_mailer.queue import AuditQueue
from functions.audit_mailer.settings import MailerSettings
from shared.settings import read_settings


@cache
def consumer() -> Consumer:
    settings = read_settings(MailerSettings, os.environ)
    queue = AuditQueue(
        boto3.client("sqs"), settings.audit_queue_url, settings.dead_letter_queue_url
    )
    return Consumer(mailer(settings), queue, settings.retry_cap_seconds)


def mailer(settings: MailerSettings) -> AuditMailer:
    dynamodb = boto3.client("dynamodb")
    key = settings.service_account(_read_secret)
    return AuditMailer(
        ledger=LedgerReader(dynamodb, settings.payments_table),
        deliveries=Deliveries(dynamodb, settings.deliveries_table),
        mailbox=Gmail(key, settings.sender, settings.method, settings.gmail_api_endpoint),
        sender=settings.sender,
        recipient=settings.gmail_audit_recipient,
        method=settings.method,
        settle_ms=settings.gmail_search_settle_seconds * 1000,
        now=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
    )


def _read_secret(secret_id: str) -> str:
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    return str(secret["SecretString"])

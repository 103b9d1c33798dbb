"""Lambda entry point on a schedule: re-queue ledger entries without a mail and without a worker.

The stream keeps a change for 24 hours only; the ledger keeps it for years. Whatever the stream or
the queue lost is found here. Sending a message twice is harmless: the mailer claims each entry.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.stream_router.ledger import LedgerReader
from functions.stream_router.queue import AuditQueue
from functions.stream_router.settings import SweepSettings
from functions.stream_router.sweeping import sweep
from shared.settings import read_settings

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    grace = int(event.get("grace_seconds", settings().sweep_grace_seconds))
    now = time.time_ns() // 1_000_000
    swept = sweep(ledger(), queue(), now=now, days=settings().sweep_days, grace_ms=grace * 1000)
    metrics.add_metric("AuditMissing", MetricUnit.Count, swept.missing)
    metrics.add_metric("RowsMalformed", MetricUnit.Count, swept.malformed)
    logger.info("ledger swept", **asdict(swept))
    return asdict(swept)


@cache
def settings() -> SweepSettings:
    return read_settings(SweepSettings, os.environ)


@cache
def ledger() -> LedgerReader:
    client = boto3.client("dynamodb")
    return LedgerReader(client, settings().payments_table, settings().deliveries_table)


@cache
def queue() -> AuditQueue:
    return AuditQueue(boto3.client("sqs"), settings().audit_queue_url)

"""Lambda entry point: a batch of ledger stream records in, messages on the audit queue out."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.stream_router.audit_queue import AuditQueueSender
from functions.stream_router.router import Router
from functions.stream_router.settings import RouterSettings
from functions.stream_router.unroutable_bucket import UnroutableBucket
from shared import aws
from shared.settings import read_settings

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    records = event["Records"]
    metrics.add_metric("RecordsIn", MetricUnit.Count, len(records))
    try:
        outcome = router().route_batch(records)
    except Exception:  # Lambda hands the whole batch out again
        metrics.add_metric("RecordsFailed", MetricUnit.Count, len(records))
        raise
    metrics.add_metric("MessagesOut", MetricUnit.Count, len(outcome.sent))
    metrics.add_metric("RecordsFailed", MetricUnit.Count, outcome.failed)
    metrics.add_metric("RecordsUnroutable", MetricUnit.Count, len(outcome.unroutable))
    if outcome.sent:
        logger.info("entries routed", payment_ids=[each.payment_id for each in outcome.sent])
    for unroutable in outcome.unroutable:
        logger.error("record unroutable", sequence_number=unroutable.sequence_number)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in outcome.failed_from]}


@cache
def router() -> Router:
    settings = read_settings(RouterSettings, os.environ)
    return Router(
        AuditQueueSender(aws.client("sqs"), settings.audit_queue_url),
        UnroutableBucket(s3, settings.failures_bucket),
    )


@cache
def s3() -> Any:
    return aws.client("s3")

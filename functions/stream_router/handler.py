"""Lambda entry point: a batch of ledger stream records in, messages on the audit queue out."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.stream_router.audit_queue import AuditQueueSender
from functions.stream_router.failures_bucket import FailuresBucket
from functions.stream_router.router import Router
from functions.stream_router.routing import Batch, sort_out
from functions.stream_router.settings import RouterSettings
from shared import aws
from shared.settings import read_settings

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    records = event["Records"]
    batch = sort_out(records)
    metrics.add_metric("RecordsIn", MetricUnit.Count, len(records))
    tell(batch)
    try:
        outcome = router().route_batch(batch)
    except Exception:  # Lambda hands the whole batch out again
        metrics.add_metric("RecordsFailed", MetricUnit.Count, len(records))
        raise
    metrics.add_metric("MessagesOut", MetricUnit.Count, len(outcome.sent))
    metrics.add_metric("RecordsFailed", MetricUnit.Count, outcome.failed)
    if outcome.sent:
        logger.info("entries routed", payment_ids=[each.payment_id for each in outcome.sent])
    return {"batchItemFailures": [{"itemIdentifier": each} for each in outcome.failed_from]}


def tell(batch: Batch) -> None:
    """Say what the batch holds besides new entries, before anything can fail."""
    metrics.add_metric("RecordsUnroutable", MetricUnit.Count, len(batch.unroutable))
    metrics.add_metric("LedgerTampered", MetricUnit.Count, len(batch.tampered))
    metrics.add_metric("EntriesExpired", MetricUnit.Count, batch.expired)
    for unroutable in batch.unroutable:
        logger.error("record unroutable", sequence_number=unroutable.sequence_number)
    for tampered in batch.tampered:
        logger.error(tampered.reason, sequence_number=tampered.sequence_number, **tampered.ids)
    for held in batch.held:
        logger.warning("legal hold", **held.ids)


@cache
def router() -> Router:
    settings = read_settings(RouterSettings, os.environ)
    return Router(
        AuditQueueSender(aws.client("sqs"), settings.audit_queue_url),
        FailuresBucket(s3, settings.failures_bucket),
    )


@cache
def s3() -> Any:
    return aws.client("s3")

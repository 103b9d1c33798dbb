"""Lambda entry point: an SQS batch in, one audit mail per message, the failed ones reported."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    async_process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.audit_mailer import wiring

BATCH_SIZE = 10  # of the queue's mapping: one thread for each message of a batch

logger = Logger()
metrics = Metrics()
threads = ThreadPoolExecutor(BATCH_SIZE, "mail")  # kept between batches, as are connections
processor = AsyncBatchProcessor(
    EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' Logger quacks like logging.Logger
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    metrics.add_metric("MessagesIn", MetricUnit.Count, len(event["Records"]))
    wiring.consumer()  # built by one thread
    return async_process_partial_response(event, handle_record, processor, context)


async def handle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """An exception means SQS keeps the message. Each thread has its own log keys."""
    own_keys = copy_context()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(threads, own_keys.run, _consume, record, lambda_context)


def _consume(record: SQSRecord, context: LambdaContext) -> None:
    logger.thread_safe_append_keys(message_id=record.message_id)
    wiring.consumer().consume(
        record, context.aws_request_id, context.get_remaining_time_in_millis()
    )

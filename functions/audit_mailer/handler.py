"""Lambda entry point: an SQS batch in, one audit mail per message, the failed ones reported."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.audit_mailer import wiring

logger = Logger()
metrics = Metrics()
processor = BatchProcessor(
    EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' Logger quacks like logging.Logger
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    metrics.add_metric("MessagesIn", MetricUnit.Count, len(event["Records"]))
    return process_partial_response(event, handle_record, processor, context)


def handle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """An exception means: not done, SQS keeps the message."""
    logger.append_keys(message_id=record.message_id)
    wiring.consumer().consume(
        record, lambda_context.aws_request_id, lambda_context.get_remaining_time_in_millis()
    )

"""Lambda entry point on a schedule: queue ledger entries that nobody is mailing.

The stream keeps a change for 24 hours, the ledger for years. Whatever the stream or the queue lost
is found here. Sending a message twice is harmless, because the mailer claims each entry. It also
looks whether the stream still reaches the router, which sees tampering only as long as it does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from functions.stream_router.audit_queue import AuditQueueSender
from functions.stream_router.dead_letters import DeadLetters
from functions.stream_router.settings import SweepSettings
from functions.stream_router.stream_mapping import StreamMapping
from functions.stream_router.sweep import Sweeper
from shared import aws
from shared.daybook import Daybook
from shared.settings import read_settings, zone_named

RESERVE_MS = 30_000  # for the current page, and to make dead letters visible again

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """event: `{"grace_seconds": 0}` also takes entries the schedule would leave to the stream."""
    look_at_the_stream()
    sweeper = Sweeper(
        ledger=daybook(),
        queue=queue(),
        dead_letters=dead_letters(),
        now=time.time_ns() // 1_000_000,
        zone=zone_named(settings().business_timezone),
        grace_ms=grace_seconds(event, settings().sweep_grace_seconds) * 1000,
        may_go_on=lambda: context.get_remaining_time_in_millis() > RESERVE_MS,
    )
    swept = sweeper.sweep(settings().sweep_days)
    metrics.add_metric("AuditMissing", MetricUnit.Count, swept.missing)
    metrics.add_metric("MessagesRequeued", MetricUnit.Count, swept.queued)
    metrics.add_metric("EntriesHeldBack", MetricUnit.Count, swept.held_back)
    metrics.add_metric("RowsMalformed", MetricUnit.Count, swept.malformed)
    metrics.add_metric("SweepsUnfinished", MetricUnit.Count, int(bool(swept.days_left)))
    log = logger.warning if swept.days_left or swept.held_back else logger.info
    log("ledger swept", **asdict(swept))
    return asdict(swept)


def look_at_the_stream() -> None:
    """Count a stream that does not reach the router. Without an answer nothing is counted.

    The alarm takes missing data for a fault, and entries are swept in any case.
    """
    try:
        fault = stream_mapping().fault()
    except (BotoCoreError, ClientError):
        logger.exception("stream mapping not seen")
        return
    if fault:
        logger.error("stream mapping off", reason=fault)
    metrics.add_metric("StreamMappingOff", MetricUnit.Count, int(bool(fault)))


def grace_seconds(event: Mapping[str, Any], default: int) -> int:
    """How long to leave new entries alone. Raises ValueError for anything but whole seconds."""
    grace = event.get("grace_seconds", default)
    if type(grace) is not int or grace < 0:
        raise ValueError("grace_seconds must be a whole number of seconds, 0 or more")
    return grace


@cache
def settings() -> SweepSettings:
    return read_settings(SweepSettings, os.environ)


@cache
def daybook() -> Daybook:
    client = aws.client("dynamodb")
    return Daybook(client, settings().payments_table, settings().deliveries_table)


@cache
def stream_mapping() -> StreamMapping:
    return StreamMapping(
        lambda_=aws.client("lambda"),
        dynamodb=aws.client("dynamodb"),
        mapping_id=settings().stream_mapping_id,
        table=settings().payments_table,
        function=settings().router_function,
    )


@cache
def queue() -> AuditQueueSender:
    return AuditQueueSender(aws.client("sqs"), settings().audit_queue_url)


@cache
def dead_letters() -> DeadLetters:
    return DeadLetters(aws.client("sqs"), settings().dead_letter_queue_url)

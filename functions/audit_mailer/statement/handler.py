"""Lambda entry point on a schedule: mail the statement of yesterday, and of days missed before.

It runs every hour, so what failed is tried again an hour later. A day whose statement is sent
costs one read. By hand, `{"day": "2026-11-24"}` makes that day's statement.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.audit_mailer import wiring
from functions.audit_mailer.delivery.courier import Outcome, PostponeError, QuarantineError, Try
from functions.audit_mailer.settings import StatementSettings
from functions.audit_mailer.statement.chains import Chains
from functions.audit_mailer.statement.days import requested_day
from functions.audit_mailer.statement.issue import StatementIssuer
from shared.daybook import Daybook
from shared.ledger import business_date
from shared.settings import read_settings, zone_named

NEEDED_MS = 60_000  # reading a day, one slow search and one slow delivery, the wait in place
WAIT_IN_PLACE_SECONDS = 20.0  # keeps a delivery shorter than the courier's lease

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Returns the outcome of each day: sent, found, already_sent, postponed, refused, no_time."""
    day = requested_day(event, business_date(now(), zone()))
    outcomes = {}
    for each in [day] if day else issuer().due():
        if context.get_remaining_time_in_millis() < NEEDED_MS:
            outcomes[each] = "no_time"
        else:
            outcomes[each] = issue(each, context.aws_request_id)
        logger.info("statement handled", day=each, outcome=outcomes[each])
    missing = [each for each in outcomes.values() if each not in set(Outcome)]
    metrics.add_metric("StatementsSent", MetricUnit.Count, len(outcomes) - len(missing))
    metrics.add_metric("StatementsMissing", MetricUnit.Count, len(missing))
    return {"statements": outcomes}


def issue(day: str, request_id: str) -> str:
    statement = issuer().draw_up(day)
    if statement.findings:
        logger.error("statement has findings", day=day, findings=statement.findings)
    metrics.add_metric("StatementFindings", MetricUnit.Count, len(statement.findings))
    try:
        return issuer().deliver(
            statement, Try(number=1, request_id=request_id, budget=WAIT_IN_PLACE_SECONDS)
        )
    except PostponeError as error:
        logger.warning("statement postponed", day=day, reason=str(error))
        return "postponed"
    except QuarantineError as error:
        logger.exception("statement refused", day=day, error_class=error.klass)
        return "refused"


def now() -> int:
    return time.time_ns() // 1_000_000


@cache
def settings() -> StatementSettings:
    return read_settings(StatementSettings, os.environ)


@cache
def zone() -> ZoneInfo:
    return zone_named(settings().business_timezone)


@cache
def issuer() -> StatementIssuer:
    """Raises SettingsError for a configuration that cannot mail."""
    tables = settings()
    client = wiring.dynamodb()
    return StatementIssuer(
        daybook=Daybook(client, tables.payments_table, tables.deliveries_table),
        chains=Chains(client, tables.ledger_table, tables.payments_table),
        courier=wiring.courier(),
        addresses=wiring.gmail_settings().addresses,
        zone=zone(),
        now=now,
        pause=time.sleep,
    )

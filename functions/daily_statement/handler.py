"""Lambda entry point on a schedule: seal yesterday, and days missed before, in their order.

It runs every hour: what failed is tried again, and a statement that nobody is mailing is handed
over again. By hand, `{"day": "2026-11-24"}` seals what is due up to that day, or makes a statement
of today so far.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.daily_statement import wiring
from functions.daily_statement.days import requested_day
from functions.daily_statement.rules.account import Statement
from functions.daily_statement.sealing import ZoneChangedError
from shared.statements.bucket import EvidenceDamagedError

NEEDED_MS = 120_000  # a day of a large ledger
REFUSALS = (ZoneChangedError, EvidenceDamagedError)

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Returns the outcome of each day: sealed, so_far, already_sealed, refused, no_time.

    `unmailed`: sealed days whose statement is not mailed yet.
    """
    today = wiring.sealer().today()
    wanted = requested_day(event, today)
    outcomes = {}
    for day in wiring.sealer().due():
        if wanted is None or day <= wanted:
            has_time = context.get_remaining_time_in_millis() >= NEEDED_MS
            outcomes[day] = seal(day) if has_time else "no_time"
            if outcomes[day] in {"refused", "no_time"}:
                break  # the days after it hang on it
    if wanted and wanted not in outcomes:
        outcomes[wanted] = by_hand(wanted, today.isoformat(), outcomes)
    unmailed = wiring.sealer().hand_over_unmailed()
    done = sum(each in {"sealed", "so_far"} for each in outcomes.values())
    metrics.add_metric("StatementsSealed", MetricUnit.Count, done)
    missing = {*wiring.sealer().due(), *unmailed}
    metrics.add_metric("StatementsMissing", MetricUnit.Count, len(missing))
    logger.info("statements handled", outcomes=outcomes, unmailed=unmailed)
    return {"statements": outcomes, "unmailed": unmailed}


def seal(day: str) -> str:
    try:
        statement = wiring.sealer().seal(day, report)
    except REFUSALS as error:
        return refused(day, error)
    return "sealed" if statement else "already_sealed"


def by_hand(day: str, today: str, outcomes: dict[str, str]) -> str:
    """A day that is not due: sealed before, before the first one, or not over yet."""
    if day != today:
        return "already_sealed" if wiring.sealer().is_sealed(day) else "before_the_first"
    if {"refused", "no_time"} & {*outcomes.values()}:
        return "waits_for_the_days_before"
    try:
        wiring.sealer().make_so_far(day, report)
    except REFUSALS as error:
        return refused(day, error)
    return "so_far"


def refused(day: str, error: Exception) -> str:
    logger.error("statement refused", day=day, reason=str(error), exc_info=error)
    return "refused"


def report(statement: Statement) -> None:
    """At once: a run that is killed writes no metrics at its end."""
    if statement.findings:
        logger.error("statement has findings", day=statement.day, findings=statement.findings)
    metrics.add_metric("StatementFindings", MetricUnit.Count, len(statement.findings))
    metrics.flush_metrics()

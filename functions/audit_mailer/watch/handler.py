"""Lambda entry point on a schedule: look whether what Gmail accepted is in the audit mailbox.

A mail may bounce, be filtered into spam, or be deleted. The watch reads the recipient's mailbox,
whoever sent the mails, and counts what is missing, doubled or altered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import closing
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.audit_mailer import wiring
from functions.audit_mailer.gmail.failures import DeliveryError
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.gmail.paced import Paced
from functions.audit_mailer.ledger_rows import LedgerRows, OpsRecordReader
from functions.audit_mailer.settings import WatchSettings
from functions.audit_mailer.watch.bounces import Bounces
from functions.audit_mailer.watch.finder import Finder
from functions.audit_mailer.watch.reader import PacedReader
from functions.audit_mailer.watch.rounds import Watch, Watched
from functions.audit_mailer.watch.sightings import Sightings
from functions.audit_mailer.watch.subjects import OpsRecords, Subjects
from shared import aws
from shared.audit.findings import MailFinding, settles
from shared.daybook import Daybook
from shared.ledger import business_date
from shared.settings import SettingsError, read_settings, zone_named
from shared.statements.bucket import Evidence

METRICS = {
    "missing": "MailboxMissing",
    "duplicate": "MailboxDuplicate",
    "altered": "MailboxAltered",
}
RESERVE_MS = 60_000  # for the call in hand, and to keep where the round stands

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A mailbox that cannot be read is counted as a run that was not finished, and nothing else."""
    now, watched = time.time_ns() // 1_000_000, Watched()
    try:
        gmail = wiring.gmail_settings()
        gmail.check_watched()
        user = gmail.watched
        if user is None:
            metrics.add_metric("WatchesUnfinished", MetricUnit.Count, 0)
            return {"is_off": True}
        with closing(wiring.gmail_of(user)) as mailbox:
            today = business_date(now, zone_named(_zone()))
            sightings = Sightings(wiring.dynamodb(), settings().deliveries_table)
            watch(mailbox, user, now, context, sightings).run(today, watched)
    except DeliveryError as error:
        _count_found(watched, only=watched.found.keys())  # it is no less true
        return _unread(error.failure.code)  # Google's own words may name people
    except SettingsError as error:
        return _unread(str(error))
    _count_found(watched, only=METRICS.keys())
    is_unfinished = not watched.is_finished or bool(sightings.unkept)
    metrics.add_metric("WatchesUnfinished", MetricUnit.Count, int(is_unfinished))
    return _told(watched, len(sightings.unkept))


def _count_found(watched: Watched, only: Collection[str]) -> None:
    for kind, name in METRICS.items():
        if kind in only:
            metrics.add_metric(name, MetricUnit.Count, watched.found[kind])


def _unread(reason: str) -> dict[str, Any]:
    logger.error("mailbox not read", reason=reason)
    metrics.add_metric("WatchesUnfinished", MetricUnit.Count, 1)
    return {"error": reason}


def watch(
    mailbox: Gmail, user: str, now: int, context: LambdaContext, sightings: Sightings
) -> Watch:
    """user: whose mailbox it is. Raises SettingsError for a configuration that cannot read it."""
    gmail = wiring.gmail_settings()
    paced = Paced(
        quota=wiring.pacer_of(user),
        may_go_on=lambda: context.get_remaining_time_in_millis() > RESERVE_MS,
    )
    payments, deliveries = settings().payments_table, settings().deliveries_table
    dynamodb = wiring.dynamodb()
    records = OpsRecordReader(dynamodb, settings().ops_record_table)
    reader = PacedReader(mailbox, paced)
    subjects = Subjects(
        entries=LedgerRows(dynamodb, payments, settings().ledger_table),
        ops_records=OpsRecords(dynamodb, settings().ops_record_table),
        evidence=Evidence(aws.client("s3"), settings().evidence_bucket),
    )
    daybook = Daybook(dynamodb, payments, deliveries)

    def is_settled(finding: MailFinding) -> bool:
        delivery = daybook.deliveries([finding.ops_id]).get(finding.ops_id, {})
        return settles(finding, records.record(finding.ops_id) or {}, delivery, now)

    return Watch(
        ledger=daybook,
        subjects=subjects,
        finder=Finder(reader, subjects, Bounces(reader)),
        sightings=sightings,
        is_settled=is_settled,
        report=_report,
        former=settings().former,
        now=now,
        settle_ms=gmail.gmail_search_settle_seconds * 1000,
    )


def _report(finding: MailFinding) -> None:
    logger.error(
        "mail not as it should be",
        kind=finding.kind,
        payment_id=finding.own_id,
        gmail_ids=sorted(finding.gmail_ids),
    )


def _told(watched: Watched, unkept: int) -> dict[str, Any]:
    """unkept: deliveries and findings that could not be noted."""
    told = {
        "looked": watched.looked,
        "settled": watched.settled,
        "unkept": unkept,
        "found": dict(watched.found),
        "is_finished": watched.is_finished,
    }
    logger.info("mailbox watched", extra=told)
    return told


def _zone() -> str:
    return settings().business_timezone


@cache
def settings() -> WatchSettings:
    return read_settings(WatchSettings, os.environ)

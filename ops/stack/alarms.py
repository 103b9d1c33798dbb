"""The stack's alarms, as CloudWatch has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.rules.check_result import CheckResult
from ops.rules.status import WatchState
from ops.session import Session

UNWATCHED = "MailboxUnwatchedAlarm"  # its name in template.yaml
FIRST_RUN = timedelta(hours=1)  # by then, everything on a schedule has run
REMEMBERED = timedelta(days=14)  # as far back as CloudWatch lists a metric that has no new data
_STATES: Mapping[str, WatchState] = {"OK": "ok", "ALARM": "behind"}


def alarm_names(session: Session) -> dict[str, str]:
    """The alarms that the stack made: their names in CloudWatch, by their names in the template."""
    resources = session.aws.client("cloudformation").get_paginator("list_stack_resources")
    pages = resources.paginate(StackName=session.aws.target.stack)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::CloudWatch::Alarm"
    }


def alarms_named(session: Session, names: list[str]) -> list[Mapping[str, Any]]:
    """Those of them that are there."""
    client = session.aws.client("cloudwatch")
    return [
        each
        for start in range(0, len(names), 100)
        for each in client.describe_alarms(AlarmNames=names[start : start + 100])["MetricAlarms"]
    ]


def watch_state(session: Session) -> WatchState:
    """Whether the watch has looked into the mailbox for as long as its alarm takes.

    Only CloudWatch knows: unknown before it has judged, and where it does not answer.
    """
    try:
        name = alarm_names(session).get(UNWATCHED)
        found = alarms_named(session, [name]) if name else []
        if found and first_run_due(session, found[0], datetime.now(UTC)):
            return "unknown"
    except (ClientError, BotoCoreError):
        return "unknown"  # nice to know, not worth failing for
    return _STATES.get(str(found[0]["StateValue"]), "unknown") if found else "unknown"


def first_run_due(session: Session, alarm: Mapping[str, Any], now: datetime) -> datetime | None:
    """Until when what the alarm looks at may run for the first time; None once that is over.

    Where no data is a bad sign, a new alarm goes off before its function had a chance to run. That
    is no news while the alarm is younger than what it looks back on, was never on before it was set
    up this way, and its metric has never had a value. CloudWatch writes down that it saw none.
    """
    made = alarm.get("AlarmConfigurationUpdatedTimestamp")
    on_since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    if alarm["StateValue"] != "ALARM" or alarm.get("TreatMissingData") != "breaching":
        return None
    if made is None or on_since is None or on_since < made or not _saw_nothing(alarm):
        return None
    looks_back = timedelta(seconds=int(alarm["Period"]) * int(alarm["EvaluationPeriods"]))
    due: datetime = made + max(looks_back, FIRST_RUN)
    return due if now < due and not _has_values(session, alarm, now) else None


def _saw_nothing(alarm: Mapping[str, Any]) -> bool:
    """Whether the alarm is on for want of data, not by a value or by hand."""
    try:
        return bool(json.loads(alarm.get("StateReasonData") or "{}")["recentDatapoints"] == [])
    except (ValueError, KeyError, TypeError):
        return False


def _has_values(session: Session, alarm: Mapping[str, Any], now: datetime) -> bool:
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
    seen = {"Metric": metric, "Period": 3600, "Stat": "SampleCount"}
    answer = session.aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "seen", "MetricStat": seen}],
        StartTime=now - REMEMBERED,
        EndTime=now,
    )
    return any(each["Values"] for each in answer["MetricDataResults"])


def judged(
    alarm: Mapping[str, Any], region: str, first_run_by: datetime | None = None
) -> CheckResult:
    """An alarm that nobody would hear, or that is on. first_run_by: of `first_run_due`."""
    name = f"alarm {alarm['AlarmName']}"
    if not (alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions")):
        return CheckResult(
            name,
            "notifies nobody",
            f"Enable its actions: aws cloudwatch enable-alarm-actions --region {region} "
            f"--alarm-names {alarm['AlarmName']}",
        )
    if first_run_by:
        return CheckResult(name, f"no run yet; counts from {first_run_by:%H:%M} UTC on")
    if alarm["StateValue"] == "ALARM":
        named = re.search(r"docs/runbook\.md#[a-z-]+", str(alarm.get("AlarmDescription", "")))
        return CheckResult(
            name, "ALARM", f"{named[0] if named else 'docs/runbook.md'} says what to do."
        )
    return CheckResult(name, f"on, {alarm['StateValue']}")

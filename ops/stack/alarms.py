"""The stack's alarms, as CloudWatch has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.rules.check_result import CheckResult
from ops.rules.status import WatchState
from ops.session import Session

UNWATCHED = "MailboxUnwatchedAlarm"  # its name in template.yaml
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
    except (ClientError, BotoCoreError):
        return "unknown"  # nice to know, not worth failing for
    return _STATES.get(str(found[0]["StateValue"]), "unknown") if found else "unknown"


def judged(alarm: Mapping[str, Any]) -> CheckResult:
    """An alarm that nobody would hear, or that is on."""
    name = f"alarm {alarm['AlarmName']}"
    if not (alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions")):
        return CheckResult(
            name,
            "notifies nobody",
            "Enable its actions: aws cloudwatch enable-alarm-actions --alarm-names "
            f"{alarm['AlarmName']}",
        )
    if alarm["StateValue"] == "ALARM":
        named = re.search(r"docs/runbook\.md#[a-z-]+", str(alarm.get("AlarmDescription", "")))
        return CheckResult(
            name, "ALARM", f"{named[0] if named else 'docs/runbook.md'} says what to do."
        )
    return CheckResult(name, f"on, {alarm['StateValue']}")

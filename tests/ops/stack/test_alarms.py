"""What scc makes of the stack's alarms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.session import Session
from ops.stack.alarms import UNWATCHED, judged, watch_state
from ops.terminal.console import Console

ALARM: dict[str, Any] = {
    "AlarmName": "scc-mailbox-unwatched",
    "AlarmDescription": "It is not running. See docs/runbook.md#mailbox-unwatched",
    "AlarmActions": ["arn:topic"],
    "StateValue": "OK",
}


class Aws:
    """CloudFormation and CloudWatch, as far as the stack's alarms go."""

    def __init__(self, state: str, logical: str = UNWATCHED, *, is_denied: bool = False) -> None:
        self.aws = self.target = self
        self.stack = "shipcaptaincrew"
        self._alarm, self._logical = ALARM | {"StateValue": state}, logical
        self._is_denied = is_denied

    def client(self, _: str) -> Any:
        return self

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: str) -> Any:
        made = {
            "LogicalResourceId": self._logical,
            "PhysicalResourceId": ALARM["AlarmName"],
            "ResourceType": "AWS::CloudWatch::Alarm",
        }
        return [{"StackResourceSummaries": [made]}]

    def describe_alarms(self, AlarmNames: list[str]) -> Any:  # noqa: N803 - as boto3 has it
        if self._is_denied:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeAlarms")
        return {"MetricAlarms": [self._alarm] if ALARM["AlarmName"] in AlarmNames else []}


@pytest.mark.parametrize(
    ("aws", "state"),
    [
        (Aws("OK"), "ok"),
        (Aws("ALARM"), "behind"),
        (Aws("INSUFFICIENT_DATA"), "unknown"),
        (Aws("ALARM", "AnotherAlarm"), "unknown"),
        (Aws("ALARM", is_denied=True), "unknown"),
    ],
)
def test_whether_the_watch_runs_is_known_by_its_alarm(aws: Aws, state: str) -> None:
    assert watch_state(Session(aws, Console(as_json=False))) == state  # type: ignore[arg-type]


def test_the_alarm_is_in_the_template() -> None:
    template = Path(__file__).parents[3] / "template.yaml"
    assert f"\n  {UNWATCHED}:\n" in template.read_text()


def test_an_alarm_that_is_on_leads_to_its_entry_in_the_runbook() -> None:
    assert judged(ALARM).is_ok
    on = judged(ALARM | {"StateValue": "ALARM"})
    assert on.remedy == "docs/runbook.md#mailbox-unwatched says what to do."
    assert "enable-alarm-actions" in judged(ALARM | {"AlarmActions": []}).remedy

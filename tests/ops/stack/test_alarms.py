"""What scc makes of the stack's alarms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.session import Session
from ops.stack.alarms import FIRST_RUN, UNWATCHED, first_run_due, judged, watch_state
from ops.stack.doctor import _alarms
from ops.terminal.console import Console

ALARM: dict[str, Any] = {
    "AlarmName": "scc-mailbox-unwatched",
    "AlarmDescription": "It is not running. See docs/runbook.md#mailbox-unwatched",
    "AlarmActions": ["arn:topic"],
    "StateValue": "OK",
}


class Aws:
    """CloudFormation and CloudWatch, as far as the stack's alarms go."""

    def __init__(
        self, state: str, logical: str = UNWATCHED, *, is_denied: bool = False, **more: Any
    ) -> None:
        self.aws = self.target = self
        self.stack, self.region = "shipcaptaincrew", "us-east-1"
        self._alarm, self._logical = ALARM | {"StateValue": state} | more, logical
        self._is_denied = is_denied
        self.is_local = True
        self.values: list[float] = []

    @property
    def alarm(self) -> dict[str, Any]:
        return self._alarm

    def output(self, _: str) -> str:
        return "arn:topic"

    def list_subscriptions_by_topic(self, **_: str) -> Any:
        return {"Subscriptions": []}

    def get_metric_data(self, **asked: Any) -> Any:
        (query,) = asked["MetricDataQueries"]
        assert query["MetricStat"]["Metric"]["MetricName"] == "WatchesUnfinished"
        return {"MetricDataResults": [{"Values": self.values}]}

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
    assert judged(ALARM, "us-east-1").is_ok
    on = judged(ALARM | {"StateValue": "ALARM"}, "us-east-1")
    assert on.remedy == "docs/runbook.md#mailbox-unwatched says what to do."
    mute = judged(ALARM | {"AlarmActions": []}, "us-west-2")
    assert "enable-alarm-actions --region us-west-2 " in mute.remedy


NOW = datetime.now(UTC)
UNSEEN = json.dumps({"recentDatapoints": [], "period": 7200})


def new_alarm(**more: Any) -> Aws:
    """On for want of data, on a stack that was made ten minutes ago."""
    made = NOW - timedelta(minutes=10)
    seen: dict[str, Any] = {
        "Namespace": "scc",
        "MetricName": "WatchesUnfinished",
        "Dimensions": [],
        "Period": 7200,
        "EvaluationPeriods": 2,
        "TreatMissingData": "breaching",
        "AlarmConfigurationUpdatedTimestamp": made,
        "StateTransitionedTimestamp": made + timedelta(minutes=2),
        "StateReasonData": UNSEEN,
    }
    return Aws("ALARM", **seen | more)


def session(aws: Aws) -> Session:
    return Session(aws, Console(as_json=False))  # type: ignore[arg-type]


def test_a_healthy_new_stack_passes_before_anything_has_run() -> None:
    aws = new_alarm()
    checks = list(_alarms(session(aws)))
    assert all(each.is_ok for each in checks), checks
    assert "no run yet; counts from" in checks[0].detail
    assert watch_state(session(aws)) == "unknown"


LONG_AGO = NOW - timedelta(days=2)


@pytest.mark.parametrize(
    "more",
    [
        {"AlarmConfigurationUpdatedTimestamp": NOW - timedelta(hours=4, seconds=1)},
        {"StateTransitionedTimestamp": LONG_AGO},
        {"StateReasonData": json.dumps({"recentDatapoints": [1.0]})},
        {"StateReasonData": ""},
        {"StateReasonData": "[]"},
        {"TreatMissingData": "notBreaching"},
    ],
    ids=["old", "on before it was changed", "a value", "by hand", "no facts", "not for no data"],
)
def test_every_other_alarm_that_is_on_fails(more: dict[str, Any]) -> None:
    aws = new_alarm(**more)
    assert [each.is_ok for each in _alarms(session(aws))] == [False, True]
    assert watch_state(session(aws)) == "behind"


def test_what_has_run_before_has_no_first_run_to_wait_for() -> None:
    """A deployment that changes the alarm makes no new stack."""
    aws = new_alarm()
    aws.values = [1.0]
    assert first_run_due(session(aws), aws.alarm, NOW) is None


def test_a_first_run_may_take_an_hour_however_short_the_alarm_looks_back() -> None:
    aws = new_alarm(Period=1800, EvaluationPeriods=1)
    due = first_run_due(session(aws), aws.alarm, NOW)
    assert due == aws.alarm["AlarmConfigurationUpdatedTimestamp"] + FIRST_RUN


def test_a_new_alarm_that_notifies_nobody_fails_all_the_same() -> None:
    assert not judged(ALARM | {"AlarmActions": []}, "us-east-1", NOW).is_ok

"""What EventBridge Scheduler hands to a function whose schedule has no input of its own."""

from __future__ import annotations

from datetime import date
from typing import Any

from aws_lambda_powertools.utilities.parser.models import EventBridgeModel

from functions.daily_statement.days import requested_day
from functions.stream_router.sweep_handler import grace_seconds
from tests.contracts import sam
from tests.template.transformed import Template

# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html: without an Input, the
# target gets a default event. Its detail is the text {}, as Powertools' model knows; a rule of
# EventBridge, which is what SAM's sample is, has an object there.
SCHEDULED: dict[str, Any] = {
    "version": "0",
    "source": "aws.scheduler",
    "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/statement"],
    "detail": "{}",
}


def events() -> list[dict[str, Any]]:
    by_a_rule = sam.sample("cloudwatch", "scheduled-event")
    return [by_a_rule, by_a_rule | SCHEDULED]


def test_no_schedule_has_an_input_of_its_own(prod: Template) -> None:
    for schedule in prod.of_type("AWS::Scheduler::Schedule").values():
        assert "Input" not in schedule["Target"]


def test_a_scheduled_run_asks_for_no_day_and_no_other_grace() -> None:
    """The watch does not look at its event."""
    for event in events():
        assert EventBridgeModel.model_validate({"version": "0"} | event).detail == {}
        assert requested_day(event, date(2026, 11, 27)) is None
        assert grace_seconds(event, 900) == 900

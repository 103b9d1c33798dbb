"""`make smoke` on a deployed stack: a healthy one passes, and each fault has its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.dock import until
from tests.release.walk import Account


def smoke(account: Account, stage: str = "staging") -> tuple[int, str]:
    done = account.shell(f'.venv/bin/scc release smoke --stage "{stage}"')
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def outputs(account: Account) -> dict[str, str]:
    (stack,) = account.aws.client("cloudformation").describe_stacks(
        StackName="shipcaptaincrew-staging"
    )["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_a_healthy_stack_passes_and_nothing_is_logged(walked: Account) -> None:
    table = outputs(walked)["PaymentsTableName"]

    def rows() -> int:
        count: int = walked.aws.client("dynamodb").scan(TableName=table)["Count"]
        return count

    before = rows()
    code, text = smoke(walked)
    assert (code, text.count("  ok  "), text.count("FAILED")) == (0, 9, 0), text
    assert "9 of 9 checks passed." in text
    assert rows() == before


@contextmanager
def unpublished(account: Account) -> Iterator[None]:
    s3, bucket = account.aws.client("s3"), outputs(account)["WebBucketName"]
    page = s3.get_object(Bucket=bucket, Key="index.html")
    body, kind = page["Body"].read(), page["ContentType"]
    s3.delete_object(Bucket=bucket, Key="index.html")
    try:
        yield
    finally:
        s3.put_object(Bucket=bucket, Key="index.html", Body=body, ContentType=kind)


@contextmanager
def disabled_mapping(account: Account) -> Iterator[None]:
    client = account.aws.client("lambda")
    (mapping,) = client.list_event_source_mappings(
        FunctionName=outputs(account)["MailerFunctionName"]
    )["EventSourceMappings"]

    def switch(*, is_on: bool) -> None:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=is_on)
        wanted = "Enabled" if is_on else "Disabled"
        until(lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == wanted)

    switch(is_on=False)
    try:
        yield
    finally:
        switch(is_on=True)


@contextmanager
def no_redrive(account: Account) -> Iterator[None]:
    sqs, url = account.aws.client("sqs"), outputs(account)["AuditQueueUrl"]
    names = ["RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def no_alarm(account: Account) -> Iterator[None]:
    cloudwatch, name = account.aws.client("cloudwatch"), "shipcaptaincrew-staging-audit-missing"
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    try:
        yield
    finally:
        cloudwatch.put_metric_alarm(
            **{
                key: alarm[key]
                for key in (
                    *("AlarmName", "AlarmDescription", "AlarmActions", "MetricName", "Namespace"),
                    *("Statistic", "Period", "EvaluationPeriods", "Threshold"),
                    *("ComparisonOperator", "Dimensions", "TreatMissingData"),
                )
            }
        )


@contextmanager
def schedule_off(account: Account) -> Iterator[None]:
    scheduler, name = account.aws.client("scheduler"), outputs(account)["SweepFunctionName"]
    before = scheduler.get_schedule(Name=name)

    def switch(state: str) -> None:
        kept: dict[str, Any] = {
            key: before[key]
            for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        }
        scheduler.update_schedule(**kept, State=state)

    switch("DISABLED")
    try:
        yield
    finally:
        switch("ENABLED")


Break = Callable[[Account], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("broken", "check", "remedy"),
    [
        (unpublished, "app", "scc web publish --stack shipcaptaincrew-staging --stage prod"),
        (disabled_mapping, "mappings", "update-event-source-mapping --enabled"),
        (no_redrive, "queues", "make deploy STAGE=staging"),
        (no_alarm, "alarms", "audit-missing"),
        (schedule_off, "schedules", "make deploy STAGE=staging"),
    ],
)
def test_a_broken_connection_fails_its_check_and_says_what_to_do(
    walked: Account, broken: Break, check: str, remedy: str
) -> None:
    with broken(walked):
        code, text = smoke(walked)
    (line,) = [each for each in text.splitlines() if each.startswith(f"  FAILED  {check}:")]
    assert remedy in line
    assert code == 1


def test_without_a_deployment_nothing_is_checked(walked: Account) -> None:
    code, text = smoke(walked, "prod")
    assert code == 2
    assert "There is no stack shipcaptaincrew" in text
    assert "make deploy STAGE=prod" in text


def test_an_unknown_stage_is_refused(walked: Account) -> None:
    code, text = smoke(walked, "producton")
    assert code == 2
    assert "STAGE must be staging or prod" in text

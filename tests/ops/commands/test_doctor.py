"""`scc doctor` on the deployed stack: it passes a healthy stack, and names what is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from local.running_stack import RunningStack
from shared import keys
from shared.attributes import to_attributes
from tests.dock import Dock
from tests.ops.conftest import mailer_off
from tests.shells import Scc


def examined(local: Scc) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = local("doctor", "--json")
    assert answer.stdout, answer.stderr
    checks = json.loads(answer.stdout)
    assert len({each["name"] for each in checks}) == len(checks)
    return answer.returncode, {each["name"]: each for each in checks}


def test_a_healthy_stack_passes_every_check(local: Scc, dock: Dock) -> None:
    forget_findings(dock.stack)
    code, checks = examined(local)
    assert [each for each in checks.values() if not each["is_ok"]] == []
    assert code == 0
    for name in (
        "AWS credentials", "clock", "stack", "web app", "API", "events table", "stream to router",
        "changes of the ledger", "queue to mailer", "dead-letter target", "retention", "visibility",
        "schedule of the sweep", "schedule of the statement", "statements", "Gmail credential",
        "scope to deliver", "audit mailbox", "findings in the mailbox", "alarm receivers", "admins",
    ):  # fmt: skip
        assert name in checks
    assert any(name.startswith("alarm shipcaptaincrew-") for name in checks)
    answer = local("doctor")
    assert f"{len(checks)} of {len(checks)} checks passed." in answer.stderr


def forget_findings(stack: RunningStack) -> None:
    """Other tests lose mails, and the watch may have looked since."""
    stack.aws.client("dynamodb").delete_item(
        TableName=stack.outputs["DeliveriesTableName"], Key=to_attributes(keys.watch())
    )


def no_mapping(stack: RunningStack) -> AbstractContextManager[None]:
    return mailer_off(stack)


@contextmanager
def blind_router(stack: RunningStack) -> Iterator[None]:
    """Somebody made the mapping pass new rows only: payments are mailed, tampering goes unseen."""
    client, router = stack.aws.client("lambda"), stack.outputs["RouterFunctionName"]
    (mapping,) = client.list_event_source_mappings(FunctionName=router)["EventSourceMappings"]
    narrow = {"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"]})}]}
    client.update_event_source_mapping(UUID=mapping["UUID"], FilterCriteria=narrow)
    try:
        yield
    finally:
        client.update_event_source_mapping(
            UUID=mapping["UUID"], FilterCriteria=mapping["FilterCriteria"]
        )


@contextmanager
def no_redrive(stack: RunningStack) -> Iterator[None]:
    sqs, url = stack.aws.client("sqs"), stack.outputs["AuditQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def short_visibility(stack: RunningStack) -> Iterator[None]:
    sqs, url = stack.aws.client("sqs"), stack.outputs["AuditQueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "360"})


@contextmanager
def no_delegation(stack: RunningStack) -> Iterator[None]:
    dock = Dock(stack)
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "revoke_delegation"}])
    try:
        yield
    finally:
        dock.sandbox("DELETE", "/sandbox/faults")


@contextmanager
def no_gmail(stack: RunningStack) -> Iterator[None]:
    dock = Dock(stack)
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "gmail_disabled"}])
    try:
        yield
    finally:
        dock.sandbox("DELETE", "/sandbox/faults")


@contextmanager
def mute_alarm(stack: RunningStack) -> Iterator[None]:
    client, names = stack.aws.client("cloudwatch"), ["shipcaptaincrew-audit-missing"]
    client.disable_alarm_actions(AlarmNames=names)
    try:
        yield
    finally:
        client.enable_alarm_actions(AlarmNames=names)


@contextmanager
def alarm_sounds(stack: RunningStack) -> Iterator[None]:
    client, name = stack.aws.client("cloudwatch"), "shipcaptaincrew-audit-missing"
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    try:
        yield
    finally:
        client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")


@contextmanager
def no_admin(stack: RunningStack) -> Iterator[None]:
    client, pool = stack.aws.client("cognito-idp"), stack.outputs["UserPoolId"]
    answer = client.list_users_in_group(UserPoolId=pool, GroupName="admins")
    names = [each["Username"] for each in answer["Users"]]
    for name in names:
        client.admin_disable_user(UserPoolId=pool, Username=name)
    try:
        yield
    finally:
        for name in names:
            client.admin_enable_user(UserPoolId=pool, Username=name)


@contextmanager
def no_schedule(stack: RunningStack) -> Iterator[None]:
    client = stack.aws.client("scheduler")
    found = client.get_schedule(Name=stack.outputs["SweepFunctionName"])
    kept = {
        name: found[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    }
    client.update_schedule(**kept, State="DISABLED")
    try:
        yield
    finally:
        client.update_schedule(**kept, State="ENABLED")


@pytest.mark.parametrize(
    ("breaking", "name", "remedy"),
    [
        (no_mapping, "queue to mailer", "update-event-source-mapping"),
        (blind_router, "changes of the ledger", "docs/runbook.md#stream-mapping-off"),
        (no_redrive, "dead-letter target", "would be lost"),
        (short_visibility, "visibility", "VisibilityTimeout"),
        (no_delegation, "scope to deliver", "delegation, which must list gmail.send."),
        (no_delegation, "audit mailbox", "delegation, which must list gmail.readonly."),
        (no_gmail, "audit mailbox", "Gmail does not let us read"),
        (mute_alarm, "alarm shipcaptaincrew-audit-missing", "enable-alarm-actions"),
        (alarm_sounds, "alarm shipcaptaincrew-audit-missing", "docs/runbook.md#audit-missing"),
        (no_admin, "admins", "scc users add"),
        (no_schedule, "schedule of the sweep", "Enable its schedule"),
    ],
)
def test_what_is_broken_is_named_with_its_remedy(
    local: Scc,
    dock: Dock,
    breaking: Callable[[RunningStack], AbstractContextManager[None]],
    name: str,
    remedy: str,
) -> None:
    with breaking(dock.stack):
        code, checks = examined(local)
    assert code == 1
    assert not checks[name]["is_ok"]
    assert remedy in checks[name]["remedy"]
    assert ".." not in checks[name]["remedy"]


def test_without_a_stack_nothing_is_checked(local: Scc) -> None:
    answer = local("doctor", "--stack", "no-such-stack")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "There is no stack no-such-stack" in answer.stderr

"""The wiring of a stack, for `scc doctor`: mappings, queues, schedules, and what serves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ops.rules.check_result import CheckResult
from ops.rules.status import MAPPING_OFF
from ops.rules.versions import fault_of
from ops.session import Session
from ops.stack.functions import (
    FUNCTIONS,
    deployed_versions,
    live_settings,
    mappings_of,
    serving,
)
from ops.stack.ledger_changes import mapping_faults

VISIBILITY_FACTOR = 6  # times the function's timeout, as AWS advises for SQS event sources
SCHEDULED = {
    "sweep": "SweepFunctionName",
    "statement": "StatementFunctionName",
    "mailbox watch": "WatchFunctionName",
}


def _mapping(session: Session, name: str, output: str) -> Iterator[CheckResult]:
    function, mappings = session.aws.output(output), mappings_of(session, output)
    if not mappings:
        yield CheckResult(name, f"{function} has no event source", "Deploy the template again.")
    for each in mappings:
        told = f"{each['State']}, batches of {each['BatchSize']}"
        if each["State"] not in ("Enabled", "Enabling", "Updating", "Creating"):
            yield CheckResult(name, told, f"Enable it: {_enabling(session, each['UUID'])}")
        elif "ReportBatchItemFailures" not in each.get("FunctionResponseTypes", ()):
            yield CheckResult(
                name, f"{told}, one failure fails the whole batch", "Deploy the template again."
            )
        else:
            yield CheckResult(name, told)


def _enabling(session: Session, uuid: str) -> str:
    region = session.aws.target.region
    return f"aws lambda update-event-source-mapping --region {region} --uuid {uuid} --enabled"


def router_mapping(session: Session) -> Iterator[CheckResult]:
    yield from _mapping(session, "stream to router", "RouterFunctionName")
    for fault in mapping_faults(session):
        yield CheckResult(
            "changes of the ledger",
            fault or "every one reaches the router",
            f"{MAPPING_OFF} says what to do." if fault else "",
        )


def mailer_mapping(session: Session) -> Iterator[CheckResult]:
    return _mapping(session, "queue to mailer", "MailerFunctionName")


def queues(session: Session) -> Iterator[CheckResult]:
    queue = _attributes(session, "AuditQueueUrl")
    dead = _attributes(session, "DeadLetterQueueUrl")
    redrive = json.loads(queue.get("RedrivePolicy", "{}"))
    target = redrive.get("deadLetterTargetArn", "nowhere")
    wired = target == dead["QueueArn"]
    yield CheckResult(
        "dead-letter target",
        f"{target.rpartition(':')[2]} after {redrive.get('maxReceiveCount', 0)} receives",
        "" if wired else "Failed messages would be lost: deploy the template again.",
    )
    kept, kept_dead = (int(each["MessageRetentionPeriod"]) // 86_400 for each in (queue, dead))
    yield CheckResult(
        "retention",
        f"{kept} days, dead letters {kept_dead} days",
        ""
        if kept < kept_dead
        else "Keep dead letters longer: SQS counts from when they were first queued.",
    )
    timeout = int(live_settings(session, "MailerFunctionName")["Timeout"])
    visible = int(queue["VisibilityTimeout"])
    yield CheckResult(
        "visibility",
        f"{visible} s, the mailer may run {timeout} s",
        "" if visible >= VISIBILITY_FACTOR * timeout else "Raise the queue's VisibilityTimeout.",
    )


def _attributes(session: Session, output: str) -> dict[str, str]:
    client = session.aws.client("sqs")
    answer = client.get_queue_attributes(
        QueueUrl=session.aws.output(output), AttributeNames=["All"]
    )
    return dict(answer["Attributes"])


def schedules(session: Session) -> Iterator[CheckResult]:
    client = session.aws.client("scheduler")
    pages = client.get_paginator("list_schedules").paginate()
    by_target = {
        each["Target"]["Arn"].partition(":function:")[2].partition(":")[0]: each["State"]
        for page in pages
        for each in page["Schedules"]
    }
    for name, output in SCHEDULED.items():
        state = by_target.get(session.aws.output(output), "missing")
        remedy = "" if state == "ENABLED" else "Enable its schedule, or deploy the template again."
        yield CheckResult(f"schedule of the {name}", state, remedy)


def versions(session: Session) -> Iterator[CheckResult]:
    """Whether every function serves what was deployed last: a rollback is forgotten easily."""
    deployed = deployed_versions(session)
    told, faults = [], []
    for name, output in FUNCTIONS.items():
        now = serving(session, output)
        told.append(f"{name} {now}")
        if fault := fault_of(now, deployed.get(session.aws.output(output))):
            faults.append(f"{name}: {fault}")
    yield CheckResult(
        "versions",
        "; ".join(faults) or ", ".join(told),
        "Deploy a commit that works; docs/runbook.md#roll-a-release-back says more."
        if faults
        else "",
    )

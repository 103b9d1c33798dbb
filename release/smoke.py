"""`scc release smoke`: is the deployed stack wired up? Logs no payment and changes nothing."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import FINE, FOUND
from ops.rules.check_result import CheckResult
from ops.session import Session
from ops.stack.functions import mappings_of
from release.stages import Stage, pass_stage

SECURITY_HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "strict-transport-security": "max-age=",
    "x-content-type-options": "nosniff",
    "referrer-policy": "",
}
REDEPLOY = "Deploy again: make deploy STAGE={stage}"
SECONDS = 30.0


class FailedError(Exception):
    """A check failed: what it saw. remedy: what to do; empty means deploy again."""

    def __init__(self, seen: str, remedy: str) -> None:
        super().__init__(seen)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Deployed:
    """A stage with its outputs and address, for the checks."""

    stage: Stage
    outputs: Mapping[str, str]
    url: str

    def get(self, path: str, method: str = "GET") -> Answer:
        """Ask without cookies. Raises OSError, http.client.HTTPException."""
        parts = urlsplit(self.url)
        host, port = str(parts.hostname), parts.port
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
        else:  # *.localhost is this machine (RFC 6761), whatever its resolver says
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request(method, path, headers={"Host": str(parts.netloc)})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    look: Callable[[Deployed], str]
    remedy: str = field(default=REDEPLOY)


@click.command()
@pass_stage
def smoke(stage: Stage) -> None:
    """Check a deployed stack from outside, without an account. Changes nothing.

    One line per check: ok, or FAILED and what to do. Exit 1 when a check failed, 2 when none could
    be made.

    \b
    Examples:
      scc release smoke --stage staging
    """
    who, outputs = stage.aws.caller, stage.outputs()
    deployed = Deployed(stage, outputs, stage.url(outputs))
    stage.console.say(f"{stage.stack} at {deployed.url}, as {who}")
    found: list[CheckResult] = []
    for each in results(deployed):
        found.append(each)
        if not stage.console.as_json:
            click.echo(_line(each))
    if stage.console.as_json:
        stage.console.show([asdict(each) for each in found])
    fine = sum(each.is_ok for each in found)
    stage.console.say(f"{fine} of {len(found)} checks passed.")
    raise click.exceptions.Exit(FINE if fine == len(found) else FOUND)


def _line(result: CheckResult) -> str:
    if result.is_ok:
        return f"  ok      {result.name}: {result.detail}"
    return f"  FAILED  {result.name}: {result.detail}. {result.remedy}"


def results(deployed: Deployed) -> Iterator[CheckResult]:
    for check in CHECKS:
        remedy = check.remedy
        try:
            yield CheckResult(check.name, check.look(deployed))
            continue
        except FailedError as error:
            seen, remedy = str(error), error.remedy or check.remedy
        except (ClientError, BotoCoreError, OSError, http.client.HTTPException) as error:
            seen = f"no answer ({error})"
        except (KeyError, ValueError) as error:
            seen = f"an unexpected answer ({error!r})"
        remedy = remedy.format(stage=deployed.stage.name, stack=deployed.stage.stack)
        yield CheckResult(check.name, seen, remedy)


def app_is_served(deployed: Deployed) -> str:
    return _page(deployed, "/", "prod")


def event_pages_are_the_app(deployed: Deployed) -> str:
    return _page(deployed, "/g/some-event", "prod")


def staging_page_is_served(deployed: Deployed) -> str:
    return _page(deployed, "/_staging/", "staging")


def _page(deployed: Deployed, path: str, page: str) -> str:
    answer = deployed.get(path)
    if answer.status != 200 or b"<html" not in answer.body[:2000].lower():
        raise FailedError(
            f"{path} answers {answer.status}",
            f"Publish it: scc web publish --stack {{stack}} --stage {page}",
        )
    for name, part in SECURITY_HEADERS.items():
        if part not in answer.headers.get(name, "\0missing"):
            raise FailedError(f"{path} lacks the header {name}: …{part}…", "")
    return "200 with Content-Security-Policy, HSTS and the rest"


def api_answers(deployed: Deployed) -> str:
    answer = deployed.get("/api/health")
    if answer.status != 200:
        raise FailedError(
            f"/api/health answers {answer.status}",
            "403 without JSON: check the function's two permissions for CloudFront. 502: read the "
            "log group /aws/lambda/…-api.",
        )
    return str(json.loads(answer.body))


def strangers_are_refused(deployed: Deployed) -> str:
    answer = deployed.get("/api/payments?event_id=some-event")
    kind = answer.headers.get("content-type", "")
    if (answer.status, kind.split(";")[0]) != (401, "application/problem+json"):
        raise FailedError(f"without a session /api/payments answers {answer.status} {kind}", "")
    if "no-store" not in answer.headers.get("cache-control", ""):
        raise FailedError("the API lets its answers be cached", "")
    return f"401 {json.loads(answer.body)['title']}"


def mappings_are_enabled(deployed: Deployed) -> str:
    session = Session(deployed.stage.aws, deployed.stage.console)
    for output in ("RouterFunctionName", "MailerFunctionName"):
        name = deployed.outputs[output]
        states = [each["State"] for each in mappings_of(session, output)]
        if states != ["Enabled"]:
            raise FailedError(
                f"{name} has mappings {states or 'that do not exist'}",
                "Enable it: aws lambda update-event-source-mapping --enabled --uuid …",
            )
    return "stream → router, queue → mailer"


def queue_gives_up_into_the_dead_letter_queue(deployed: Deployed) -> str:
    sqs = deployed.stage.aws.client("sqs")

    def attributes(output: str) -> Mapping[str, str]:
        found: Mapping[str, str] = sqs.get_queue_attributes(
            QueueUrl=deployed.outputs[output], AttributeNames=["All"]
        )["Attributes"]
        return found

    audit, dead = attributes("AuditQueueUrl"), attributes("DeadLetterQueueUrl")
    policy = json.loads(audit.get("RedrivePolicy", "{}"))
    if policy.get("deadLetterTargetArn") != dead["QueueArn"]:
        raise FailedError("the audit queue does not use the dead-letter queue", "")
    if int(dead["MessageRetentionPeriod"]) <= int(audit["MessageRetentionPeriod"]):
        raise FailedError("the dead-letter queue does not keep messages longer", "")
    return f"after {policy['maxReceiveCount']} receives"


def schedules_are_enabled(deployed: Deployed) -> str:
    scheduler = deployed.stage.aws.client("scheduler")
    for output in ("SweepFunctionName", "StatementFunctionName", "WatchFunctionName"):
        name = deployed.outputs[output]  # its schedule has the same name
        if scheduler.get_schedule(Name=name)["State"] != "ENABLED":
            raise FailedError(f"the schedule {name} is off", "")
    return "sweep, statement and mailbox watch"


def alarms_are_armed(deployed: Deployed) -> str:
    pages = (
        deployed.stage.aws.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=deployed.stage.stack)
    )
    expected = {
        each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::CloudWatch::Alarm"
    }
    names = sorted(expected)
    cloudwatch = deployed.stage.aws.client("cloudwatch")
    armed = {
        each["AlarmName"]
        for start in range(0, len(names), 100)  # what one call may ask for
        for each in cloudwatch.describe_alarms(AlarmNames=names[start : start + 100])[
            "MetricAlarms"
        ]
        if each.get("ActionsEnabled", True)
        and deployed.outputs["AlarmTopicArn"] in each["AlarmActions"]
    }
    if not expected or expected - armed:
        missing = ", ".join(sorted(expected - armed)) or "all of them"
        raise FailedError(f"missing, or notifying nobody: {missing}", "")
    return f"{len(armed)} alarms"


CHECKS = (
    Check("app", app_is_served),
    Check("event pages", event_pages_are_the_app),
    Check("staging page", staging_page_is_served),
    Check("API", api_answers),
    Check("strangers", strangers_are_refused),
    Check("mappings", mappings_are_enabled),
    Check("queues", queue_gives_up_into_the_dead_letter_queue),
    Check("schedules", schedules_are_enabled),
    Check("alarms", alarms_are_armed),
)

"""What a stack uses of a platform that exists: its table of events and its web buckets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.rules.check_result import CheckResult
from ops.rules.platform import events_table, web_buckets
from ops.samconfig import settings_of
from ops.session import Session
from ops.target import Aws, Target

THE_PLATFORM = "platform"  # what the outputs call the owner of what the stack did not make
BUCKETS = {  # the output with the name, and the prefix of the keys
    "web bucket": ("WebBucketName", ""),
    "staging web bucket": ("StagingWebBucketName", "_staging/"),
}


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """A bucket that the stack did not make, and the statement that its policy needs.

    fault: why nothing is known of the policy; empty if it was read. command: adds the statement to
    all that the policy says now; empty with a fault.
    """

    name: str
    bucket: str
    statement: dict[str, Any]
    is_allowed: bool = False
    command: str = ""
    fault: str = ""


def is_platforms(outputs: Mapping[str, str], owner: str) -> bool:
    """owner: the output EventsTableOwner or WebBucketsOwner; an older stack has neither."""
    return outputs.get(owner) == THE_PLATFORM


def bucket_policies(aws: Aws) -> Iterator[BucketPolicy]:
    """Of each web bucket that the stack did not make."""
    if not is_platforms(aws.outputs, "WebBucketsOwner"):
        return
    _, partition, _, _, account, _ = aws.caller.split(":", 5)
    arn = f"arn:{partition}:cloudfront::{account}:distribution/{aws.output('DistributionId')}"
    for name, (output, prefix) in BUCKETS.items():
        bucket = aws.output(output)
        wanted = web_buckets.statement_for(bucket, prefix, arn)
        try:
            policy = _policy(aws, bucket)
        except ClientError as error:
            fault = f"{error.response['Error']['Code']} for GetBucketPolicy"
            yield BucketPolicy(name, bucket, wanted, fault=fault)
            continue
        whole = web_buckets.merged(policy, wanted)
        command = web_buckets.command_for(bucket, whole, _aws_cli(aws.target))
        is_allowed = web_buckets.is_allowed(policy, wanted)
        yield BucketPolicy(name, bucket, wanted, is_allowed, command)


def check_events_table(session: Session) -> Iterator[CheckResult]:
    aws = session.aws
    name, target = aws.output("EventsTableName"), aws.target
    client = aws.client("dynamodb")
    try:
        table = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        command = _deploying(target, "EventsTableName=NAME")
        detail = f"{name} does not exist in {target.region}"
        yield CheckResult("events table", detail, f"Name a table that is there: `{command}`.")
        return
    owner = "the platform's" if is_platforms(aws.outputs, "EventsTableOwner") else "the stack's"
    fault = events_table.fault_of(table, _aws_cli(target), _deploying(target, "EventsTableName="))
    yield CheckResult("events table", f"{name}, {owner}", fault)


def check_web_buckets(session: Session) -> Iterator[CheckResult]:
    for each in bucket_policies(session.aws):
        if each.fault:
            yield CheckResult(
                each.name,
                f"{each.bucket}: {each.fault}",
                "The bucket must exist, and you need s3:GetBucketPolicy on it.",
            )
        elif each.is_allowed:
            yield CheckResult(each.name, f"{each.bucket}: CloudFront may read it")
        else:
            yield CheckResult(
                each.name,
                f"{each.bucket}: CloudFront may not read it",
                f"Add this statement to the bucket's policy: {json.dumps(each.statement)}",
            )


def _policy(aws: Aws, bucket: str) -> Mapping[str, Any]:
    try:
        text = aws.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return {}
    policy: Mapping[str, Any] = json.loads(text)
    return policy


def _aws_cli(target: Target) -> str:
    """How a command of the AWS CLI for this target begins."""
    options = {
        "--profile": target.profile,
        "--region": target.region,
        "--endpoint-url": target.endpoint_url,
    }
    return " ".join(["aws", *(f"{name} {value}" for name, value in options.items() if value)])


def _deploying(target: Target, parameter: str) -> str:
    stages = [each for each in ("staging", "prod") if settings_of(each).stack == target.stack]
    return f"make deploy STAGE={stages[0] if stages else 'STAGE'} PARAMETERS={parameter}"

"""What `scc doctor` and `make deploy` say of the platform's table and buckets, without a stack."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.rules.check_result import CheckResult
from ops.session import Session
from ops.stack.platform import bucket_policies, check_events_table, check_web_buckets
from ops.target import Target
from ops.terminal.console import Console
from release.deployment.deploy import words_about
from tests.tables import create_tables

STACK = "shipcaptaincrew-staging"
NAMES = {"WebBucketName": "dispatch-prod", "StagingWebBucketName": "dispatch-staging"}
ARN = "arn:aws:cloudfront::123456789012:distribution/E1ABC"


class Stack:
    """As far as the checks need one."""

    target = Target(stack=STACK, region="us-east-1", profile="ops")
    caller = "arn:aws:sts::123456789012:assumed-role/ops/ada"

    def __init__(self, **outputs: str) -> None:
        self.aws = self
        self.outputs = {"DistributionId": "E1ABC"} | NAMES | outputs

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]

    def output(self, name: str) -> str:
        return self.outputs[name]


BESIDE = Stack(WebBucketsOwner="platform")


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        for bucket in NAMES.values():
            BESIDE.client("s3").create_bucket(Bucket=bucket)
        yield


def session(stack: Stack) -> Session:
    return Session(stack, Console(as_json=False))  # type: ignore[arg-type]


def table(name: str, owner: str) -> CheckResult:
    (result,) = check_events_table(session(Stack(EventsTableName=name, EventsTableOwner=owner)))
    return result


@pytest.mark.parametrize("owner", ["stack", "platform"])
def test_a_table_with_what_the_api_reads_by_passes(owner: str) -> None:
    tables = create_tables(BESIDE.client("dynamodb"), "shipcaptaincrew")
    assert table(tables["Events"], owner).is_ok
    assert table(tables["Events"], owner).detail == f"{tables['Events']}, the {owner}'s"


def test_a_table_that_is_not_there_is_named_with_the_whole_command() -> None:
    result = table("Evnets", "platform")
    assert result.detail == "Evnets does not exist in us-east-1"
    assert "`make deploy STAGE=staging PARAMETERS=EventsTableName=NAME`" in result.remedy


def test_a_table_without_the_index_is_named_with_the_whole_command() -> None:
    tables = create_tables(BESIDE.client("dynamodb"), "shipcaptaincrew")
    result = table(tables["Ledger"], "platform")
    assert "`make deploy STAGE=staging PARAMETERS=EventsTableName=`" in result.remedy
    BESIDE.client("dynamodb").update_table(
        TableName=tables["Events"],
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "ByDate"}}],
    )
    result = table(tables["Events"], "platform")
    assert f"{tables['Events']} has no index ByDate" in result.remedy
    start = "`aws --profile ops --region us-east-1 dynamodb update-table --table-name "
    assert start + tables["Events"] in result.remedy


def test_buckets_of_the_stacks_own_are_no_business_of_doctors() -> None:
    assert [*check_web_buckets(session(Stack(WebBucketsOwner="stack")))] == []
    assert [*check_web_buckets(session(Stack()))] == [], "a stack of an earlier release"


def test_a_bucket_that_cloudfront_may_not_read_is_named_with_the_statement() -> None:
    page, staging = check_web_buckets(session(BESIDE))
    assert (page.name, staging.name) == ("web bucket", "staging web bucket")
    for result, resource in ((page, "dispatch-prod/*"), (staging, "dispatch-staging/_staging/*")):
        statement = json.loads(result.remedy[result.remedy.index("{") :])
        assert statement["Resource"] == f"arn:aws:s3:::{resource}"
        assert statement["Condition"] == {"StringEquals": {"aws:SourceArn": ARN}}


def test_the_command_of_a_deployment_adds_the_statement_and_keeps_the_rest() -> None:
    s3 = BESIDE.client("s3")
    theirs = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::dispatch-prod/*",
    }
    before = {"Version": "2012-10-17", "Statement": [theirs]}
    s3.put_bucket_policy(Bucket="dispatch-prod", Policy=json.dumps(before))
    for each in bucket_policies(BESIDE):  # type: ignore[arg-type]
        assert not each.is_allowed
        words = words_about(each)
        assert json.dumps(each.statement, indent=2) in words
        command = shlex.split(words.splitlines()[-1])
        assert command[:5] == ["aws", "--profile", "ops", "--region", "us-east-1"]
        assert command[5:7] == ["s3api", "put-bucket-policy"]
        bucket, policy = command[command.index("--bucket") + 1], command[-1]
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert all(each.is_ok for each in check_web_buckets(session(BESIDE)))
    after = json.loads(s3.get_bucket_policy(Bucket="dispatch-prod")["Policy"])
    assert after["Statement"][0] == theirs


def test_where_a_policy_cannot_be_read_no_command_overwrites_it() -> None:
    BESIDE.client("s3").delete_bucket(Bucket="dispatch-prod")
    page, _ = bucket_policies(BESIDE)  # type: ignore[arg-type]
    assert "put-bucket-policy" not in words_about(page)
    assert json.dumps(page.statement, indent=2) in words_about(page)
    result, _ = check_web_buckets(session(BESIDE))
    assert (result.is_ok, "NoSuchBucket" in result.detail) == (False, True)

"""GitHub's way into a deployed account, as far as the emulator goes: it evaluates the role's trust
and what the role calls itself, but not what CloudFormation does for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from release.deploy_role.command import AUDIENCE, ISSUER
from tests.release.deploy_role.role import REGION, REPOSITORY
from tests.release.walk import Account
from tests.suites import LONG

STACK = "shipcaptaincrew-staging"
SUBJECT = f"repo:{REPOSITORY}:environment:staging"


def made(account: Account) -> dict[str, str]:
    done = account.shell(
        f".venv/bin/scc release deploy-role --stage staging --repository {REPOSITORY} --json"
        " 2>/dev/null"
    )
    assert done.returncode == 0, done.stdout
    result: dict[str, str] = json.loads(done.stdout)
    return result


def token(subject: str, audience: str = AUDIENCE) -> str:
    """What GitHub gives to a job, but for the signature, which the emulator does not check."""
    parts: list[dict[str, str]] = [
        {"alg": "RS256", "typ": "JWT"},
        {"iss": f"https://{ISSUER}", "aud": audience, "sub": subject},
    ]
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    return ".".join([*(each.rstrip("=") for each in encoded), "c2lnbmF0dXJl"])


def credentials(account: Account, role: str, jwt: str) -> dict[str, str]:
    """Of the role, for a shell. Raises ClientError."""
    sts: Any = boto3.client(
        "sts",
        endpoint_url=account.endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED),
    )
    answer = sts.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="GitHubActions", WebIdentityToken=jwt
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["SessionToken"],
    }


@LONG
def test_github_deploys_publishes_and_checks_with_the_role(walked: Account) -> None:
    done = walked.shell(f"make deploy-role STAGE=staging REPOSITORY={REPOSITORY}")
    assert done.returncode == 0, done.stdout
    assert "gh variable set DEPLOY_ROLE_ARN --env staging" in done.stdout
    github = credentials(walked, made(walked)["role"], token(SUBJECT))
    allow_plain_http(walked)
    pages, bucket = walked.aws.client("s3"), web_bucket(walked)
    pages.put_object(Bucket=bucket, Key="stale.txt", Body=b"")
    pages.delete_object(Bucket=bucket, Key="index.html")
    for step in (
        "make deploy STAGE=staging CONFIRM=yes PARAMETERS=LogRetentionDays=60",
        ".venv/bin/scc web publish --stage prod",
        ".venv/bin/scc web publish --stage staging",
        "make smoke STAGE=staging",
    ):
        done = walked.shell(step, **github)
        assert done.returncode == 0, done.stdout[-3000:]
    groups = walked.aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")
    assert {each["retentionInDays"] for each in groups["logGroups"]} == {60}
    keys = {each["Key"] for each in pages.list_objects_v2(Bucket=bucket)["Contents"]}
    assert "index.html" in keys
    assert "stale.txt" not in keys


def allow_plain_http(account: Account) -> None:
    """SAM's bucket refuses it to everybody but root, and the emulator has no TLS."""
    bucket = outputs(account, "aws-sam-cli-managed-default")["SourceBucket"]
    account.aws.client("s3").delete_bucket_policy(Bucket=bucket)


def web_bucket(account: Account) -> str:
    return outputs(account, STACK)["WebBucketName"]


def outputs(account: Account, name: str) -> dict[str, str]:
    (stack,) = account.aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: str(each["OutputValue"]) for each in stack["Outputs"]}


@LONG
def test_nobody_else_gets_in(walked: Account) -> None:
    role = made(walked)["role"]
    credentials(walked, role, token(SUBJECT))
    for subject in (
        f"repo:{REPOSITORY}:environment:prod",
        f"repo:{REPOSITORY}:ref:refs/heads/main",
        f"repo:{REPOSITORY}:pull_request",
        "repo:octo-org/payments-fork:environment:staging",
        "repo:mallory/payments:environment:staging",
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            credentials(walked, role, token(subject))
    with pytest.raises(ClientError, match="AccessDenied"):
        credentials(walked, role, token(SUBJECT, audience="https://github.com/octo-org"))


@LONG
def test_stolen_credentials_reach_nothing_without_cloudformation(walked: Account) -> None:
    role = made(walked)["role"]
    github = credentials(walked, role, token(SUBJECT))

    def client(service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=walked.endpoint,
            region_name=REGION,
            aws_access_key_id=github["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=github["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=github["AWS_SESSION_TOKEN"],
        )

    own = {"RoleName": role.rpartition("/")[2], "PolicyName": "More", "PolicyDocument": "{}"}
    table = {"TableName": f"{STACK}-Payments"}
    assert client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    calls: list[Callable[[], Any]] = [
        lambda: client("dynamodb").delete_table(**table),
        lambda: client("dynamodb").scan(**table),
        lambda: client("iam").put_role_policy(**own),
        lambda: client("cloudformation").delete_stack(StackName=STACK),
        lambda: client("cloudformation").update_stack(
            StackName=f"{STACK}-deploy-role", UsePreviousTemplate=True
        ),
        lambda: client("secretsmanager").get_secret_value(
            SecretId=f"{STACK}/gmail-service-account"
        ),
    ]
    for refused in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


@LONG
def test_creating_it_again_changes_nothing(walked: Account) -> None:
    first = made(walked)
    assert made(walked) == first
    (provider,) = walked.aws.client("iam").list_open_id_connect_providers()[
        "OpenIDConnectProviderList"
    ]
    assert provider["Arn"].endswith(ISSUER)

"""Every action, resource and condition key of our policies, against AWS's reference of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.authorization import GLOBAL_KEYS, actions, listed, meet, problems
from tests.contracts.policies import ROOT, Policy, page_policies, template_policies
from tests.template.transformed import Template, template_for

# What differs from the reference, and whose word it is that it works.
EXPLAINED = {
    ("RouterRole", "dynamodb:ListStreams: takes no resource, so only * allows it"): (
        # "IAM policy to allow an AWS Lambda function to access DynamoDB stream records"
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
        "iam-policy-example-lamda-process-dynamodb-streams.html"
    ),
    (
        "OpsReadPolicy",
        "cloudwatch:DescribeAlarms: is allowed on every resource, and takes one",
    ): (
        # "scoped to *": a narrower scope shows only a part of the alarms
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"
    ),
    (
        "ApiCanaryRole",
        "cloudwatch:DescribeAlarms: is allowed on every resource, and takes one",
    ): (
        # as AWS's own policy for CodeDeploy has it
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/"
        "AWSCodeDeployRoleForLambdaLimited.html"
    ),
}
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Payments"
BUCKET = "arn:aws:s3:::evidence"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:audit"
BESIDE = {
    "EventsTableName": "platform-Events",
    "WebBucketName": "dispatch-prod",
    "StagingWebBucketName": "dispatch-staging",
    "ExistingWebBuckets": "yes",
}


@pytest.fixture(scope="module", params=["staging", "prod", "beside a platform"])
def policies(request: pytest.FixtureRequest) -> list[Policy]:
    stage, parameters = request.param, {}
    if request.param not in {"staging", "prod"}:
        stage, parameters = "prod", BESIDE
    return [*template_policies(template_for(stage, **parameters)), *page_policies()]


def documents(node: Any) -> Iterator[Any]:
    """Every policy document inside, whatever property it is in."""
    if isinstance(node, dict) and "Statement" in node:
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from documents(each)


def test_every_statement_says_what_aws_understands(policies: list[Policy]) -> None:
    found = {
        (policy.name, problem)
        for policy in policies
        for statement in policy.statements
        for problem in problems(statement, is_own=policy.is_own)
    }
    assert found == EXPLAINED.keys()


def test_nobody_may_invoke_the_api_with_an_event_of_their_own(policies: list[Policy]) -> None:
    """The event says who is calling, and only Lambda's own may: for a call of the function's URL.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    invoking = [
        (policy.name, statement.get("Condition", {}).get("Bool"))
        for policy in policies
        for statement in policy.statements
        if "lambda:InvokeFunction" in listed(statement["Action"])
        and any("api" in each.lower() for each in listed(statement["Resource"]))
    ]
    only = {"lambda:InvokedViaFunctionUrl": "true"}
    assert invoking == [("ApiInvokePermission", only), ("operations.md", only)]


def test_scripts_are_allowed_to_call_the_alias_that_has_the_url(policies: list[Policy]) -> None:
    """A URL of an alias is called with rights on the alias: https://docs.aws.amazon.com/lambda/
    latest/dg/urls-auth.html
    """
    (policy,) = [each for each in policies if each.name == "operations.md"]
    for statement in policy.statements:
        assert statement["Resource"].endswith("-api:live")


def test_no_policy_of_the_template_is_left_out(prod: Template) -> None:
    read = [each for each in template_policies(prod) if each.name in prod.resources]
    permissions = prod.of_type("AWS::Lambda::Permission")
    assert len(read) == len([*documents(prod.resources)]) + len(permissions)
    assert {each.name for each in page_policies()} >= {"operations.md"}


def test_a_wrong_letter_in_any_action_would_be_found(policies: list[Policy]) -> None:
    for policy in policies:
        for statement in policy.statements:
            for action in listed(statement["Action"]):
                if not action.endswith(":*"):
                    typo = statement | {"Action": action.rstrip("*") + "x"}
                    assert problems(typo, is_own=policy.is_own), action


@pytest.mark.parametrize(
    ("action", "resource", "problem"),
    [
        ("dynamodb:GetItems", TABLE, "there is no such action"),
        ("dynamodb:TransactWriteItems", TABLE, "there is no such action"),
        ("sqs:SendMessageBatch", QUEUE, "there is no such action"),
        ("sqqs:SendMessage", QUEUE, "there is no such action"),
        ("sqs:Sends*", QUEUE, "there is no such action"),
        ("dynamodb:GetItem", f"{TABLE}/index/GSI1", "takes none of"),
        ("dynamodb:GetRecords", TABLE, "takes none of"),
        ("s3:PutObject", BUCKET, "takes none of"),
        ("s3:ListBucket", f"{BUCKET}/*", "takes none of"),
        ("sqs:SendMessage", TABLE, "takes none of"),
        ("sqs:SendMessage", "*", "is allowed on every resource"),
        ("scheduler:ListSchedules", QUEUE, "takes no resource"),
    ],
)
def test_an_action_that_aws_would_not_allow_like_that_is_found(
    action: str, resource: str, problem: str
) -> None:
    assert problem in " ".join(problems({"Action": action, "Resource": resource}))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetItem", TABLE),
        ("dynamodb:Query", f"{TABLE}/index/GSI1"),
        ("dynamodb:GetRecords", f"{TABLE}/stream/*"),
        ("s3:PutObject", f"{BUCKET}/statements/*"),
        ("sqs:SendMessage*", QUEUE),
        ("scheduler:ListSchedules", "*"),
    ],
)
def test_an_action_on_what_it_takes_is_fine(action: str, resource: str) -> None:
    assert problems({"Action": action, "Resource": resource}) == []


def test_a_resource_that_none_of_the_actions_takes_is_found() -> None:
    statement = {"Action": ["dynamodb:GetItem"], "Resource": [TABLE, f"{TABLE}/index/GSI1"]}
    assert problems(statement) == [f"{TABLE}/index/GSI1: no action takes it"]


@pytest.mark.parametrize(
    ("action", "resource", "condition"),
    [
        ("dynamodb:UpdateItem", TABLE, {"ForAllValues:StringLike": {"dynamodb:LeadingKey": "a"}}),
        ("dynamodb:UpdateItem", TABLE, {"StringLike": {"dynamodb:LeadingKeys": "a"}}),
        ("s3:GetObject", f"{BUCKET}/*", {"StringEquals": {"s3:prefix": "tampered/"}}),
        ("s3:ListBucket", BUCKET, {"Bool": {"s3:prefix": "tampered/"}}),
        ("s3:*", BUCKET, {"Bool": {"aws:SecuredTransport": "false"}}),
        ("s3:*", BUCKET, {"NumericEquals": {"aws:SecureTransport": "0"}}),
        ("lambda:InvokeFunction", "*", {"Bool": {"lambda:InvokedViaUrl": "true"}}),
    ],
)
def test_a_condition_that_is_never_met_is_found(
    action: str, resource: str, condition: dict[str, Any]
) -> None:
    statement = {"Action": action, "Resource": resource, "Condition": condition}
    assert problems(statement, is_own=resource == "*")


@pytest.mark.parametrize("claim", ["audience", "subject"])
def test_a_claim_that_no_token_has_is_found(claim: str) -> None:
    host = "token.actions.githubusercontent.com"
    statement = {
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{host}"},
        "Condition": {"StringEquals": {f"{host}:{claim}": "sts.amazonaws.com"}},
    }
    assert problems(statement)


def test_actions_that_pages_name_exist() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    text = "".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"`([a-z0-9-]+:[A-Z]\w+)`", text))
    assert named
    assert [each for each in named - GLOBAL_KEYS.keys() if not actions(each)] == []


@pytest.mark.parametrize(
    ("pattern", "form", "is_met"),
    [
        ("a:table/x", "a:table/${TableName}", True),
        ("a:table/x*", "a:table/${TableName}", True),
        ("a:table/", "a:table/${TableName}", False),
        ("a:table/x/index/y", "a:table/${TableName}", False),
        ("a:*", "a:table/${TableName}/index/${IndexName}", True),
        ("a:log-group:x:*", "a:log-group:${LogGroupName}:log-stream:${LogStreamName}", True),
        ("a:secret:x-??????", "a:secret:${SecretId}", True),
        ("a:bucket/folder/*", "a:${BucketName}/${ObjectName}", True),
        ("a:bucket", "a:${BucketName}/${ObjectName}", False),
    ],
)
def test_wildcards_are_compared_with_the_form_of_an_arn(
    pattern: str,
    form: str,
    is_met: bool,  # noqa: FBT001
) -> None:
    assert meet(pattern, form) is is_met

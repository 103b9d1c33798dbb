"""The role that GitHub deploys with: all that a deployment takes, and nothing else."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from tests.contracts import sam
from tests.contracts.authorization import actions, listed, problems, resource_types
from tests.release.deploy_role.needs import CANARY, ONLY_FOR, needed, only_for, used_properties
from tests.release.deploy_role.role import (
    ACCOUNT,
    REGION,
    REPOSITORY,
    Role,
    raw_role,
    resources_of,
    role_for,
)

HERE = f"{REGION}:{ACCOUNT}"
# What the release's own commands call; test_on_the_emulator.py has them call it.
STEPS = frozenset(
    {
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:GetTemplateSummary",
        "cloudformation:ListStackResources",
        "cloudfront:CreateInvalidation",
        "cloudfront:GetInvalidation",
        "cloudwatch:DescribeAlarms",
        "lambda:ListEventSourceMappings",
        "s3:DeleteObject",
        "s3:GetBucketPolicy",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "scheduler:GetSchedule",
        "sqs:GetQueueAttributes",
    }
)
# Actions that are not of the resource itself, and what they are of.
ELSEWHERE = {
    **dict.fromkeys(
        (
            "codedeploy:CreateDeployment",
            "codedeploy:GetDeployment",
            "codedeploy:GetDeploymentGroup",
        ),
        "arn:aws:codedeploy:us-east-1:{account}:deploymentgroup:{stack}-Application-1A/Api-2B",
    ),
    "codedeploy:GetDeploymentConfig": (
        "arn:aws:codedeploy:us-east-1:{account}:deploymentconfig:CodeDeployDefault.LambdaAllAtOnce"
    ),
    "iam:PassRole": "arn:aws:iam::{account}:role/{stack}-ApiRole-1A2B3C",
    "s3:GetObject": "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a/{stack}/2b3c",
}
# What the Service Authorization Reference does not have, and whose word it is that it works.
EXPLAINED = {
    "cloudformation:us-east-1:aws:transform/": (
        # "iam-permissions for transforms": the change set is created on them, too
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
        "transform-aws-serverless.html"
    ),
    "cloudwatch:DescribeAlarms: is allowed on every resource, and takes one": (
        # "scoped to *": a narrower scope shows only a part of the alarms
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"
    ),
}
MANAGED_POLICY_CHARACTERS = 6_144  # without white space; a role takes ten of them:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


@pytest.fixture(scope="module", params=["staging", "prod"])
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def role(stage: str) -> Role:
    return role_for(stage)


def test_cloudformation_may_do_all_that_the_template_takes(role: Role, stage: str) -> None:
    """By the create, read, update and delete handlers in CloudFormation's registry schemas."""
    assert missing(role, stage) == []


def missing(role: Role, stage: str) -> list[tuple[str, str, str]]:
    """What is needed and not allowed: type of resource, action, ARN."""
    found = []
    for kind, arn in resources_of(role, stage):
        for action in needed()[kind]:
            of = arn if resource_types(action) else "*"
            if action in ELSEWHERE:
                of = ELSEWHERE[action].format(account=ACCOUNT, stack=role.stack)
            if not role.allows(action, of):
                found.append((kind, action, of))
    return found


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("iam:PassRole", "AWS::Lambda::Function"),
        ("kms:CreateKey", "AWS::KMS::Key"),
        ("s3:GetObject", "AWS::Lambda::Function"),
        ("sqs:SetQueueAttributes", "AWS::SQS::QueuePolicy"),
    ],
)
def test_an_action_that_is_missing_is_named(stage: str, action: str, kind: str) -> None:
    spoiled = role_for(stage)
    for statement in spoiled.statements:
        statement["Action"] = [each for each in listed(statement["Action"]) if each != action]
    assert (kind, action) in {(found[0], found[1]) for found in missing(spoiled, stage)}


def test_a_resource_outside_the_patterns_is_named(stage: str) -> None:
    spoiled = role_for(stage)
    for statement in spoiled.statements:
        statement["Resource"] = [
            each.replace("function:", "functions:") for each in listed(statement["Resource"])
        ]
    assert {found[0] for found in missing(spoiled, stage)} >= {"AWS::Lambda::Function"}


def test_the_canary_of_the_api_is_provided_for(role: Role) -> None:
    assert {action for kind in CANARY for action in needed()[kind]} <= role.actions


def test_nothing_else_is_allowed(role: Role) -> None:
    taken = frozenset[str]().union(*needed().values())
    assert role.actions - taken - STEPS == set()
    assert role.actions >= STEPS


def test_no_action_is_a_pattern_and_each_exists(role: Role) -> None:
    for action in role.actions:
        assert actions(action) == [action]


def test_every_statement_says_what_aws_understands(role: Role) -> None:
    """A resource is `*` only where AWS knows none, and for alarms, which it shows only to *."""
    found = [problem for each in role.statements for problem in problems(each)]
    unexplained = [each for each in found if not any(why in each for why in EXPLAINED)]
    assert unexplained == []
    assert all(any(why in each for each in found) for why in EXPLAINED)


def test_what_is_needed_for_unused_properties_only_is_still_unused() -> None:
    """A property that the template begins to use needs its actions: move them to the role."""
    used = used_properties()
    begun = [
        (kind, name) for kind, names in ONLY_FOR.items() for name in names if name in used[kind]
    ]
    assert begun == []


def test_the_schemas_still_list_what_is_left_out() -> None:
    listed_by = sam.permissions_of(sorted(ONLY_FOR))
    gone = {kind: only_for(kind) - set(listed_by[kind]) for kind in ONLY_FOR}
    assert not any(gone.values()), gone


def test_only_cloudformation_may_use_what_the_stack_takes(role: Role) -> None:
    """aws:CalledVia is there while CloudFormation acts for a caller, and for no direct call.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/fas-requests-and-permission-evaluation.html
    """
    via = {"aws:CalledVia": "cloudformation.amazonaws.com"}
    direct = {
        action
        for each in role.statements
        if each.get("Condition", {}).get("ForAnyValue:StringEquals") != via
        for action in listed(each["Action"])
    }
    assert direct == STEPS | {"iam:PassRole"}


def test_roles_are_passed_to_the_stacks_services_only(role: Role) -> None:
    (statement,) = [each for each in role.statements if "iam:PassRole" in listed(each["Action"])]
    assert statement["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/{role.stack}-*"
    services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert set(services) == {
        f"{each}.amazonaws.com" for each in ("codedeploy", "lambda", "scheduler")
    }


def test_only_a_job_of_the_repositorys_environment_may_assume_it(role: Role, stage: str) -> None:
    issuer = "token.actions.githubusercontent.com"
    assert role.trust == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
        "Condition": {
            "StringEquals": {
                f"{issuer}:aud": "sts.amazonaws.com",
                f"{issuer}:sub": f"repo:{REPOSITORY}:environment:{stage}",
            }
        },
    }
    assert problems(role.trust) == []


@pytest.mark.parametrize(
    ("action", "arn"),
    [
        ("cloudformation:DeleteStack", "cloudformation:{here}:stack/{stack}/1a2b"),
        ("cloudformation:CreateChangeSet", "cloudformation:{here}:stack/{stack}-deploy-role/1a2b"),
        ("dynamodb:DeleteItem", "dynamodb:{here}:table/{stack}-Payments"),
        ("dynamodb:Scan", "dynamodb:{here}:table/{stack}-Payments"),
        ("iam:PutRolePolicy", "iam::{account}:role/deploy/{stack}-deploy-role-DeployRole-1A"),
        ("iam:CreatePolicyVersion", "iam::{account}:policy/deploy/{stack}-deploy-role-Roles-1A"),
        ("iam:PutRolePolicy", "iam::{account}:role/Administrator"),
        ("iam:AttachRolePolicy", "iam::{account}:role/{stack}-ApiRole-1A"),
        ("kms:Sign", "kms:{here}:key/1a2b"),
        ("lambda:InvokeFunction", "lambda:{here}:function:{stack}-api"),
        ("s3:DeleteObject", "s3:::{stack}-evidencebucket-1a/statements/2026-11-27"),
        ("s3:PutObject", "s3:::{stack}-evidencebucket-1a/statements/2026-11-27"),
        ("secretsmanager:GetSecretValue", "secretsmanager:{here}:secret:{stack}/gmail-1a2b3c"),
        ("sqs:SendMessage", "sqs:{here}:{stack}-audit"),
    ],
)
def test_what_it_may_not_do(role: Role, action: str, arn: str) -> None:
    of = arn.format(here=HERE, account=ACCOUNT, stack=role.stack)
    assert not role.allows(action, f"arn:aws:{of}")


def test_staging_reaches_nothing_of_production() -> None:
    """The other way around it does: shipcaptaincrew-* covers shipcaptaincrew-staging-*, too."""
    staging, prod = role_for("staging"), role_for("prod")
    own = {arn for _, arn in resources_of(prod, "prod") if prod.stack in arn}
    assert own
    patterns = {each for one in staging.statements for each in listed(one["Resource"])} - {"*"}
    assert not any(fnmatchcase(arn, pattern) for arn in own for pattern in patterns)


def test_each_policy_fits_into_what_iam_takes(role: Role) -> None:
    assert len(role.policies) <= 10
    for name, statements in role.policies.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        assert len("".join(document.split())) <= MANAGED_POLICY_CHARACTERS, name


def test_cloudformations_own_rules_find_nothing_in_it() -> None:
    assert sam.lint(raw_role()) == {}

"""The role as AWS would know it for one stack, and the resources that this stack would have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from release.deploy_role.command import TEMPLATE
from tests.contracts import sam
from tests.contracts.authorization import listed
from tests.template.transformed import template_for

ACCOUNT = "123456789012"
REGION = "us-east-1"
REPOSITORY = "octo-org/payments"
_VARIABLE = re.compile(r"\$\{([\w:]+)\}")


@dataclass(frozen=True, slots=True)
class Role:
    """policies: their statements by logical id, with ARNs written out."""

    stack: str
    app: str
    trust: dict[str, Any]
    policies: dict[str, list[dict[str, Any]]]

    @property
    def statements(self) -> Iterator[dict[str, Any]]:
        for each in self.policies.values():
            yield from each

    @property
    def actions(self) -> set[str]:
        return {action for each in self.statements for action in listed(each["Action"])}

    def allows(self, action: str, arn: str) -> bool:
        """Under the statement's condition, if it has one."""
        return any(
            action in listed(each["Action"])
            and any(fnmatchcase(arn, pattern) for pattern in listed(each["Resource"]))
            for each in self.statements
        )


@cache
def raw_role() -> dict[str, Any]:
    return sam.parsed(TEMPLATE.read_text("utf-8"))


def role_for(stage: str) -> Role:
    stack = {"staging": "shipcaptaincrew-staging", "prod": "shipcaptaincrew"}[stage]
    values = {
        "AWS::Partition": "aws",
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "StackName": stack,
        "AppName": stack,
        "Subject": f"repo:{REPOSITORY}:environment:{stage}",
        "WebBucketName": f"{stack}-webbucket-abc",
        "StagingWebBucketName": f"{stack}-stagingwebbucket-abc",
        "DistributionId": "E1ABC",
    }
    resources = {
        name: _written(each["Properties"], values) for name, each in raw_role()["Resources"].items()
    }
    (document,) = [each.pop("AssumeRolePolicyDocument") for each in [resources.pop("DeployRole")]]
    policies = {name: each["PolicyDocument"]["Statement"] for name, each in resources.items()}
    return Role(stack, stack, document["Statement"][0], policies)


def _written(node: Any, values: dict[str, str]) -> Any:
    match node:
        case {"Fn::Sub": str(text)}:
            result: Any = _VARIABLE.sub(lambda found: values[found[1]], text)
        case {"Ref": str(name)}:
            result = values.get(name, name)
        case dict():
            result = {key: _written(each, values) for key, each in node.items()}
        case list():
            result = [_written(each, values) for each in node]
        case _:
            result = node
    return result


def resources_of(role: Role, stage: str) -> Iterator[tuple[str, str]]:
    """The type and the ARN of everything in the stack, with random ids where AWS makes them."""
    template = template_for(stage, AppName=role.app, AlarmEmail="ops@example.com")
    for name, resource in template.resources.items():
        given = json.dumps(resource["Properties"]).replace("${AppName}", role.app)
        yield resource["Type"], _arn(resource["Type"], name, json.loads(given), role)


def _arn(kind: str, name: str, given: dict[str, Any], role: Role) -> str:
    here = f"{REGION}:{ACCOUNT}"
    made = f"{role.stack}-{name}-1A2B3C"  # what CloudFormation calls what has no name
    function = f"lambda:{here}:function:{role.app}-api"
    bucket = f"s3:::{made.lower()}"
    pool = f"cognito-idp:{here}:userpool/{REGION}_aBc"
    queue = f"sqs:{here}:{role.app}-audit"
    application = f"{role.stack}-ServerlessDeploymentApplication-1A2B3C"
    canary = f"codedeploy:{here}"
    arns = {
        "AWS::CloudFront::Distribution": f"cloudfront::{ACCOUNT}:distribution/E2XYZ",
        "AWS::CloudFront::Function": f"cloudfront::{ACCOUNT}:function/{_named(given)}",
        "AWS::CloudFront::OriginAccessControl": (
            f"cloudfront::{ACCOUNT}:origin-access-control/E3XYZ"
        ),
        "AWS::CloudFront::ResponseHeadersPolicy": (
            f"cloudfront::{ACCOUNT}:response-headers-policy/1a2b-3c"
        ),
        "AWS::CloudWatch::Alarm": f"cloudwatch:{here}:alarm:{_named(given)}",
        "AWS::CloudWatch::Dashboard": f"cloudwatch::{ACCOUNT}:dashboard/{_named(given)}",
        "AWS::CodeDeploy::Application": f"{canary}:application:{application}",
        "AWS::CodeDeploy::DeploymentGroup": f"{canary}:deploymentgroup:{application}/{made}",
        "AWS::Cognito::UserPool": pool,
        "AWS::Cognito::UserPoolClient": pool,
        "AWS::Cognito::UserPoolGroup": pool,
        "AWS::DynamoDB::Table": f"dynamodb:{here}:table/{_named(given)}",
        "AWS::IAM::ManagedPolicy": f"iam::{ACCOUNT}:policy/{made}",
        "AWS::IAM::Role": f"iam::{ACCOUNT}:role/{made}",
        "AWS::KMS::Key": f"kms:{here}:key/1a2b-3c",
        "AWS::Lambda::Alias": function,
        "AWS::Lambda::EventInvokeConfig": function,
        "AWS::Lambda::EventSourceMapping": f"lambda:{here}:event-source-mapping:1a2b-3c",
        "AWS::Lambda::Function": f"lambda:{here}:function:{_named(given)}",
        "AWS::Lambda::Permission": function,
        "AWS::Lambda::Url": function,
        "AWS::Lambda::Version": function,
        "AWS::Logs::LogGroup": f"logs:{here}:log-group:{_named(given)}",
        "AWS::Logs::MetricFilter": f"logs:{here}:log-group:/aws/lambda/{role.app}-api",
        "AWS::S3::Bucket": bucket,
        "AWS::S3::BucketPolicy": bucket,
        "AWS::SNS::Subscription": f"sns:{here}:{role.app}-alarms",
        "AWS::SNS::Topic": f"sns:{here}:{_named(given)}",
        "AWS::SQS::Queue": f"sqs:{here}:{_named(given)}",
        "AWS::SQS::QueuePolicy": queue,
        "AWS::Scheduler::Schedule": f"scheduler:{here}:schedule/default/{_named(given)}",
        # CloudFormation names a secret by its logical id alone.
        "AWS::SecretsManager::Secret": f"secretsmanager:{here}:secret:{name}-1A2B3C-d4e5f6",
    }
    return f"arn:aws:{arns[kind]}"


def _named(given: dict[str, Any]) -> str:
    """The one property that names it, such as TableName; empty if there is none."""
    names = ("AlarmName", "DashboardName", "FunctionName", "LogGroupName", "Name", "QueueName",
             "TableName", "TopicName")  # fmt: skip
    found = next((given[each] for each in names if each in given), "")
    return str(found.get("Fn::Sub", "")) if isinstance(found, dict) else str(found)

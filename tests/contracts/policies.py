"""Every policy document of the template and of the docs, its resources written as ARNs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contracts.authorization import arn_form
from tests.template.transformed import Template

ROOT = Path(__file__).parents[2]
# What Arn, Id or Ref of a resource is; its form is the Service Authorization Reference's.
ARNS = {
    "AWS::Cognito::UserPool": ("cognito-idp", "userpool"),
    "AWS::DynamoDB::Table": ("dynamodb", "table"),
    "AWS::IAM::Role": ("iam", "role"),
    "AWS::KMS::Key": ("kms", "key"),
    "AWS::Lambda::Alias": ("lambda", "function alias"),
    "AWS::Lambda::Function": ("lambda", "function"),
    "AWS::Logs::LogGroup": ("logs", "log-group"),
    "AWS::S3::Bucket": ("s3", "bucket"),
    "AWS::SNS::Topic": ("sns", "topic"),
    "AWS::SQS::Queue": ("sqs", "queue"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "Secret"),
}
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "Partition": "aws",
    "Region": "us-east-1",
    "Account": "123456789012",
}
DOCUMENTS = {  # which property of a resource is a policy document
    "AWS::IAM::ManagedPolicy": "PolicyDocument",
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
_VARIABLE = re.compile(r"\$\{([\w:]+?)(\.\w+)?\}")


@dataclass(frozen=True, slots=True)
class Policy:
    """name: the logical id it belongs to, or its page. is_own: the resource `*` is that key."""

    name: str
    statements: list[dict[str, Any]]
    is_own: bool = False


def template_policies(template: Template) -> list[Policy]:
    found = []
    for name, resource in template.resources.items():
        kind, properties = resource["Type"], resource["Properties"]
        documents = [properties[DOCUMENTS[kind]]] if kind in DOCUMENTS else []
        if kind == "AWS::IAM::Role":
            documents += [each["PolicyDocument"] for each in properties["Policies"]]
        if kind == "AWS::Lambda::Permission":
            documents.append({"Statement": [permission_statement(properties)]})
        for document in documents:
            statements = [_with_arns(each, template) for each in document["Statement"]]
            found.append(Policy(name, statements, is_own=kind == "AWS::KMS::Key"))
    return found


def permission_statement(properties: dict[str, Any]) -> dict[str, Any]:
    """docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html: what Lambda makes of it."""
    equals = {"aws:SourceArn": properties["SourceArn"]}
    statement = {
        "Action": properties["Action"],
        "Resource": properties["FunctionName"],
        "Condition": {"ArnLike": equals},
    }
    if "FunctionUrlAuthType" in properties:
        auth_type = {"lambda:FunctionUrlAuthType": properties["FunctionUrlAuthType"]}
        statement["Condition"]["StringEquals"] = auth_type
    if "InvokedViaFunctionUrl" in properties:
        statement["Condition"]["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    return statement


def page_policies() -> Iterator[Policy]:
    """The policies that people are told to create."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for block in re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            if '"Statement"' in block:
                yield Policy(page.name, json.loads(block)["Statement"])


def _with_arns(statement: dict[str, Any], template: Template) -> dict[str, Any]:
    if "Resource" not in statement:
        return statement
    listed = statement["Resource"]
    nodes = listed if isinstance(listed, list) else [listed]
    return statement | {"Resource": [_arn(each, template) for each in nodes]}


def _arn(node: Any, template: Template) -> str:
    match node:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn" | "Id"]}:
            result = _arn_of(name, template)
        case {"Fn::Sub": str(text)}:
            result = _VARIABLE.sub(lambda found: _variable(found, template), text)
        case str(text):
            result = text
        case _:
            raise ValueError(f"not an ARN: {node}")
    return result


def _arn_of(name: str, template: Template) -> str:
    kind = template.resources[name]["Type"]
    form = arn_form(*ARNS[kind])
    arn = re.sub(r"\$\{(\w+)\}", lambda found: PSEUDO.get(found[1], name), form)
    # docs.aws.amazon.com/AWSCloudFormation: the Arn of a log group includes its streams.
    return arn + ":*" if kind == "AWS::Logs::LogGroup" else arn


def _variable(found: re.Match[str], template: Template) -> str:
    name, attribute = found[1], found[2]
    if attribute == ".Arn":
        return _arn_of(name, template)
    return PSEUDO.get(name, name.rpartition(":")[2])

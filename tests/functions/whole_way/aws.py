"""One AWS account in moto, as template.yaml makes it, that records who calls what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from tests.functions.api.conftest import make_user_pool
from tests.functions.whole_way.conditions import Told
from tests.tables import create_tables
from tests.template.transformed import Template

NOTHING = Told()
TABLES = {
    "Events": "EventsTable",
    "Payments": "PaymentsTable",
    "Ledger": "LedgerTable",
    "AuditDeliveries": "DeliveriesTable",
    "OpsRecord": "OpsRecordTable",
    "Sessions": "SessionsTable",
}
UNSIGNED = {"InitiateAuth"}  # Cognito asks for no right to check a password
WRITES = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


@dataclass(frozen=True, slots=True)
class Right:
    """resource: a logical id, with what follows an ARN, such as PaymentsTable/index/GSI1.

    told: what a write tells IAM besides.
    """

    action: str
    resource: str
    told: Told = NOTHING


@dataclass
class Account:
    """used: the rights that each function's calls asked for. function: whose call it is now."""

    tables: dict[str, str]
    physical: dict[str, str]
    used: dict[str, set[Right]] = field(default_factory=dict)
    function: str = ""

    @classmethod
    def create(cls, gmail_key: str) -> Account:
        tables = create_tables(boto3.client("dynamodb"))
        sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")
        s3, kms = boto3.client("s3"), boto3.client("kms")
        s3.create_bucket(Bucket="failures")
        s3.create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
        key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        secrets.create_secret(Name="cursor", SecretString="k" * 32)
        secrets.create_secret(Name="gmail", SecretString=gmail_key)
        users = make_user_pool()
        physical = {logical: tables[name] for name, logical in TABLES.items()} | {
            "AuditQueue": sqs.create_queue(QueueName="audit")["QueueUrl"],
            "DeadLetterQueue": sqs.create_queue(QueueName="audit-dlq")["QueueUrl"],
            "FailuresBucket": "failures",
            "EvidenceBucket": "evidence",
            "SigningKey": key["KeyId"],
            "RouterFunction": "stream-router",
            "RouterFunctionNewLedgerRows": "00000000-0000-4000-8000-000000000000",
            "CursorKeySecret": "cursor",
            "GmailSecret": "gmail",
            "Distribution": "d111111abcdef8.cloudfront.net",
            "UserPool": users["USER_POOL_ID"],
            "UserPoolClient": users["USER_POOL_CLIENT_ID"],
        }
        return cls(tables, physical)

    def environment(self, template: Template, function: str) -> dict[str, str]:
        """What the template gives the function, its references resolved."""

        def value(node: Any) -> str:
            match node:
                case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
                    return self.physical[name]
                case {"Fn::Sub": str(text)}:
                    return re.sub(r"\$\{(Distribution)\.\w+\}", lambda m: self.physical[m[1]], text)
                case _:
                    return str(node)

        variables = template[function]["Environment"]["Variables"]
        return {name: value(node) for name, node in variables.items()}

    @contextmanager
    def noting(self, function: str) -> Iterator[None]:
        self.function = function
        try:
            yield
        finally:
            self.function = ""

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Note every call from now on; each goes to moto as before."""
        call = BaseClient._make_api_call  # type: ignore[attr-defined]

        def noted(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
            if self.function and operation not in UNSIGNED:
                service = client.meta.service_model.service_name
                rights = self.used.setdefault(self.function, set())
                rights.update(self._rights(service, operation, arguments))
            return call(client, operation, arguments)

        patch.setattr(BaseClient, "_make_api_call", noted)

    def _rights(self, service: str, operation: str, arguments: dict[str, Any]) -> Iterator[Right]:
        """In a transaction or a batch, AWS checks each part by its own action."""
        if operation == "TransactWriteItems":
            for write in arguments["TransactItems"]:
                for kind, parts in write.items():
                    table = self._logical(parts["TableName"])
                    yield Right(f"dynamodb:{WRITES[kind]}", table, Told.by(parts))
        elif "RequestItems" in arguments:
            for table in arguments["RequestItems"]:
                yield Right(f"{service}:{operation}", self._logical(table))
        else:
            names = ("TableName", "QueueUrl", "Bucket", "SecretId", "UserPoolId", "UUID", "KeyId")
            (physical,) = (arguments[name] for name in names if name in arguments)
            resource = self._logical(physical)
            if "IndexName" in arguments:
                resource += f"/index/{arguments['IndexName']}"
            if "Bucket" in arguments and "Key" in arguments:
                resource += f"/{arguments['Key']}"
            told = Told.by(arguments) if operation in WRITES.values() else NOTHING
            for action in _actions(operation, arguments):
                yield Right(f"{service}:{action}", resource, told)

    def _logical(self, physical: str) -> str:
        return next(name for name, each in self.physical.items() if each == physical)


def _actions(operation: str, arguments: dict[str, Any]) -> Iterator[str]:
    """docs.aws.amazon.com/service-authorization: what S3 wants for versions, locks, conditions."""
    if operation == "GetObject" and "VersionId" in arguments:
        yield "GetObjectVersion"
    elif operation == "ListObjectVersions":
        yield "ListBucketVersions"
    else:
        yield operation.removesuffix("Batch")
    if "ObjectLockMode" in arguments:
        yield "PutObjectRetention"
    if "IfMatch" in arguments:  # "Policies and permissions for conditional writes"
        yield "GetObject"


def resources_of(statement: dict[str, Any]) -> list[str]:
    """By logical id: ${PaymentsTable.Arn}/index/GSI1 becomes PaymentsTable/index/GSI1."""
    listed = statement["Resource"]
    return [_resource(each) for each in (listed if isinstance(listed, list) else [listed])]


def _resource(node: Any) -> str:
    match node:
        case {"Fn::GetAtt": [name, _]} | {"Ref": name}:
            return str(name)
        case {"Fn::Sub": text}:
            if "secret:${GmailCredentialsSecretId}-" in text:
                return "GmailSecret"
            if ":event-source-mapping:" in text:
                return re.sub(r".*:\$\{(\w+)\}$", r"\1", text)
            return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
        case _:
            return str(node)


def actions_of(statement: dict[str, Any]) -> list[str]:
    listed = statement["Action"]
    return listed if isinstance(listed, list) else [listed]

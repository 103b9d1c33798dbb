"""What each function's role may not do, tried with its own credentials under IAM enforcement."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.credentials import SECRET_ID
from local.running_stack import RunningStack
from shared.attributes import to_attributes
from tests.dock import Dock

# Runs with the role under test, as Lambda hands it out, and says what became of one call.
PROBE = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    call = getattr(boto3.client(event["service"]), event["operation"])
    try:
        call(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""
FUNCTIONS = ("Api", "Router", "Sweep", "Mailer", "Statement")
DENIED = {"AccessDenied", "AccessDeniedException"}
Probe = Callable[[str, str, str, dict[str, Any]], str]


@pytest.fixture(scope="module")
def probe(stack: RunningStack) -> Iterator[Probe]:
    """Call AWS as a function's role: probe("Api", "dynamodb", "scan", {…}) → error code."""
    functions, names = stack.aws.client("lambda"), {}
    for function in FUNCTIONS:
        real = functions.get_function_configuration(
            FunctionName=stack.outputs[f"{function}FunctionName"]
        )
        names[function] = f"probe-{function.lower()}-{uuid.uuid4().hex[:8]}"
        functions.create_function(
            FunctionName=names[function],
            Runtime=real["Runtime"],
            Handler="probe.handler",
            Role=real["Role"],
            Code={"ZipFile": zipped("probe.py", PROBE)},
        )

    def call(function: str, service: str, operation: str, arguments: dict[str, Any]) -> str:
        event = {"service": service, "operation": operation, "arguments": arguments}
        answer = functions.invoke(FunctionName=names[function], Payload=json.dumps(event).encode())
        content = json.loads(answer["Payload"].read())
        assert isinstance(content, str), content
        return content

    yield call
    for name in names.values():
        functions.delete_function(FunctionName=name)


def zipped(name: str, content: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_role_can_change_or_delete_a_payment(dock: Dock, probe: Probe, function: str) -> None:
    payment = dock.logged()
    table = dock.stack.outputs["PaymentsTableName"]
    key = to_attributes({"PK": payment["PK"], "SK": payment["SK"]})
    update = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET amount_cents = :one",
        "ExpressionAttributeValues": to_attributes({":one": 1}),
    }
    delete = {"TableName": table, "Key": key}
    statement = f'DELETE FROM "{table}" WHERE PK = ? AND SK = ?'  # noqa: S608 - our own table
    for operation, arguments in (
        ("update_item", update),
        ("delete_item", delete),
        ("transact_write_items", {"TransactItems": [{"Update": update}]}),
        ("transact_write_items", {"TransactItems": [{"Delete": delete}]}),
        ("batch_write_item", {"RequestItems": {table: [{"DeleteRequest": {"Key": key}}]}}),
        ("execute_statement", {"Statement": statement, "Parameters": [key["PK"], key["SK"]]}),
        ("delete_table", {"TableName": table}),
    ):
        assert probe(function, "dynamodb", operation, arguments) in DENIED, operation
    assert dock.listed(payment["payment_id"])["hash"] == payment["hash"]


def test_the_api_reads_one_payment_but_neither_scans_nor_queues_nor_mails(
    dock: Dock, probe: Probe
) -> None:
    outputs = dock.stack.outputs
    key = to_attributes({"PK": "nothing", "SK": 1})
    wanted = {"TableName": outputs["PaymentsTableName"], "Key": key}
    assert probe("Api", "dynamodb", "get_item", wanted) == "allowed", "the probe itself works"
    for name in ("Payments", "Events", "Ledger", "Deliveries", "Sessions"):
        table = {"TableName": outputs[f"{name}TableName"]}
        assert probe("Api", "dynamodb", "scan", table) in DENIED, name
    message = {"QueueUrl": outputs["AuditQueueUrl"], "MessageBody": "{}"}
    assert probe("Api", "sqs", "send_message", message) in DENIED
    queue = {"QueueUrl": outputs["AuditQueueUrl"]}
    assert probe("Api", "sqs", "receive_message", queue) in DENIED
    assert probe("Api", "secretsmanager", "get_secret_value", {"SecretId": SECRET_ID}) in DENIED
    sent = to_attributes({"payment_id": "pay_0", "state": "sent"})
    delivery = {"TableName": outputs["DeliveriesTableName"], "Item": sent}
    assert probe("Api", "dynamodb", "put_item", delivery) in DENIED
    user = {"UserPoolId": outputs["UserPoolId"], "Username": "crew@shipcaptaincrew.example"}
    assert probe("Api", "cognito-idp", "admin_get_user", user) == "allowed"
    group = user | {"GroupName": "admins"}
    assert probe("Api", "cognito-idp", "admin_add_user_to_group", group) in DENIED


@pytest.mark.parametrize("function", ["Router", "Sweep", "Mailer", "Statement"])
def test_only_the_api_writes_to_the_ledger(dock: Dock, probe: Probe, function: str) -> None:
    outputs = dock.stack.outputs
    row = to_attributes({"PK": f"forged#{uuid.uuid4()}", "SK": 1})
    for table in ("Payments", "Ledger", "Events", "Sessions"):
        write = {"TableName": outputs[f"{table}TableName"], "Item": row}
        assert probe(function, "dynamodb", "put_item", write) in DENIED, table


def test_the_statement_seals_signs_and_queues_and_takes_nothing_back(
    dock: Dock, probe: Probe
) -> None:
    outputs = dock.stack.outputs
    key_id, bucket = {"KeyId": outputs["SigningKeyId"]}, {"Bucket": outputs["EvidenceBucketName"]}
    digest = {"Message": bytes(32).decode(), "MessageType": "DIGEST"}
    signing = key_id | digest | {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    assert probe("Statement", "kms", "sign", signing) == "allowed"
    assert probe("Statement", "kms", "get_public_key", key_id) == "allowed"
    assert probe("Statement", "s3", "list_object_versions", bucket) == "allowed"
    (sealed, *_) = dock.stack.aws.client("s3").list_object_versions(**bucket)["Versions"]
    version = bucket | {"Key": sealed["Key"], "VersionId": sealed["VersionId"]}
    for service, operation, arguments in (
        ("s3", "delete_object", version),
        ("s3", "delete_object", version | {"BypassGovernanceRetention": True}),
        ("s3", "delete_bucket", bucket),
        ("kms", "schedule_key_deletion", key_id | {"PendingWindowInDays": 7}),
        ("kms", "disable_key", key_id),
        ("secretsmanager", "get_secret_value", {"SecretId": SECRET_ID}),
        ("sqs", "receive_message", {"QueueUrl": outputs["AuditQueueUrl"]}),
        ("dynamodb", "scan", {"TableName": outputs["PaymentsTableName"]}),
    ):
        assert probe("Statement", service, operation, arguments) in DENIED, operation


@pytest.mark.parametrize("function", ["Mailer", "Api"])
def test_who_reads_statements_neither_makes_nor_signs_one(
    dock: Dock, probe: Probe, function: str
) -> None:
    outputs = dock.stack.outputs
    bucket = {"Bucket": outputs["EvidenceBucketName"]}
    assert probe(function, "s3", "list_object_versions", bucket) == "allowed"
    s3 = dock.stack.aws.client("s3")
    (sealed, *_) = s3.list_object_versions(**bucket, Prefix="statements/")["Versions"]
    version = bucket | {"Key": sealed["Key"], "VersionId": sealed["VersionId"]}
    assert probe(function, "s3", "get_object", version) == "allowed"
    forged = bucket | {"Key": "statements/2026-11-24/statement.json", "Body": "{}"}
    signing = {"KeyId": outputs["SigningKeyId"], "Message": "x"}
    signing |= {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    for service, operation, arguments in (
        ("s3", "put_object", forged),
        ("s3", "delete_object", version),
        ("kms", "sign", signing),
    ):
        assert probe(function, service, operation, arguments) in DENIED, operation


@pytest.mark.parametrize("function", ["Router", "Sweep"])
def test_the_other_functions_do_not_reach_the_evidence(
    dock: Dock, probe: Probe, function: str
) -> None:
    outputs = dock.stack.outputs
    bucket = {"Bucket": outputs["EvidenceBucketName"]}
    assert probe(function, "s3", "list_object_versions", bucket) in DENIED
    forged = bucket | {"Key": "statements/2026-11-24/statement.json", "Body": "{}"}
    assert probe(function, "s3", "put_object", forged) in DENIED
    signing = {"KeyId": outputs["SigningKeyId"], "Message": "x"}
    signing |= {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    assert probe(function, "kms", "sign", signing) in DENIED

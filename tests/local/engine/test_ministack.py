"""The emulator alone: a restart keeps the data and skips no stream record."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.engine.aws import LocalAws
from local.engine.ministack import PYTHON, python_version, start_engine, wait_for_engine
from local.processes import wait_until
from local.settings import Settings, free_port
from tests.suites import LONG

# Writes the records it gets into its own table.
RECORDER = """
import boto3
def handler(event, context):
    table = boto3.resource("dynamodb").Table("Seen")
    for record in event["Records"]:
        table.put_item(Item={"id": record["dynamodb"]["Keys"]["id"]["S"]})
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"SCC_STATE": str(tmp_path), "SCC_AWS_PORT": str(free_port())})


@contextmanager
def running_engine(settings: Settings) -> Iterator[LocalAws]:
    engine = start_engine(settings)
    try:
        wait_for_engine(settings, engine)
        yield LocalAws(settings.engine_url)
    finally:
        engine.stop()


def make_table(aws: LocalAws, name: str, **more: Any) -> str:
    answer = aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        **more,
    )
    stream: str = answer["TableDescription"].get("LatestStreamArn", "")
    return stream


def record_what_the_stream_says(aws: LocalAws) -> None:
    stream = make_table(
        aws, "Source", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    make_table(aws, "Seen")
    iam, functions = aws.client("iam"), aws.client("lambda")
    role = iam.create_role(RoleName="recorder", AssumeRolePolicyDocument=json.dumps(TRUST))
    allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="recorder",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("recorder.py", RECORDER)
    functions.create_function(
        FunctionName="recorder",
        Runtime="python3.13",
        Handler="recorder.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": bundle.getvalue()},
    )
    functions.create_event_source_mapping(
        EventSourceArn=stream, FunctionName="recorder", StartingPosition="TRIM_HORIZON"
    )


def put(aws: LocalAws, *ids: str) -> None:
    for each in ids:
        aws.resource("dynamodb").Table("Source").put_item(Item={"id": each})


def seen(aws: LocalAws) -> set[str]:
    return {item["id"] for item in aws.resource("dynamodb").Table("Seen").scan()["Items"]}


def test_bundles_are_built_for_the_interpreter_that_runs_them() -> None:
    assert python_version().startswith("3.")
    assert PYTHON.exists()


@LONG
def test_after_a_restart_data_is_there_and_no_new_stream_record_is_skipped(
    settings: Settings,
) -> None:
    before = {"a", "b", "c"}
    with running_engine(settings) as aws:
        record_what_the_stream_says(aws)
        put(aws, *before)
        assert wait_until(lambda: seen(aws) == before, 20)
        (mapping,) = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    with running_engine(settings) as aws:
        assert seen(aws) == before
        put(aws, "d")
        assert wait_until(lambda: seen(aws) == before | {"d"}, 20)
        (same,) = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert same["UUID"] == mapping["UUID"]


def test_policies_are_enforced(settings: Settings) -> None:
    with running_engine(settings) as aws:
        make_table(aws, "Source")
        aws.client("iam").create_user(UserName="nobody")
        key = aws.client("iam").create_access_key(UserName="nobody")["AccessKey"]
        dynamodb = aws.client("dynamodb")
        stranger = aws.client_with(key["AccessKeyId"], key["SecretAccessKey"], "dynamodb")
        with pytest.raises(dynamodb.exceptions.ClientError, match="AccessDenied"):
            stranger.scan(TableName="Source")


def test_queues_are_found_again_when_the_emulator_comes_back_on_another_port(
    settings: Settings,
) -> None:
    with running_engine(settings) as aws:
        url = aws.client("sqs").create_queue(QueueName="audit")["QueueUrl"]
        aws.client("sqs").send_message(QueueUrl=url, MessageBody="kept")
    moved = replace(settings, aws_port=free_port())
    with running_engine(moved) as aws:
        url = aws.client("sqs").get_queue_url(QueueName="audit")["QueueUrl"]
        assert f":{moved.aws_port}/" in url
        (message,) = aws.client("sqs").receive_message(QueueUrl=url)["Messages"]
        assert message["Body"] == "kept"

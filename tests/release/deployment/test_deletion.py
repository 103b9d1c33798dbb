"""`scc release delete` on an emulator: filled and locked buckets, and stacks that must stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.engine import ministack
from local.engine.aws import LocalAws
from local.settings import Settings, free_port
from ops.cli import scc
from tests.shells import environment

DEPLOY = (Path(__file__).parents[3] / "docs" / "deploy.md").read_text("utf-8")
TABLE_NAME = "kept-by-name"
BUCKET = {
    "Type": "AWS::S3::Bucket",
    "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
}
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "DeletionPolicy": "RetainExceptOnCreate",
    "Properties": {
        "TableName": TABLE_NAME,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    },
}

FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/nobody",
        "Code": {"ZipFile": "handler = print"},
    },
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder: Path = tmp_path_factory.mktemp("deletion")
    ports = {name: str(free_port()) for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT")}
    settings = Settings.from_environment({**ports, "SCC_STATE": str(folder)})
    emulator = ministack.start_engine(settings)
    try:
        ministack.wait_for_engine(settings, emulator)
        yield LocalAws(settings.engine_url)
    finally:
        emulator.stop()


@pytest.fixture
def buckets(aws: LocalAws) -> Iterator[dict[str, str]]:
    """The staging stack's: one for the web, and one with Object Lock, set by API as in make run."""
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    stack = "shipcaptaincrew-staging"
    create(aws, stack, {"Web": BUCKET, "Evidence": BUCKET})
    found = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    }
    s3.put_object_lock_configuration(
        Bucket=found["Evidence"], ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    yield found
    with suppress(cloudformation.exceptions.ClientError):
        cloudformation.delete_stack(StackName=stack)


def create(aws: LocalAws, stack: str, resources: dict[str, Any]) -> str:
    """Returns the status that it ends in."""
    client = aws.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    with suppress(Exception):
        client.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
    return status(aws, stack)


def status(aws: LocalAws, stack: str) -> str:
    client = aws.client("cloudformation")
    try:
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    except client.exceptions.ClientError:
        return "gone"
    return str(found["StackStatus"])


def delete(aws: LocalAws, *arguments: str, typed: str = "") -> Result:
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return CliRunner().invoke(
        scc,
        ["release", "delete", *arguments],
        env=environment(AWS_ENDPOINT_URL=aws.endpoint, **credentials),
        input=typed,
    )


def written(stage: str) -> list[str]:
    """The command's arguments as docs/deploy.md has them."""
    pattern = rf"^\.venv/bin/scc release delete (--stage {stage}.*)$"
    (line,) = re.findall(pattern, DEPLOY, re.MULTILINE)
    return str(line).split()


def fill(aws: LocalAws, bucket: str, **lock: Any) -> None:
    """Two versions and a delete marker of one key, which may be locked."""
    s3 = aws.client("s3")
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="statements/a", Body=body, **lock)
    s3.delete_object(Bucket=bucket, Key="statements/a")


def lock(mode: str) -> dict[str, Any]:
    until = datetime.now(UTC) + timedelta(days=1)
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}


def test_a_filled_stack_goes_with_every_version_and_governed_lock(
    aws: LocalAws, buckets: dict[str, str]
) -> None:
    fill(aws, buckets["Web"])
    fill(aws, buckets["Evidence"], **lock("GOVERNANCE"))
    done = delete(aws, *written("staging"), typed="shipcaptaincrew-staging\n")
    assert done.exit_code == 0, done.output
    assert f"{buckets['Web']}: 3 versions deleted" in done.output
    assert status(aws, "shipcaptaincrew-staging") in {"gone", "DELETE_COMPLETE"}


def test_what_is_locked_for_everybody_stays_and_so_does_the_rest(
    aws: LocalAws, buckets: dict[str, str]
) -> None:
    fill(aws, buckets["Web"])
    fill(aws, buckets["Evidence"], **lock("COMPLIANCE"))
    done = delete(aws, "--stage", "staging", "--confirm", "shipcaptaincrew-staging")
    assert done.exit_code == 1
    assert f"{buckets['Evidence']} keeps" in done.output
    assert "they are locked" in done.output
    assert status(aws, "shipcaptaincrew-staging") == "CREATE_COMPLETE"
    versions = aws.client("s3").list_object_versions(Bucket=buckets["Web"])["Versions"]
    assert len(versions) == 2, "the evidence comes first"


@pytest.mark.parametrize("typed", ["", "yes\n", "shipcaptaincrew\n"])
def test_nothing_goes_without_the_stacks_own_name(
    aws: LocalAws, buckets: dict[str, str], typed: str
) -> None:
    done = delete(aws, "--stage", "staging", typed=typed)
    assert done.exit_code == 2
    assert "Nothing was deleted" in done.output
    assert status(aws, "shipcaptaincrew-staging") == "CREATE_COMPLETE"


def test_a_protected_stack_keeps_what_is_in_its_buckets_too(
    aws: LocalAws, buckets: dict[str, str]
) -> None:
    fill(aws, buckets["Web"])
    client = aws.client("cloudformation")
    protection = {"Type": "String", "Default": "true"}
    template = {"Parameters": {"DeletionProtection": protection}, "Resources": {"Web": BUCKET}}
    client.update_stack(StackName="shipcaptaincrew-staging", TemplateBody=json.dumps(template))
    client.get_waiter("stack_update_complete").wait(
        StackName="shipcaptaincrew-staging", WaiterConfig={"Delay": 1}
    )
    done = delete(aws, *written("staging"), typed="shipcaptaincrew-staging\n")
    assert done.exit_code == 2
    assert "Deploy once with DeletionProtection=false" in done.output
    assert aws.client("s3").list_object_versions(Bucket=buckets["Web"])["Versions"]


def test_a_first_deployment_that_failed_leaves_nothing_but_its_name(aws: LocalAws) -> None:
    """So the next one does not meet a table of its own: RetainExceptOnCreate.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    stack, alias = "shipcaptaincrew", {"Type": "AWS::Lambda::Alias", "DependsOn": "Kept"}
    properties = {"FunctionName": {"Ref": "Code"}, "Name": "live", "FunctionVersion": "$LATEST"}
    fails = alias | {"Properties": properties}  # the second one: there is one of that name
    resources = {"Kept": TABLE, "Code": FUNCTION, "First": fails, "Second": fails}
    assert create(aws, stack, resources) == "ROLLBACK_COMPLETE"
    assert TABLE_NAME not in aws.client("dynamodb").list_tables()["TableNames"]
    done = delete(aws, *written("prod"))
    assert done.exit_code == 0, done.output
    assert create(aws, stack, {"Kept": TABLE}) == "CREATE_COMPLETE"
    done = delete(aws, *written("prod"))
    assert done.exit_code == 2
    assert "is production (CREATE_COMPLETE), and no command deletes it" in done.output
    assert TABLE_NAME in aws.client("dynamodb").list_tables()["TableNames"]

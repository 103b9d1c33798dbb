"""What the emulator leaves out of a template, done by API after each deployment.

It ignores `TimeToLiveSpecification` and `ObjectLockEnabled`, and obeys both once they are set. When
it stops, it forgets until when each object is locked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functions.daily_statement.stores.evidence_bucket import KEPT
from local.engine.aws import LocalAws
from shared.statements.places import SEALED


def complete(aws: LocalAws, stack_name: str, built: Path) -> None:
    """built: the template that was deployed. Doing it again changes nothing."""
    resources: dict[str, Any] = json.loads(built.read_text("utf-8"))["Resources"]
    listed = aws.client("cloudformation").describe_stack_resources(StackName=stack_name)
    names = {
        each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed["StackResources"]
    }
    for logical_id, name in names.items():
        properties = resources.get(logical_id, {}).get("Properties", {})
        if "TimeToLiveSpecification" in properties:
            expire(aws, name, properties["TimeToLiveSpecification"]["AttributeName"])
        if properties.get("ObjectLockEnabled") is True:
            aws.client("s3").put_object_lock_configuration(
                Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
            )
            lock_again(aws, name)


def lock_again(aws: LocalAws, bucket: str) -> None:
    """Lock every sealed object whose lock was forgotten, as the statement's function had."""
    s3 = aws.client("s3")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=SEALED)
    for each in (version for page in pages for version in page.get("Versions", ())):
        version = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
        if "ObjectLockMode" not in s3.head_object(**version):
            until = each["LastModified"] + KEPT
            retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
            s3.put_object_retention(**version, Retention=retention)


def expire(aws: LocalAws, table: str, attribute: str) -> None:
    dynamodb = aws.client("dynamodb")
    described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if described["TimeToLiveStatus"] not in {"ENABLED", "ENABLING"}:
        dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
        )

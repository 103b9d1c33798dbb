"""`scc release delete`: take a stage's stack away, with what fills its buckets."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
from botocore.exceptions import ClientError, WaiterError

from ops.errors import FOUND, OpsError
from release.stages import Stage, pass_stage

AT_ONCE = 1000  # versions in one call, S3's limit
# It failed while it was made, so there is nothing in it.
NEVER_STOOD = frozenset({
    "CREATE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED",
})  # fmt: skip


class NotDeletedError(OpsError):
    """Something may be gone already; the message says what is left and what to do."""

    exit_code = FOUND


@click.command()
@pass_stage
@click.option("--confirm", default="", metavar="STACK", help="The stack's name: skip the prompt.")
def delete(stage: Stage, confirm: str) -> None:
    """Delete a stage's stack and everything in it. Nothing brings it back.

    S3 deletes no bucket with objects in it, so every version of every object goes first; locked
    statements too, where their lock may be bypassed. prod is refused, unless its first deployment
    failed. Exit 1 when something could not be deleted, 2 when nothing was.

    \b
    Examples:
      scc release delete --stage staging
      scc release delete --stage staging --confirm shipcaptaincrew-staging
    """
    Deletion(stage).run(confirm)
    if stage.console.as_json:
        stage.console.show({"stack": stage.stack, "deleted": True})


@dataclass(frozen=True, slots=True)
class Deletion:
    stage: Stage

    def run(self, confirm: str) -> None:
        """Raises OpsError; NotDeletedError after something may have changed."""
        stage = self.stage
        stage.outputs()  # says so if there is no stack
        stack = self._stack()
        status = str(stack["StackStatus"])
        if stage.name == "prod" and status not in NEVER_STOOD:
            raise OpsError(
                f"{stage.stack} is production ({status}), and no command deletes it. "
                "docs/deploy.md#deleting-a-stack says what to do."
            )
        if {"ParameterKey": "DeletionProtection", "ParameterValue": "true"} in _parameters(stack):
            raise OpsError(
                f"{stage.stack} is protected, and nothing was deleted. Deploy once with "
                "DeletionProtection=false."
            )
        buckets = list(self._buckets())
        stage.console.say(
            f"{stage.stack} in {stage.place}, {status}, as {stage.aws.caller}: its tables, queues, "
            f"users and {len(buckets)} buckets with every version in them."
        )
        self._make_sure(confirm)
        for bucket in buckets:
            gone = self._empty(bucket)
            stage.console.say(f"{bucket}: {gone} versions deleted")
        self._delete()

    def _stack(self) -> Mapping[str, Any]:
        client = self.stage.aws.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=self.stage.stack)["Stacks"]
        found: Mapping[str, Any] = stack
        return found

    def _make_sure(self, confirm: str) -> None:
        if not confirm:
            click.echo(f"Type {self.stage.stack} to delete all of this: ", err=True, nl=False)
            confirm = sys.stdin.readline().strip()
        if confirm != self.stage.stack:
            raise OpsError(f"Nothing was deleted: that is not {self.stage.stack}.")

    def _buckets(self) -> Iterator[str]:
        """Those with locked objects first: if they stay, so does everything."""
        found = [
            each["PhysicalResourceId"]
            for each in self._resources()
            if each["ResourceType"] == "AWS::S3::Bucket" and _is_there(each)
        ]
        return iter(sorted(found, key=lambda each: not self._locks(each)))

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        client = self.stage.aws.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=self.stage.stack)
        return (each for page in pages for each in page["StackResourceSummaries"])

    def _locks(self, bucket: str) -> bool:
        try:
            self.stage.aws.client("s3").get_object_lock_configuration(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
                raise
            return False
        return True

    def _empty(self, bucket: str) -> int:
        """Delete all versions and delete markers; returns how many. Raises NotDeletedError."""
        s3, gone = self.stage.aws.client("s3"), 0
        # S3 takes this header for buckets with Object Lock only.
        bypass = {"BypassGovernanceRetention": True} if self._locks(bucket) else {}
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": AT_ONCE}
        )
        for page in pages:
            versions = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            if not versions:
                continue
            answer = s3.delete_objects(
                Bucket=bucket, Delete={"Objects": versions, "Quiet": True}, **bypass
            )
            if errors := answer.get("Errors"):
                raise NotDeletedError(
                    f"{bucket} keeps {len(errors)} versions, such as {errors[0]['Key']} "
                    f"({errors[0]['Code']}): they are locked, or you lack s3:DeleteObjectVersion "
                    "and s3:BypassGovernanceRetention. The stack stays as it is."
                )
            gone += len(versions)
        return gone

    def _delete(self) -> None:
        client, stack = self.stage.aws.client("cloudformation"), self.stage.stack
        client.delete_stack(StackName=stack)
        try:
            client.get_waiter("stack_delete_complete").wait(
                StackName=stack, WaiterConfig={"Delay": 1 if self.stage.aws.target.is_local else 15}
            )
        except WaiterError as error:
            kept = [
                f"{each['LogicalResourceId']} ({each.get('ResourceStatusReason', 'no reason')})"
                for each in self._resources()
                if each["ResourceStatus"] == "DELETE_FAILED"
            ]
            raise NotDeletedError(
                f"{stack} is not gone: {'; '.join(kept) or 'its events say why'}. Mend that, and "
                "give the same command again."
            ) from error
        self.stage.console.say(f"{stack} is gone.")


def _parameters(stack: Mapping[str, Any]) -> list[dict[str, str]]:
    names = ("ParameterKey", "ParameterValue")
    return [{name: each.get(name, "") for name in names} for each in stack.get("Parameters", ())]


def _is_there(resource: Mapping[str, Any]) -> bool:
    return resource["ResourceStatus"] not in {"DELETE_COMPLETE", "DELETE_SKIPPED"} and bool(
        resource.get("PhysicalResourceId")
    )

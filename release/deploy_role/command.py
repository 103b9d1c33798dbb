"""`scc release deploy-role`: the role with which GitHub deploys a stage, and what may assume it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ops.errors import OpsError
from release.stages import Stage, pass_stage

TEMPLATE = Path(__file__).with_name("template.yaml")
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# Since July 2026 GitHub puts ids behind the names of a new repository, so that whoever takes an
# abandoned name gets no token for it: owner@123/name@456.
# https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
_NAME = r"[A-Za-z0-9._-]+"
REPOSITORY = re.compile(rf"{_NAME}/{_NAME}|{_NAME}@[0-9]+/{_NAME}@[0-9]+")
DELAY_SECONDS, MOST_SECONDS = 2, 300


@click.command("deploy-role")
@pass_stage
@click.option(
    "--repository",
    required=True,
    metavar="OWNER/NAME",
    help="As GitHub's tokens name it: OWNER/NAME, or OWNER@ID/NAME@ID.",
)
def deploy_role(stage: Stage, repository: str) -> None:
    """Create or update the role with which GitHub deploys a stage, in a stack of its own.

    Only jobs of this repository's environment of the same name may assume it, and it may do what a
    deployment of this stack takes. It needs an administrator, and the stack to be there. Run it
    again when the template needs more, or the web buckets' names or the distribution changed.

    \b
    Examples:
      scc release deploy-role --stage staging --repository octo-org/payments
      scc release deploy-role --stage prod --repository octo-org@123456/payments@456789
    """
    who, wanted = stage.aws.caller, parameters(stage, repository)
    try:
        trust_github(stage.aws.client("iam"))
        arn = apply(stage.aws.client("cloudformation"), f"{stage.stack}-deploy-role", wanted)
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"AWS refused the role: {error}") from error
    made = {"role": arn, "assumed by": wanted["Subject"], "deploys": stage.stack, "by": who}
    if stage.console.as_json:
        stage.console.show(made)
        return
    stage.console.facts(made.items())
    stage.console.say(
        f"At GitHub, set the variable DEPLOY_ROLE_ARN of the environment {stage.name}: "
        f"gh variable set DEPLOY_ROLE_ARN --env {stage.name} --body {arn}"
    )


def parameters(stage: Stage, repository: str) -> dict[str, str]:
    """Raises OpsError when the stack is not there, or the repository's name is not one."""
    subject = subject_of(repository, stage.name)
    outputs = stage.outputs()
    return {
        "StackName": stage.stack,
        "AppName": outputs["PaymentsTableName"].removesuffix("-Payments"),
        "Subject": subject,
        **{
            name: outputs[name]
            for name in ("DistributionId", "StagingWebBucketName", "WebBucketName")
        },
    }


def subject_of(repository: str, environment: str) -> str:
    """What the token of a job in a repository's environment says. Raises OpsError."""
    if not REPOSITORY.fullmatch(repository):
        raise OpsError(
            f"REPOSITORY must be OWNER/NAME or OWNER@ID/NAME@ID, not {repository!r}: "
            "`gh api repos/OWNER/NAME --jq '[.owner.id, .id]'` prints the ids."
        )
    return f"repo:{repository}:environment:{environment}"


def trust_github(iam: Any) -> None:
    """Make GitHub an identity provider of the account, unless it is one; all stages share it.

    Its audience is added if an older provider lacks it.
    """
    for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        if each["Arn"].endswith(f":oidc-provider/{ISSUER}"):
            found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=each["Arn"])
            if AUDIENCE not in found["ClientIDList"]:
                iam.add_client_id_to_open_id_connect_provider(
                    OpenIDConnectProviderArn=each["Arn"], ClientID=AUDIENCE
                )
            return
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE])


def apply(cloudformation: Any, stack: str, wanted: Mapping[str, str]) -> str:
    """Create the role's stack, or bring it up to date; returns the role's ARN. Raises OpsError."""
    request = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text("utf-8"),
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in wanted.items()
        ],
    }
    try:
        cloudformation.create_stack(**request)
        done = "stack_create_complete"
    except cloudformation.exceptions.AlreadyExistsException:
        done = "stack_update_complete" if _is_updated(cloudformation, request) else ""
    if done:
        _wait(cloudformation, stack, done)
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found["Outputs"]}
    return outputs["RoleArn"]


def _is_updated(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    """False when nothing had to change, which CloudFormation calls an error."""
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    return True


def _wait(cloudformation: Any, stack: str, done: str) -> None:
    pace = {"Delay": DELAY_SECONDS, "MaxAttempts": MOST_SECONDS // DELAY_SECONDS}
    try:
        cloudformation.get_waiter(done).wait(StackName=stack, WaiterConfig=pace)
    except WaiterError as error:
        raise OpsError(
            f"CloudFormation could not keep the stack {stack}: "
            f"`aws cloudformation describe-stack-events --stack-name {stack}` says why."
        ) from error

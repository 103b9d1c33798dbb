"""The stack's functions as they serve: by the alias `live`, which points at a published version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.rules.versions import Serving, Version
from ops.session import Session

LIVE = "live"
FUNCTIONS: Mapping[str, str] = {  # what an operator calls each, and the output that names it
    "api": "ApiFunctionName",
    "router": "RouterFunctionName",
    "sweep": "SweepFunctionName",
    "mailer": "MailerFunctionName",
    "watch": "WatchFunctionName",
    "statement": "StatementFunctionName",
}


def mappings_of(session: Session, output: str) -> list[Mapping[str, Any]]:
    """A function's event source mappings, of its alias and of its bare name.

    AWS does not say whether a question about the name covers the alias, so both are asked.
    """
    client, name = session.aws.client("lambda"), session.aws.output(output)
    found = {
        each["UUID"]: each
        for asked in (name, f"{name}:{LIVE}")
        for each in client.list_event_source_mappings(FunctionName=asked)["EventSourceMappings"]
    }
    return list(found.values())


def live_settings(session: Session, output: str) -> Mapping[str, Any]:
    """GetFunctionConfiguration of the version that serves."""
    answer: Mapping[str, Any] = session.aws.client("lambda").get_function_configuration(
        FunctionName=f"{session.aws.output(output)}:{LIVE}"
    )
    return answer


def deployed_versions(session: Session) -> dict[str, int]:
    """The version that the last deployment published, by the function's name in Lambda."""
    resources = session.aws.client("cloudformation").get_paginator("list_stack_resources")
    pages = resources.paginate(StackName=session.aws.target.stack)
    arns = [
        str(each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Version"
        and each["ResourceStatus"] != "DELETE_SKIPPED"  # an earlier release's, kept
    ]
    found: dict[str, int] = {}
    for arn in arns:  # arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION
        name, _, version = arn.partition(":function:")[2].rpartition(":")
        found[name] = max(int(version), found.get(name, 0))
    return found


def serving(session: Session, output: str) -> Serving:
    """What the alias of a function points at."""
    alias = session.aws.client("lambda").get_alias(
        FunctionName=session.aws.output(output), Name=LIVE
    )
    others = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
    shares = {int(version): float(share) for version, share in others.items()}
    return Serving(int(alias["FunctionVersion"]), shares)


def published(session: Session, output: str) -> list[Version]:
    """The versions that Lambda keeps, oldest first."""
    client = session.aws.client("lambda")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=session.aws.output(output)
    )
    found = [
        Version(int(each["Version"]), str(each.get("Description", "")), str(each["LastModified"]))
        for page in pages
        for each in page["Versions"]
        if each["Version"].isdecimal()
    ]
    return sorted(found, key=lambda each: each.number)


def serve(session: Session, output: str, version: int) -> None:
    """Point the alias at a version, which then gets every call."""
    session.aws.client("lambda").update_alias(
        FunctionName=session.aws.output(output),
        Name=LIVE,
        FunctionVersion=str(version),
        RoutingConfig={"AdditionalVersionWeights": {}},
    )

"""Mappings of a function are found, and read as they serve, whichever of its names they have."""

from __future__ import annotations

from typing import Any

import pytest

from ops.session import Session
from ops.stack.functions import deployed_versions, live_settings, mappings_of, serve
from ops.stack.ledger_changes import mapping_faults
from ops.terminal.console import Console

ARN = "arn:aws:lambda:us-east-1:123456789012:function:scc-stream-router"
TABLE = {
    "LatestStreamArn": "stream",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


def mapping(function: str, **more: Any) -> dict[str, Any]:
    fine = {"UUID": function, "State": "Enabled", "EventSourceArn": "stream"}
    return fine | {"FunctionArn": function} | more


class Aws:
    """Lambda that answers a question about a name with that name's own mappings only."""

    def __init__(self, *mappings: dict[str, Any], by_alias: bool = False) -> None:
        self.mappings = mappings
        self.by_alias = by_alias
        self.calls: list[dict[str, Any]] = []
        self.target = self
        self.stack = "scc"

    def client(self, service: str) -> Aws:
        return self

    def output(self, name: str) -> str:
        return {"RouterFunctionName": "scc-stream-router", "PaymentsTableName": "p"}[name]

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": TABLE}

    def list_event_source_mappings(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        name = FunctionName.partition(":")[0] if self.by_alias else FunctionName
        found = [
            each
            for each in self.mappings
            if each["FunctionArn"].partition(":function:")[2] == name
            or (self.by_alias and f":{name}" in each["FunctionArn"])
        ]
        return {"EventSourceMappings": found}

    def get_function_configuration(self, **asked: Any) -> dict[str, Any]:
        return asked

    def update_alias(self, **asked: Any) -> None:
        self.calls.append(asked)

    def get_paginator(self, _: str) -> Aws:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        def one(number: int, status: str) -> dict[str, Any]:
            return {
                "ResourceType": "AWS::Lambda::Version",
                "PhysicalResourceId": f"{ARN}:{number}",
                "ResourceStatus": status,
            }

        return [
            {"StackResourceSummaries": [one(9, "CREATE_COMPLETE"), one(10, "CREATE_COMPLETE")]},
            {"StackResourceSummaries": [one(11, "DELETE_SKIPPED")]},
        ]


def session(aws: Aws) -> Session:
    return Session(aws, Console(as_json=False))  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [ARN, f"{ARN}:live"])
@pytest.mark.parametrize("by_alias", [False, True])
def test_a_mapping_is_found_once_with_and_without_a_qualifier(
    function: str, *, by_alias: bool
) -> None:
    found = mappings_of(session(Aws(mapping(function), by_alias=by_alias)), "RouterFunctionName")
    assert [each["FunctionArn"] for each in found] == [function]
    assert list(mapping_faults(session(Aws(mapping(function), by_alias=by_alias)))) == [""]


def test_a_mapping_that_is_gone_is_told() -> None:
    assert list(mapping_faults(session(Aws()))) == ["the mapping is gone"]


def test_settings_are_those_of_the_version_that_serves() -> None:
    asked = live_settings(session(Aws()), "RouterFunctionName")
    assert asked == {"FunctionName": "scc-stream-router:live"}


def test_what_was_deployed_last_is_the_newest_version_that_the_stack_still_has() -> None:
    """A release that CloudFormation took back stays in Lambda, and is no deployment."""
    assert deployed_versions(session(Aws())) == {"scc-stream-router": 10}


def test_a_version_that_serves_again_shares_with_no_other() -> None:
    aws = Aws()
    serve(session(aws), "RouterFunctionName", 9)
    (call,) = aws.calls
    assert (call["Name"], call["FunctionVersion"]) == ("live", "9")
    assert call["RoutingConfig"] == {"AdditionalVersionWeights": {}}

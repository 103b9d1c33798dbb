"""Whether somebody has cut the router off the ledger's stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.stream_router.stream_mapping import StreamMapping, fault_of

STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/Payments/stream/2026-11-27T00:00:00.000"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:scc-stream-router"


def filters(*patterns: Any) -> dict[str, Any]:
    return {"Filters": [{"Pattern": json.dumps(each)} for each in patterns]}


TABLE = {
    "LatestStreamArn": STREAM,
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
MAPPING = {
    "State": "Enabled",
    "EventSourceArn": STREAM,
    "FunctionArn": FUNCTION,
    "FilterCriteria": filters({"eventName": ["INSERT", "MODIFY", "REMOVE"]}),
}


def fault(mapping: dict[str, Any] | None = None, table: dict[str, Any] | None = None) -> str:
    return fault_of(MAPPING | (mapping or {}), TABLE | (table or {}), "scc-stream-router")


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"State": "Updating"},
        {"FunctionArn": f"{FUNCTION}:live"},
        {"FilterCriteria": None},
        {"FilterCriteria": filters({"eventName": ["INSERT", "REMOVE"]}, {"eventName": ["MODIFY"]})},
    ],
)
def test_a_mapping_that_passes_every_change_is_fine(mapping: dict[str, Any]) -> None:
    assert fault(mapping) == ""


@pytest.mark.parametrize(
    ("mapping", "table", "why"),
    [
        ({"State": "Disabled"}, {}, "the mapping is disabled"),
        ({"State": "Disabling"}, {}, "the mapping is disabling"),
        ({"State": None}, {}, "the mapping is none"),
        ({"EventSourceArn": f"{STREAM}1"}, {}, "reads another stream"),
        ({}, {"LatestStreamArn": f"{STREAM}1"}, "reads another stream"),
        ({}, {"StreamSpecification": {"StreamEnabled": False}}, "stream is off"),
        ({}, {"StreamSpecification": None}, "stream is off"),
        (
            {},
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
            "does not carry both images",
        ),
        ({"FunctionArn": f"{FUNCTION}-of-somebody"}, {}, "calls another function"),
        ({"FilterCriteria": filters({"eventName": ["INSERT"]})}, {}, "holds back changes"),
        (
            {"FilterCriteria": filters({"eventName": ["INSERT", "MODIFY"]})},
            {},
            "holds back changes",
        ),
        (
            {
                "FilterCriteria": filters(
                    {"eventName": ["INSERT"]},
                    {"eventName": ["MODIFY", "REMOVE"], "eventID": ["nobody"]},
                )
            },
            {},
            "holds back changes",
        ),
        ({"FilterCriteria": filters({"eventName": [{"prefix": "I"}]})}, {}, "holds back changes"),
        (
            {"FilterCriteria": filters({"eventName": {"INSERT": [], "MODIFY": [], "REMOVE": []}})},
            {},
            "holds back changes",
        ),
        (
            {"FilterCriteria": None, "FilterCriteriaError": {"ErrorCode": "AccessDenied"}},
            {},
            "filter cannot be read",
        ),
    ],
)
def test_a_router_that_was_cut_off_is_noticed(
    mapping: dict[str, Any], table: dict[str, Any], why: str
) -> None:
    assert why in fault(mapping, table)


class Aws:
    """Answers for Lambda and DynamoDB; `code` is Lambda's error, if any."""

    def __init__(self, code: str = "") -> None:
        self.code = code

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": TABLE}

    def get_event_source_mapping(self, **_: Any) -> dict[str, Any]:
        if self.code:
            raise ClientError({"Error": {"Code": self.code}}, "GetEventSourceMapping")
        return MAPPING


def seen_through(aws: Aws) -> str:
    return StreamMapping(
        lambda_=aws, dynamodb=aws, mapping_id="m", table="t", function="scc-stream-router"
    ).fault()


def test_a_mapping_that_was_deleted_is_off() -> None:
    assert seen_through(Aws()) == ""
    assert seen_through(Aws("ResourceNotFoundException")) == "the mapping is gone"


def test_no_answer_is_no_verdict() -> None:
    with pytest.raises(ClientError):
        seen_through(Aws("TooManyRequestsException"))

"""Whether changes of the ledger still reach the router. A router that gets nothing cannot tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

ON = frozenset({"Enabled", "Enabling", "Creating", "Updating"})
CHANGES = frozenset({"INSERT", "MODIFY", "REMOVE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMapping:
    """The event source mapping `mapping_id` from the table's stream to the function."""

    lambda_: Any
    dynamodb: Any
    mapping_id: str
    table: str
    function: str

    def fault(self) -> str:
        """Why changes do not reach the router; empty when they do. Raises botocore's errors."""
        table = self.dynamodb.describe_table(TableName=self.table)["Table"]
        try:
            mapping = self.lambda_.get_event_source_mapping(UUID=self.mapping_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return "the mapping is gone"
        return fault_of(mapping, table, self.function)


def fault_of(mapping: Mapping[str, Any], table: Mapping[str, Any], function: str) -> str:
    """The answers of GetEventSourceMapping and DescribeTable, judged.

    A mapping reads one stream. A stream that is switched off and on again is another one, so the
    mapping stays enabled and gets nothing.
    """
    return next(_faults(mapping, table, function), "")


def _faults(mapping: Mapping[str, Any], table: Mapping[str, Any], function: str) -> Iterator[str]:
    stream = table.get("StreamSpecification") or {}
    if mapping.get("State") not in ON:
        yield f"the mapping is {str(mapping.get('State')).lower()}"
    if not stream.get("StreamEnabled"):
        yield "the table's stream is off"
    if stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        yield "the stream does not carry both images"
    if mapping.get("EventSourceArn") != table.get("LatestStreamArn"):
        yield "the mapping reads another stream than the table's latest"
    if function not in str(mapping.get("FunctionArn")).split(":"):
        yield "the mapping calls another function"
    if mapping.get("FilterCriteriaError"):  # it is encrypted: AWS leaves it out of the answer
        yield "the mapping's filter cannot be read"
    if not _passed(mapping.get("FilterCriteria") or {}) >= CHANGES:
        yield "the mapping's filter holds back changes"


def _passed(criteria: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of change that the filters let through whole; all of them without a filter."""
    patterns = [json.loads(each["Pattern"]) for each in criteria.get("Filters") or ()]
    if not patterns:
        return CHANGES
    whole = [each["eventName"] for each in patterns if each.keys() == {"eventName"}]
    lists = [each for each in whole if isinstance(each, list)]
    return frozenset(name for names in lists for name in names if isinstance(name, str))

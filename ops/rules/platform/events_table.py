"""Whether a table of events has the keys and the index that the API reads by."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from shared.keys import EVENTS_BY_DATE, LISTED

KEY = ["event_id (S)", "SK (S)"]
_SORTED_BY = "event_date"
_SORTS = ("S", "N")  # the API pages by either
_LISTING = LISTED[0]


def fault_of(table: Mapping[str, Any], aws: str, redeploy: str) -> str:
    """Why the API cannot work with the table, and the command that mends it; empty if it can.

    table: as DescribeTable says. aws: how a command of the AWS CLI begins. redeploy: deploys the
    stack with a table of its own.
    """
    name = table["TableName"]
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    key = _described(table["KeySchema"], types)
    if key != KEY:
        return (
            f"The key of {name} is {_listed(key)}, the API reads by {_listed(KEY)}, and a table's "
            f"key cannot be changed: have the platform write to a table of the stack, after "
            f"`{redeploy}`."
        )
    indexes = {each["IndexName"]: each for each in table.get("GlobalSecondaryIndexes", ())}
    index = indexes.get(EVENTS_BY_DATE)
    if index is None:
        return (
            f"{name} has no index {EVENTS_BY_DATE}, by which the API lists events: "
            f"`{_addition(table, types, aws)}` adds it."
        )
    if not _fits(index, types):
        return (
            f"The index {EVENTS_BY_DATE} of {name} must have the key {_LISTING} (S) and "
            f"{_SORTED_BY} (S or N) and all attributes: nobody else may need it as it is, then "
            f"`{_removal(name, aws)}` removes it, and once it is gone "
            f"`{_addition(table, types, aws)}` adds the right one."
        )
    status = index.get("IndexStatus", "ACTIVE")
    if status != "ACTIVE":
        return f"The index {EVENTS_BY_DATE} of {name} is {status}: wait until it is ACTIVE."
    return ""


def _fits(index: Mapping[str, Any], types: Mapping[str, str]) -> bool:
    key = _described(index["KeySchema"], types)
    return (
        key in [[f"{_LISTING} (S)", f"{_SORTED_BY} ({each})"] for each in _SORTS]
        and index["Projection"]["ProjectionType"] == "ALL"
    )


def _described(schema: Iterable[Mapping[str, str]], types: Mapping[str, str]) -> list[str]:
    """The key's attributes with their types, the partition key first."""
    ordered = sorted(schema, key=lambda each: each["KeyType"] != "HASH")
    return [f"{each['AttributeName']} ({types[each['AttributeName']]})" for each in ordered]


def _listed(key: Iterable[str]) -> str:
    return " and ".join(key)


def _addition(table: Mapping[str, Any], types: Mapping[str, str], aws: str) -> str:
    defined = {_LISTING: "S", _SORTED_BY: _SORTS[0], **types}
    definitions = [f"AttributeName={name},AttributeType={kind}" for name, kind in defined.items()]
    index: dict[str, Any] = {
        "IndexName": EVENTS_BY_DATE,
        "KeySchema": [
            {"AttributeName": _LISTING, "KeyType": "HASH"},
            {"AttributeName": _SORTED_BY, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
    capacity = table.get("ProvisionedThroughput", {})
    if capacity.get("ReadCapacityUnits"):  # on demand, it is 0
        units = ("ReadCapacityUnits", "WriteCapacityUnits")
        index["ProvisionedThroughput"] = {each: capacity[each] for each in units}
    return (
        f"{aws} dynamodb update-table --table-name {table['TableName']} "
        f"--attribute-definitions {' '.join(definitions)} "
        f"--global-secondary-index-updates {shlex.quote(json.dumps([{'Create': index}]))}"
    )


def _removal(name: str, aws: str) -> str:
    update = json.dumps([{"Delete": {"IndexName": EVENTS_BY_DATE}}])
    return (
        f"{aws} dynamodb update-table --table-name {name} "
        f"--global-secondary-index-updates {shlex.quote(update)}"
    )

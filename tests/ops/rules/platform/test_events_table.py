"""What `scc doctor` says of a table that others made, and the command that mends it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.rules.platform.events_table import fault_of
from tests.tables import template_tables

AWS = "aws --region us-east-1"
REDEPLOY = "make deploy STAGE=staging PARAMETERS=EventsTableName="
TYPES = {"event_id": "S", "SK": "S", "listing": "S", "event_date": "S"}
KEY = [
    {"AttributeName": "event_id", "KeyType": "HASH"},
    {"AttributeName": "SK", "KeyType": "RANGE"},
]
BY_DATE = {
    "IndexName": "ByDate",
    "KeySchema": [
        {"AttributeName": "listing", "KeyType": "HASH"},
        {"AttributeName": "event_date", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "ALL"},
    "IndexStatus": "ACTIVE",
}


def table(types: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """As DescribeTable says."""
    defined = TYPES | (types or {})
    definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in defined.items()]
    sound = {
        "TableName": "platform-Events",
        "AttributeDefinitions": definitions,
        "KeySchema": KEY,
        "GlobalSecondaryIndexes": [BY_DATE],
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
    }
    return sound | changes


def fault(of: dict[str, Any]) -> str:
    return fault_of(of, AWS, REDEPLOY)


def commands(text: str) -> list[list[str]]:
    """Each command of the sentence, as a shell reads it."""
    return [shlex.split(each) for each in text.split("`")[1::2]]


def updates(command: list[str]) -> Any:
    return json.loads(command[command.index("--global-secondary-index-updates") + 1])


def test_the_stacks_own_table_and_one_with_dates_as_numbers_will_do() -> None:
    own = template_tables()["Events"] | {"TableName": "shipcaptaincrew-Events"}
    assert fault(own) == ""
    assert fault(table()) == ""
    assert fault(table({"event_date": "N"})) == ""


def test_further_indexes_and_attributes_are_the_platforms_business() -> None:
    another = BY_DATE | {"IndexName": "ByOwner"}
    assert fault(table({"owner": "S"}, GlobalSecondaryIndexes=[another, BY_DATE])) == ""


@pytest.mark.parametrize(
    ("types", "schema", "named"),
    [
        (
            {"eventId": "S"},
            [{"AttributeName": "eventId", "KeyType": "HASH"}],
            "platform-Events is eventId (S),",
        ),
        ({"SK": "N"}, KEY, "is event_id (S) and SK (N),"),
        ({"event_id": "N"}, KEY, "is event_id (N) and SK (S),"),
        ({}, KEY[:1], "is event_id (S),"),
        ({}, [*reversed(KEY)], ""),
    ],
)
def test_another_key_is_named_and_leads_to_a_table_of_the_stacks_own(
    types: dict[str, str], schema: list[dict[str, str]], named: str
) -> None:
    text = fault(table(types, KeySchema=schema))
    assert named in text
    assert bool(text) is bool(named), "the order in which AWS lists a key means nothing"
    if named:
        assert commands(text) == [REDEPLOY.split()]


def test_a_missing_index_comes_with_the_command_that_adds_it() -> None:
    (command,) = commands(fault(table(GlobalSecondaryIndexes=[])))
    assert command[:6] == [*AWS.split(), "dynamodb", "update-table", "--table-name"]
    assert "AttributeName=event_date,AttributeType=S" in command
    ((created,),) = (each.values() for each in updates(command))
    assert created == {name: value for name, value in BY_DATE.items() if name != "IndexStatus"}


def test_the_command_keeps_the_type_that_dates_have_and_the_capacity_that_tables_have() -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2, "NumberOfDecreasesToday": 0}
    bare = table({"event_date": "N"}, GlobalSecondaryIndexes=[], ProvisionedThroughput=units)
    (command,) = commands(fault(bare))
    assert "AttributeName=event_date,AttributeType=N" in command
    ((created,),) = (each.values() for each in updates(command))
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}
    assert created["ProvisionedThroughput"] == capacity


@pytest.mark.parametrize(
    "index",
    [
        BY_DATE | {"KeySchema": BY_DATE["KeySchema"][:1]},  # type: ignore[index]
        BY_DATE | {"Projection": {"ProjectionType": "KEYS_ONLY"}},
        BY_DATE | {"KeySchema": KEY},
    ],
)
def test_an_index_of_that_name_which_will_not_do_is_replaced(index: dict[str, Any]) -> None:
    removal, addition = commands(fault(table(GlobalSecondaryIndexes=[index])))
    assert updates(removal) == [{"Delete": {"IndexName": "ByDate"}}]
    assert [*updates(addition)[0]] == ["Create"]


def test_an_index_that_is_being_built_needs_patience_only() -> None:
    text = fault(table(GlobalSecondaryIndexes=[BY_DATE | {"IndexStatus": "CREATING"}]))
    assert "is CREATING: wait" in text
    assert commands(text) == []


def test_the_printed_command_mends_a_real_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("event_id", "SK")]
        client.create_table(
            TableName="platform-Events",
            KeySchema=KEY,  # type: ignore[arg-type]
            AttributeDefinitions=definitions,  # type: ignore[arg-type]
            BillingMode="PAY_PER_REQUEST",
        )

        def described() -> Any:
            return client.describe_table(TableName="platform-Events")["Table"]

        (command,) = commands(fault(described()))
        given = [each for each in command if each.startswith("AttributeName=")]
        added = [dict(part.split("=") for part in each.split(",")) for each in given]
        client.update_table(
            TableName="platform-Events",
            AttributeDefinitions=added,  # type: ignore[arg-type]
            GlobalSecondaryIndexUpdates=updates(command),
        )
        assert fault(described()) == ""

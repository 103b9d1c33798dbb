"""The tables of template.yaml, created in moto, so that tests use what is deployed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from moto.backends import get_backend

_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
ACCOUNT = "123456789012"  # of moto
TABLES = ("Events", "Payments", "Ledger", "AuditDeliveries", "OpsRecord", "Sessions")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (!Sub, !Ref) as plain values."""


def _plain(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _plain)


@cache
def template_tables() -> dict[str, dict[str, Any]]:
    """The properties of every table in the template, by name without the app's prefix."""
    template = yaml.load(_TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    tables = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::DynamoDB::Table"
    ]
    return {each["TableName"].removeprefix("${AppName}-"): each for each in tables}


def template_indexes() -> dict[tuple[str, str], list[str]]:
    """The key attributes of every index, by table and index name."""
    return {
        (table, index["IndexName"]): [key["AttributeName"] for key in index["KeySchema"]]
        for table, properties in template_tables().items()
        for index in properties.get("GlobalSecondaryIndexes", ())
    }


def create_tables(client: Any, prefix: str = "test") -> dict[str, str]:
    """Create every table; return the names, such as Payments → test-Payments."""
    names = {}
    for name, properties in template_tables().items():
        names[name] = f"{prefix}-{name}"
        client.create_table(
            TableName=names[name],
            BillingMode="PAY_PER_REQUEST",
            **{
                key: properties[key]
                for key in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
                if key in properties
            },
        )
    assert set(names) == set(TABLES)
    return names


def rows_in(table: str) -> list[dict[str, Any]]:
    """All items of a table in moto, in DynamoDB's form.

    Bypasses moto's API, which takes 10 ms per answer: thousands of tests look at every table.
    """
    return [item.to_json()["Attributes"] for item in _table(table).all_items()]


def empty(table: str) -> None:
    _table(table).items.clear()


def empty_bucket(name: str) -> None:
    """Without its versions, locked or not."""
    get_backend("s3")[ACCOUNT]["aws"].buckets[name].keys.clear()


def _table(name: str) -> Any:
    return get_backend("dynamodb")[ACCOUNT]["us-east-1"].get_table(name)

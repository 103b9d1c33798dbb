"""Rows as plain Python values (str, int, list, dict) to and from DynamoDB's typed attributes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in row.items()}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers come back as int: the ledger holds cents and milliseconds, never fractions."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value

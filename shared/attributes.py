"""Rows as plain Python values (str, int, list, dict) to and from DynamoDB's typed attributes.

boto3 does this for every DynamoDB type at three times the cost: every number goes through a decimal
context, every value through a table of methods. A payment converts about a hundred values.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def to_attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Raises TypeError for a value that our rows never hold, such as a float."""
    return {name: _typed(value) for name, value in row.items()}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers come back as int: the ledger holds cents and milliseconds, never fractions.

    Raises TypeError, ValueError, ArithmeticError or AttributeError for anything else.
    """
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    kind, wire = "", value
    match value:
        case str():
            kind = "S"
        case bool():  # before int: a bool is an int, too
            kind = "BOOL"
        case int():
            kind, wire = "N", str(value)
        case None:
            kind, wire = "NULL", True
        case list() | tuple():
            kind, wire = "L", [_typed(each) for each in value]
        case dict():
            kind, wire = "M", to_attributes(value)
        case set() | frozenset() if value and all(isinstance(each, str) for each in value):
            kind, wire = "SS", sorted(value)
        case _:
            raise TypeError(f"a row cannot hold a {type(value).__name__}")
    return {kind: wire}


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(Decimal(value))
        case "L":
            return [_plain(each) for each in value]
        case "M":
            return from_attributes(value)
        case "NULL":
            return None
        case "SS":
            return set(value)
        case _:
            raise TypeError(f"a row holds no attribute of type {kind}")

"""Rows as plain Python values (str, int, list, dict) to and from DynamoDB's typed attributes.

Reading never fails and never rounds: a number with a fraction stays a Decimal, and a type that no
row of ours has becomes a `Foreign`, so whoever judges a row can name what is wrong with it.

boto3 does this for every DynamoDB type at three times the cost: every number goes through a decimal
context, every value through a table of methods. A payment converts about a hundred values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True, slots=True)
class Foreign:
    """An attribute of a type that no row of ours has. kind: DynamoDB's name for it, such as "B"."""

    kind: str


def to_attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Raises TypeError for a value that our rows never hold, such as a float."""
    return {name: _typed(value) for name, value in row.items()}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers come back as int: the ledger holds cents and milliseconds."""
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
    read = _READERS.get(kind)
    return read(value) if read else Foreign(kind)


def _number(text: str) -> int | Decimal:
    if text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not a number of DynamoDB: {text[:40]!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a number of DynamoDB: {text[:40]!r}")
    return int(number) if number == number.to_integral_value() else number


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _number,
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": lambda values: [_plain(each) for each in values],
    "M": from_attributes,
    "SS": set,
}

"""What a DynamoDB write tells IAM about itself, and whether a statement's condition admits it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

PARTITION_KEYS = ("PK", "event_id", "session_hash", "payment_id", "ops_id")  # of our tables
EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "ProjectionExpression")
WORDS = frozenset({
    "ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET",
    "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains",
    "if_not_exists", "size",
})  # fmt: skip
_NAME = re.compile(r"(?<![:\w#])#?[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Told:
    """The condition keys dynamodb:LeadingKeys, Attributes and ReturnValues of one write."""

    leading_keys: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    return_values: str = ""

    @classmethod
    def by(cls, write: Mapping[str, Any]) -> Told:
        """write: the arguments of PutItem or UpdateItem, or a part of a transaction."""
        item = {**write.get("Key", {}), **write.get("Item", {})}
        leading = [next(iter(item[name].values())) for name in PARTITION_KEYS if name in item][:1]
        names = frozenset({*item, *_named(write)})
        return cls(frozenset(leading), names, write.get("ReturnValues", "NONE"))


def admits(condition: Mapping[str, Mapping[str, Any]], told: Told) -> bool:
    """Raises KeyError for an operator or a key that is not known here."""
    values = {
        "dynamodb:LeadingKeys": told.leading_keys,
        "dynamodb:Attributes": told.attributes,
        "dynamodb:ReturnValues": {told.return_values} - {""},
    }
    matches: dict[str, Callable[[str, str], bool]] = {
        "ForAllValues:StringLike": fnmatchcase,
        "ForAllValues:StringEquals": operator.eq,
        "StringEqualsIfExists": operator.eq,
    }
    return all(
        any(matches[kind](value, allowed) for allowed in listed)
        for kind, keys in condition.items()
        for key, listed in keys.items()
        for value in values[key]
    )


def _named(write: Mapping[str, Any]) -> Iterator[str]:
    """The attributes that the expressions name."""
    aliases = write.get("ExpressionAttributeNames", {})
    for expression in EXPRESSIONS:
        for name in _NAME.findall(write.get(expression, "")):
            if name not in WORDS:
                yield aliases.get(name, name)

"""DynamoDB as plain rows: what the stores below share of its wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.attributes import from_attributes, to_attributes

MOST_KEYS = 100  # in one BatchGetItem


@dataclass(frozen=True, slots=True)
class Page:
    """rows, and where the next page starts (DynamoDB's LastEvaluatedKey) or None."""

    rows: list[dict[str, Any]]
    position: dict[str, Any] | None


class Dynamo:
    """Reads through a boto3 client; `client` is there for what only one store does."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """One row, consistently, or None."""
        answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def query(self, start: Mapping[str, Any] | None = None, **query: Any) -> Page:
        """One page of a Query, which is given as boto3 takes it."""
        if start:
            query["ExclusiveStartKey"] = start
        answer = self.client.query(**query)
        rows = [from_attributes(item) for item in answer["Items"]]
        return Page(rows, answer.get("LastEvaluatedKey"))

    def batch_get(
        self, wanted: Mapping[str, Iterable[Mapping[str, Any]]], *, consistent: bool
    ) -> Iterable[dict[str, Any]]:
        """The rows that are there, in no order. wanted: different keys by table, any number."""
        keys = [(table, key) for table, keys in wanted.items() for key in keys]
        for start in range(0, len(keys), MOST_KEYS):
            pending: dict[str, Any] = {}
            for table, key in keys[start : start + MOST_KEYS]:
                reads = pending.setdefault(table, {"Keys": [], "ConsistentRead": consistent})
                reads["Keys"].append(to_attributes(key))
            while pending:  # DynamoDB may leave keys for the next call
                answer = self.client.batch_get_item(RequestItems=pending)
                for items in answer["Responses"].values():
                    yield from (from_attributes(item) for item in items)
                pending = answer.get("UnprocessedKeys") or {}

"""DynamoDB as plain rows: what all stores share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.attributes import from_attributes, to_attributes
from shared.reads import TableKey, batch_get

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """position: the last row's place if there are more rows, else None."""

    rows: list[Row]
    position: list[Any] | None


class Dynamo:
    """Reads through a boto3 client; `client` is for calls that only one store makes."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, table: str, key: Mapping[str, Any]) -> Row | None:
        """One row, consistently, or None."""
        answer = self.client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Sequence[TableKey]) -> list[Row | None]:
        """The rows at different keys, consistently, each one or None; any tables, one call."""
        found = list(batch_get(self.client, keys, consistent=True))
        return [
            next((row for at, row in found if at == table and key.items() <= row.items()), None)
            for table, key in keys
        ]

    def pages(self, **query: Any) -> Iterator[list[Row]]:
        """All pages of a Query (boto3's arguments), each read when needed."""
        while True:
            answer = self.client.query(**query)
            yield [from_attributes(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def newest_first(
        self,
        table: str,
        index: str,
        partition: tuple[str, str],
        order: Mapping[str, Any],
        limit: int,
        after: Sequence[Any] | None,
    ) -> Page:
        """One page of an index partition in an order that is the same however it is paged.

        DynamoDB promises no order among rows that are equal in the index's sort key, so these are
        read together and put in order here, the greatest first. order: the attributes that make
        it, the index's sort key first, each with what stands in for one that is missing. after:
        the place of the last row of the page before. A row whose sort key is a fraction has no
        place: it comes along at the end and counts for nothing, or it would hide what is behind it.
        """
        sort_key = next(iter(order))
        condition, names, values = "#name = :value", {"#name": partition[0]}, {}
        if after is not None:
            condition, names["#sort"] = f"{condition} AND #sort <= :sort", sort_key
            values[":sort"] = after[0]
        rows: list[Row] = []
        strays: list[Row] = []
        for page in self.pages(
            TableName=table,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_attributes({":value": partition[1], **values}),
            ScanIndexForward=False,
            Limit=limit + 2,  # the last row of the page before, and one that shows there is more
        ):
            strays += [row for row in page if not _has_place(row, order)]
            placed = [row for row in page if _has_place(row, order)]
            rows += [row for row in placed if after is None or _place(row, order) < list(after)]
            if len(rows) > limit and rows[-1][sort_key] < rows[limit - 1][sort_key]:
                break
        rows.sort(key=lambda row: _place(row, order), reverse=True)
        shown = rows[:limit]
        return Page(shown + strays, _place(shown[-1], order) if len(rows) > limit else None)

    def batch_get(
        self, table: str, keys: Iterable[Mapping[str, Any]], *, consistent: bool
    ) -> Iterator[Row]:
        """The rows that exist, in any order. keys: different ones, any number."""
        wanted = [(table, key) for key in keys]
        return (row for _, row in batch_get(self.client, wanted, consistent=consistent))


class ReadAhead(Dynamo):
    """Reads some rows in one call when the first is needed, and hands out each of them once.

    Anything else, and every second read, goes to DynamoDB: a retry must see what has changed.
    """

    def __init__(self, client: Any, keys: Sequence[TableKey]) -> None:
        super().__init__(client)
        self._keys = keys
        self._ahead: dict[Any, Row | None] | None = None

    def get(self, table: str, key: Mapping[str, Any]) -> Row | None:
        rows = self._taken([(table, key)])
        return rows[0] if rows else super().get(table, key)

    def get_all(self, keys: Sequence[TableKey]) -> list[Row | None]:
        return self._taken(keys) or super().get_all(keys)

    def _taken(self, keys: Sequence[TableKey]) -> list[Row | None]:
        """These rows if all of them were read ahead, else nothing."""
        if self._ahead is None:
            rows = super().get_all(self._keys)
            self._ahead = dict(zip(map(_name, self._keys), rows, strict=True))
        names = [_name(each) for each in keys]
        if not self._ahead.keys() >= set(names):
            return []
        return [self._ahead.pop(name) for name in names]


def _name(key: TableKey) -> tuple[str, frozenset[tuple[str, Any]]]:
    return key[0], frozenset(key[1].items())


def _has_place(row: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    """Whether the index's sort key, which every row has, is text or a whole number."""
    return isinstance(row[next(iter(order))], str | int)


def _place(row: Mapping[str, Any], order: Mapping[str, Any]) -> list[Any]:
    """A row's place in the order; a missing or mistyped attribute counts as its default.

    An index's sort key has one type, though not always the default's: a platform's dates may be
    numbers.
    """
    first = next(iter(order))
    return [
        row[name] if name == first or isinstance(row.get(name), type(other)) else other
        for name, other in order.items()
    ]
